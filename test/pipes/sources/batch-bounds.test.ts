import { describe, expect, it } from 'vitest'
import { runPipe } from '../../../src/pipes/pump.ts'
import { BATCH_BYTES, BatchBounds } from '../../../src/pipes/sources/batch-bounds.ts'
import { openedLog, write } from '../../log/sample.ts'
import { pipeOf, portsOf } from '../running-pipe.ts'

const never = new AbortController().signal

describe('a batch', () => {
  it('is full by its entities or by their bytes', () => {
    const few = new BatchBounds(3)
    expect([few.add(1), few.add(1), few.add(1)]).toEqual([false, false, true])
    const large = new BatchBounds(1_000)
    expect([large.add(BATCH_BYTES / 2), large.add(BATCH_BYTES / 2)]).toEqual([false, true])
  })

  it.each([
    { type: 'dataset', dataset: 'in' },
    { type: 'union_datasets', datasets: ['in'], prefix_ids: false },
    { type: 'merge_datasets', datasets: ['in'] },
  ])('of large entities is small: $type', async (source) => {
    const { writer, log } = await openedLog()
    await writer.assertDataset('in')
    const text = 'x'.repeat(BATCH_BYTES / 4)
    for (let n = 0; n < 6; n++) await writer.commit({ writes: [write('in', [{ _id: `e${n}`, text }])] })
    const pipe = pipeOf({ _id: 'p', source, sink: { type: 'dataset', dataset: 'd' }, batch_size: 1_000 })
    const read: number[] = []
    const ports = portsOf(writer, log, { progress: (so_far) => read.push(so_far) })
    expect(await runPipe(pipe, ports, { kind: 'incremental' }, never)).toMatchObject({
      outcome: 'completed',
      changes: 6,
    })
    expect(read.slice(0, 2)).toEqual([4, 6])
  })
})
