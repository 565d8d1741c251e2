/** An incremental run ends with the live entities of a full one, whatever the hops and whatever happened (design: the law). */

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { entityWith, NAMES, program, some } from '../../dtl/arbitrary-hops.ts'
import { type OpenedLog, openedLog } from '../../log/sample.ts'
import { pipeOf } from '../running-pipe.ts'
import { type Json, World } from './world.ts'

/** More in the long form. */
const RUNS = Number(process.env.LAW_PROGRAMS ?? 60)

type Step =
  | { readonly type: 'put'; readonly dataset: string; readonly entities: readonly Json[] }
  | { readonly type: 'run'; readonly commits: number | null; readonly kind: 'incremental' | 'rescan' }
  | { readonly type: 'compact'; readonly keep: number }

const puts = () =>
  fc.record({
    type: fc.constant('put' as const),
    dataset: some(...NAMES) as fc.Arbitrary<string>,
    entities: fc.array(some('1', '2', '3', 'k', 'n').chain((id) => entityWith(id as string)) as fc.Arbitrary<Json>, {
      minLength: 1,
      maxLength: 4,
    }),
  })
const runs = () =>
  fc.record({
    type: fc.constant('run' as const),
    commits: fc.option(fc.nat(6), { freq: 2 }),
    kind: some('incremental', 'incremental', 'incremental', 'rescan') as fc.Arbitrary<'incremental' | 'rescan'>,
  })
const steps = (): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: puts() },
      { weight: 3, arbitrary: runs() },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant('compact' as const), keep: fc.integer({ min: 1, max: 2 }) }),
      },
    ),
    { minLength: 3, maxLength: 14 },
  )

let worlds = 0

/** The program over datasets of its own. */
const named = (rules: unknown, prefix: string): unknown =>
  JSON.parse(JSON.stringify(rules).replaceAll(/"(source|a|b) (\w+)"/g, `"${prefix}$1 $2"`))

const pipe = (id: string, prefix: string, rules: unknown) =>
  pipeOf({
    _id: id,
    source: { type: 'dataset', dataset: `${prefix}source` },
    transform: { type: 'dtl', id_required: false, rules },
    sink: { type: 'dataset', dataset: id },
    batch_size: 2,
  })

async function differs(log: OpenedLog, rules: unknown, history: readonly Step[]): Promise<void> {
  const world = new World(log)
  const prefix = `w${++worlds}-`
  await world.make(...NAMES.map((name) => prefix + name), `${prefix}sink`, `${prefix}full`)
  const tracked = pipe(`${prefix}sink`, prefix, named(rules, prefix))
  for (const step of history) {
    if (step.type === 'put') await world.put(prefix + step.dataset, ...step.entities)
    else if (step.type === 'compact') for (const name of NAMES) await world.compact(prefix + name, step.keep)
    else await world.run(tracked, { kind: step.kind, commits: step.commits ?? Number.POSITIVE_INFINITY })
  }
  const settled = [await world.run(tracked), await world.run(tracked)]
  const full = await world.run(pipe(`${prefix}full`, prefix, named(rules, prefix)))
  expect(settled.map(({ outcome }) => outcome)).toEqual([full.outcome, full.outcome])
  if (full.outcome === 'completed') expect(world.live(`${prefix}sink`)).toEqual(world.live(`${prefix}full`))
}

it(
  'equals a full run, for hops of every shape, after inserts, changes, deletes, moves, kills and compaction',
  async () => {
    const log = await openedLog()
    await fc.assert(
      fc.asyncProperty(program(), steps(), (rules, history) => differs(log, rules, history)),
      { numRuns: RUNS },
    )
  },
  60_000 + RUNS * 2_000,
)
