/** Bugs are planted, and the oracle finds each of them. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/log/contract.ts'
import { get } from '../../src/model/dict.ts'
import { isDeleted } from '../../src/model/entity.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import { Logs } from './logs.ts'
import { history, network } from './network.ts'
import { SHAPES } from './shapes.ts'
import { HEALING, Trial } from './trial.ts'
import type { Bugs } from './world.ts'

/** Looks with random networks of these shapes until one of them shows a difference; any seed will do, these are quick. */
async function finds(bugs: Bugs, shapes: readonly string[], seed: number): Promise<boolean> {
  const logs = new Logs(bugs)
  const among = shapes.map((name) => SHAPES[name])
  try {
    const { failed } = await fc.check(
      fc.asyncProperty(
        network((shape) => among.includes(shape), 3),
        history(14),
        async (given, steps) => {
          const { world, prefix } = await logs.next()
          const trial = new Trial(world, given, prefix, HEALING)
          await trial.live(steps)
          for (const { pipe, holds, fresh } of await trial.outcomes())
            expect([pipe, ...holds]).toEqual([pipe, ...fresh])
        },
      ),
      { numRuns: 300, seed, endOnFailure: true },
    )
    return failed
  } finally {
    await logs.close()
  }
}

/** The way back from what a hops joins looks for something that nothing has. */
const wrongInverse = (pipe: Pipe): Pipe => {
  if (pipe.tracking === null) return pipe
  const places = pipe.tracking.places.map((place) => ({
    ...place,
    steps: place.steps.map((step) => ({
      ...step,
      lookups: step.lookups.map((lookup) => ({ ...lookup, key: '"_S.nothing"' })),
    })),
  }))
  return { ...pipe, tracking: { ...pipe.tracking, places } }
}

/** What is said to be taken in is stored in a commit of its own, before what came of it. */
const earlyOffset = (journal: Journal): Journal =>
  new Proxy(journal, {
    get(target, name) {
      if (name !== 'commit') return Reflect.get(target, name)
      const commit: Journal['commit'] = async ({ writes = [], offsets = [], ...rest }) => {
        if (writes.length === 0 || offsets.length === 0) return target.commit({ writes, offsets, ...rest })
        await target.commit({ offsets, ...(rest.run === undefined ? {} : { run: rest.run }) })
        return target.commit({ writes, ...rest })
      }
      return commit
    },
  })

/** Of a class that is no more nobody hears. */
const forgetfulUnmerge = (pipe: Pipe): Pipe =>
  pipe.source.type !== 'merge'
    ? pipe
    : {
        ...pipe,
        source: {
          ...pipe.source,
          open: (surroundings) => {
            const source = pipe.source.open(surroundings)
            return {
              ...source,
              async *read(since, signal) {
                for await (const batch of source.read(since, signal)) {
                  const kept = batch.entities.filter((one) => !isDeleted(one) || get(one, '$replaced') !== true)
                  yield { ...batch, entities: kept }
                }
              },
            }
          },
        },
      }

describe('the oracle finds', () => {
  it('a way back through a hops that is wrong', async () => {
    expect(await finds({ pipe: wrongInverse }, ['toOne', 'two', 'chained'], 2)).toBe(true)
  }, 120_000)

  it('an offset that is saved too early', async () => {
    expect(await finds({ journal: earlyOffset }, ['copy', 'filter'], 3)).toBe(true)
  }, 120_000)

  it('an unmerge that forgets', async () => {
    expect(await finds({ pipe: forgetfulUnmerge }, ['merge', 'mergeCompact'], 2)).toBe(true)
  }, 120_000)

  it('a pipe that never deletes what it no longer makes', async () => {
    expect(
      await finds({ pipe: (pipe) => ({ ...pipe, tracesOutput: false }) }, ['discardTraced', 'createTraced'], 1),
    ).toBe(true)
  }, 120_000)
})
