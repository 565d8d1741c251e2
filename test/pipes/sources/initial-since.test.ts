import { describe, expect, it } from 'vitest'
import { runPipe } from '../../../src/pipes/pump.ts'
import { openedLog, write } from '../../log/sample.ts'
import { pipeOf, portsOf } from '../running-pipe.ts'

const never = new AbortController().signal

describe('initial_since_value', () => {
  it.each([
    [{ type: 'dataset', dataset: 'in' }, 1, ['e2', 'e3']],
    [{ type: 'union_datasets', datasets: ['in', 'other'], prefix_ids: false }, '1,0', ['e2', 'e3', 'o1']],
    [{ type: 'merge_datasets', datasets: ['in', 'other'] }, '2,', ['e3', 'o0', 'o1']],
    [
      {
        type: 'embedded',
        supports_since: true,
        is_chronological: true,
        entities: [
          { _id: 'a', _updated: 1 },
          { _id: 'b', _updated: 2 },
        ],
      },
      1,
      ['b'],
    ],
  ])('is where the first run begins, and one after a reset: %j', async (source, initial, expected) => {
    const { writer, log } = await openedLog()
    for (const [dataset, count] of [
      ['in', 4],
      ['other', 2],
    ] as const) {
      await writer.assertDataset(dataset)
      const entities = Array.from({ length: count }, (_, n) => ({ _id: `${dataset === 'in' ? 'e' : 'o'}${n}` }))
      await writer.commit({ writes: [write(dataset, entities)] })
    }
    const pipe = pipeOf({
      _id: 'p',
      source: { ...source, initial_since_value: initial },
      sink: { type: 'dataset', dataset: 'd' },
    })
    for (let run = 0; run < 2; run++) {
      const report = await runPipe(pipe, portsOf(writer, log), { kind: 'incremental' }, never)
      expect(report).toMatchObject({ syncType: 'full', read: expected.length })
      const snapshot = log.snapshot()
      expect([...(snapshot.dataset('d')?.entities() ?? [])].map(({ id }) => id)).toEqual(expected)
      snapshot.close()
      expect(await runPipe(pipe, portsOf(writer, log), { kind: 'incremental' }, never)).toMatchObject({ read: 0 })
      await writer.commit({ offsets: [['source:p', null]] })
    }
  })
})
