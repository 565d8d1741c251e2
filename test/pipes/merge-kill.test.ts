import fc from 'fast-check'
import { expect, it } from 'vitest'
import { entityOf } from '../../src/log/stored.ts'
import { get } from '../../src/model/dict.ts'
import { writeJson } from '../../src/model/json.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import { openedLog, reading, write } from '../log/sample.ts'
import { killedAfter, pipeOf, portsOf } from './running-pipe.ts'

const never = new AbortController().signal

/** A merge under an id of its own, of some of the datasets. */
const pipe = (id: string, identity: string, datasets: readonly string[]) =>
  pipeOf({
    _id: id,
    source: {
      type: 'merge',
      version: 2,
      datasets: datasets.map((dataset) => `${dataset} ${dataset}`),
      equality: datasets.slice(1).map((dataset) => ['eq', `${datasets[0]}.k`, `${dataset}.k`]),
      identity,
    },
    sink: { type: 'dataset', dataset: id },
    batch_size: 2,
  })

const change = fc.record({
  dataset: fc.constantFrom('a', 'b', 'c'),
  id: fc.nat(4),
  k: fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 2 }),
  deleted: fc.nat(4).map((one) => one === 0),
})
const rounds = fc.array(
  fc.record({
    changes: fc.array(change, { maxLength: 5, size: 'max' }),
    datasets: fc.constantFrom(['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b'], ['c', 'a']),
    kind: fc.constantFrom('incremental' as const, 'incremental' as const, 'rescan' as const),
    /** Commits after which the process is no more. */
    commits: fc.nat(9),
  }),
  { minLength: 1, maxLength: 5, size: 'max' },
)

it('a merge that is killed at any commit, among other datasets and rescans, ends as one from scratch', async () => {
  const { writer, log } = await openedLog()
  let number = 0
  for (const dataset of ['a', 'b', 'c']) await writer.assertDataset(dataset)
  const live = (dataset: string, hasIds: boolean): string[] =>
    reading(log, (snapshot) =>
      [...(snapshot.dataset(dataset)?.entities({ deleted: false }) ?? [])]
        .map(
          (version) =>
            (hasIds ? version.id : '') + writeJson(get(entityOf(version, { internal: false }), '$ids') ?? null),
        )
        .sort(),
    )
  await fc.assert(
    fc.asyncProperty(rounds, fc.constantFrom('composite', 'stable'), async (history, identity) => {
      const id = `m${number++}`
      for (const { changes, datasets, kind, commits } of history) {
        for (const { dataset, id: entity, k, deleted } of changes) {
          const json = { _id: `${dataset}${entity}`, k, _deleted: deleted }
          await writer.commit({ writes: [write(dataset, [json])] })
        }
        await runPipe(pipe(id, identity, datasets), portsOf(killedAfter(writer, commits), log), { kind }, never)
      }
      const { datasets } = history.at(-1) as (typeof history)[number]
      for (const one of [id, `${id}-again`]) {
        const report = await runPipe(
          pipe(one, identity, datasets),
          portsOf(writer, log),
          { kind: 'incremental' },
          never,
        )
        expect([report.outcome, report.message]).toEqual(['completed', null])
      }
      expect(live(id, identity !== 'stable')).toEqual(live(`${id}-again`, identity !== 'stable'))
    }),
    { numRuns: 10 },
  )
}, 60_000)
