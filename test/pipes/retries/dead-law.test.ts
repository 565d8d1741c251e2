import fc from 'fast-check'
import { expect, it } from 'vitest'
import { entityOf } from '../../../src/log/stored.ts'
import { get } from '../../../src/model/dict.ts'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import { pendingCount } from '../../../src/pipes/retries/queue.ts'
import { openedLog, reading } from '../../log/sample.ts'
import { chronological, pipeOf, portsOf } from '../running-pipe.ts'
import { newTarget, writingTo } from './target.ts'

const never = new AbortController().signal
const ROUNDS = 6

/** Of one entity: with which run it comes, and in which runs it is refused. */
const fate = fc.record({
  comes: fc.integer({ min: 0, max: ROUNDS - 1 }),
  refused: fc.array(fc.boolean(), { minLength: ROUNDS, maxLength: ROUNDS }),
})

it('dead letters are exactly those that failed too often', async () => {
  const { writer, log } = await openedLog()
  let pipes = 0
  const follows = async (fates: readonly { comes: number; refused: readonly boolean[] }[], retries: number) => {
    const [id, letters] = [`p${++pipes}`, `letters${pipes}`]
    const config = {
      _id: id,
      source: { type: 'embedded', entities: [] },
      sink: { type: 'null' },
      batch_size: 3,
      pump: {
        max_write_errors_in_retry_dataset: 100,
        max_consecutive_write_errors: 100,
        batch_retries: 0,
        max_retries_per_entity: retries,
        dead_letter_dataset: letters,
      },
    }
    const entities = fates.map((one, at) => ({ ...one, _id: `e${at}`, v: at })).sort((a, b) => a.comes - b.comes)
    const target = newTarget()
    await writer.commit({ offsets: [[sourceOffset(id), '-1']] })
    for (let round = 0; round < ROUNDS; round++) {
      const come = entities.filter(({ comes }) => comes <= round).map(({ _id, v }) => ({ _id, v }))
      const isRefused = (v: number) => fates[v]?.refused[round] === true
      target.refuses = (given) => (given.some(([, v]) => isRefused(v)) ? 400 : null)
      await runPipe(
        writingTo(target, chronological(pipeOf(config), come)),
        portsOf(writer, log),
        { kind: 'incremental' },
        never,
      )
    }
    // One attempt when it comes, then retries as long as they do not exceed what it may have.
    const failures = ({ comes, refused }: (typeof fates)[number]) => {
      const since = refused.slice(comes)
      return since.includes(false) ? since.indexOf(false) : since.length
    }
    const isDead = (one: (typeof fates)[number]) => failures(one) > retries + 1
    const dead = reading(log, (snapshot) => {
      const versions = [...(snapshot.dataset(letters)?.changes(null) ?? [])]
      return versions.map((version) => get(entityOf(version, { internal: false }), 'v'))
    })
    const expected = fates.flatMap((one, at) => (isDead(one) ? [at] : []))
    expect([...dead].sort()).toEqual(expected)
    const waits = fates.filter((one) => !isDead(one) && failures(one) === ROUNDS - one.comes)
    expect(reading(log, (snapshot) => pendingCount(id, snapshot))).toBe(waits.length)
    expect(target.taken).toHaveLength(fates.length - expected.length - waits.length)
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 2 }), follows),
    { numRuns: 15 },
  )
}, 60_000)
