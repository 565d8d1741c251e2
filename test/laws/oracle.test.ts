/**
 * The law of the engine: whatever happened on the way, once all has settled the live entities of an exact pipe are those of
 * a full run into an empty dataset, over what its inputs hold; and where everything before it is exact too, those of a
 * network that never saw anything but the last state of its roots.
 *
 * `ORACLE_SEED` and `ORACLE_PATH` repeat a run that failed, `ORACLE_RUNS` says how many there are.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configurationOf, history, type Network, network, pipeName, rootName, type Step, shapeAt } from './network.ts'
import { type Json, World } from './world.ts'

const RUNS = Number(process.env.ORACLE_RUNS ?? 40)
/** In the short form it ends where it has come to by then. */
const LIMIT =
  process.env.ORACLE_RUNS === undefined ? { interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false } : {}
/** Where there is a disk in memory, commits need not wait for the other one. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
/** Steps of a history, at most. */
const LENGTH = Number(process.env.ORACLE_LENGTH ?? 14)
const PIPES = 10

const replay = {
  ...(process.env.ORACLE_SEED === undefined ? {} : { seed: Number(process.env.ORACLE_SEED) }),
  ...(process.env.ORACLE_PATH === undefined ? {} : { path: process.env.ORACLE_PATH }),
}

let folder: string
let world: World
let networks = 0

/** Networks on one log: each look at a log costs something for every dataset of it, and each log costs memory. */
const ON_ONE_LOG = 12

async function begin(): Promise<void> {
  folder = mkdtempSync(join(MEMORY, 'samtale-oracle-'))
  world = await World.open(folder)
}

async function end(): Promise<void> {
  await world.close()
  rmSync(folder, { recursive: true, force: true })
}

beforeAll(begin)
afterAll(end)

/** The prefix of the next network. */
async function nextPrefix(): Promise<string> {
  if (++networks % ON_ONE_LOG === 0) {
    await end()
    await begin()
  }
  return `n${networks}_`
}

describe('the oracle', () => {
  it(
    'finds in every exact pipe what a full run would give, whatever happened on the way',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          network(() => true, PIPES),
          history(LENGTH),
          async (given, steps) => {
            const prefix = await nextPrefix()
            const roots = await lived(given, steps, prefix)
            await compareWithFullRuns(given)
            await compareWithScratch(given, prefix, roots)
          },
        ),
        { numRuns: RUNS, ...LIMIT, ...replay },
      )
    },
    60_000 + RUNS * 30_000,
  )
})

/** Pipes notice for themselves that their configuration or an input is another one. */
const HEALING = { reprocessing_policy: 'automatic', rescan_when_config_changes: true }

let turned = new Set<number>()

/** Lives the history, then lets all settle. Gives what the roots hold at the end. */
async function lived(given: Network, steps: readonly Step[], prefix: string): Promise<ReadonlyMap<string, Json>[]> {
  turned = new Set()
  const roots = Array.from({ length: given.roots }, () => new Map<string, Json>())
  const pipeOf = (place: number) => pipeName(prefix, place % given.recipes.length)
  const deploy = () => world.deploy(configurationOf(given, prefix, turned, HEALING))
  await deploy()
  for (const step of steps) {
    switch (step.kind) {
      case 'put': {
        const root = step.root % given.roots
        roots[root]?.set(step.entity._id as string, step.entity)
        await world.put(rootName(prefix, root), [step.entity])
        break
      }
      case 'delete': {
        const root = step.root % given.roots
        if (roots[root]?.delete(step.id)) await world.put(rootName(prefix, root), [{ _id: step.id, _deleted: true }])
        break
      }
      case 'run':
        await world.run(pipeOf(step.pipe))
        break
      case 'configure': {
        const place = step.pipe % given.recipes.length
        if (!turned.delete(place)) turned.add(place)
        await deploy()
        break
      }
      case 'reset':
        await world.reset(pipeOf(step.pipe))
        break
      case 'kill':
        await world.killIn(pipeOf(step.pipe), step.commits)
        break
      case 'restart':
        await world.restart()
        break
      default:
        await world.settle()
    }
  }
  await world.settle()
  return roots
}

const isExact = (id: string): boolean => world.deployment.pipes.get(id)?.inexact.length === 0

/** Each exact pipe once more, into an empty dataset of its own. */
async function compareWithFullRuns(given: Network): Promise<void> {
  const own = configurationOf(given, `n${networks}_`, turned, HEALING)
  const exact = own.slice(given.roots).filter(({ _id }) => isExact(_id))
  given.recipes.forEach((_, place) => {
    const id = pipeName(`n${networks}_`, place)
    const { inexact } = shapeAt(given, place, turned)
    const found = world.deployment.pipes.get(id)?.inexact.map(({ kind }) => kind)
    // Of one dataset alone no two entities have the same id.
    const source = world.deployment.pipes.get(id)?.pipe?.source
    const isAlone = source?.config.datasets !== undefined && source.inputs.length === 1
    if (inexact === undefined || isAlone) expect([id, found]).toEqual([id, []])
    else expect(found).toContain(inexact)
  })
  const twins = exact.map((one) => ({ ...one, _id: `${one._id}_t`, sink: { ...one.sink, dataset: `${one._id}_t` } }))
  await world.deploy([...own, ...twins])
  for (const { _id } of exact) {
    const report = await world.run(`${_id}_t`)
    if (report.outcome === 'waiting') continue
    expect(report).toMatchObject({ outcome: 'completed' })
    expect([_id, ...world.live(_id)]).toEqual([_id, ...world.live(`${_id}_t`)])
  }
}

/** All of it once more, from what the roots hold at the end; what is not exact is left out, with what reads it. */
async function compareWithScratch(
  given: Network,
  prefix: string,
  roots: readonly ReadonlyMap<string, Json>[],
): Promise<void> {
  const pure = new Set(roots.map((_, root) => rootName(prefix, root)))
  const chosen = configurationOf(given, prefix, turned, HEALING).filter((one, place) => {
    if (place < given.roots) return true
    const { pipe } = world.deployment.pipes.get(one._id) ?? {}
    const isPure =
      isExact(one._id) && [...(pipe?.source.inputs ?? []), ...(pipe?.reads ?? [])].every((read) => pure.has(read))
    if (isPure) pure.add(one._id)
    return isPure
  })
  const scratch = prefix.replace('n', 's')
  const again = (text: string) => text.replaceAll(prefix, scratch)
  await world.deploy(JSON.parse(again(JSON.stringify(chosen))) as Json[])
  for (const [root, entities] of roots.entries()) await world.put(rootName(scratch, root), [...entities.values()])
  await world.settle()
  for (const { _id } of chosen) {
    const expected = [...world.live(again(_id), withoutFigures)].map(([id, text]) =>
      [id, text].map((one) => one.replaceAll(scratch, prefix)),
    )
    expect([_id, ...world.live(_id, withoutFigures)]).toEqual([_id, ...expected])
  }
}

/** Entities that are taken whole hold what the hub keeps of them. */
function withoutFigures(json: Json): string {
  return JSON.stringify(json, (name, value) => (/^_(updated|previous|ts|hash)$/.test(name) ? undefined : value))
}
