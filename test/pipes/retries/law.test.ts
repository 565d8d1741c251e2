import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Journal } from '../../../src/log/contract.ts'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import { RetryQueue } from '../../../src/pipes/retries/queue.ts'
import { entity, type OpenedLog, openedLog } from '../../log/sample.ts'
import { killedAfter, pipeOf, portsOf } from '../running-pipe.ts'
import { newTarget, writingTo } from './target.ts'

const never = new AbortController().signal
const IDS = ['a', 'b', 'c']
/** Versions are refused by what they are modulo this, so that of one entity an old one may be refused and a new one not. */
const KINDS = [0, 1, 2, 3]

/** What becomes of one run: how many versions there are by then, which of them are refused, and after how many commits it is killed. */
interface Round {
  readonly grows: number
  readonly refused: readonly number[]
  readonly isDown: boolean
  readonly killedAfter: number | null
}

const round = fc.record<Round>({
  grows: fc.integer({ min: 0, max: 6 }),
  refused: fc.subarray(KINDS),
  isDown: fc.integer({ min: 0, max: 4 }).map((one) => one === 0),
  killedAfter: fc.option(fc.integer({ min: 0, max: 8 }), { nil: null }),
})

let opened: OpenedLog | null = null
let pipes = 0

const settings = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  consecutive: fc.integer({ min: 1, max: 3 }),
  pending: fc.integer({ min: 1, max: 4 }),
  batchRetries: fc.integer({ min: 0, max: 1 }),
})

it('the target has the newest of everything once failures end, and never an older version after a newer one', async () => {
  opened = await openedLog()
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...IDS), { minLength: 4, maxLength: 20 }),
      fc.array(round, { minLength: 1, maxLength: 8 }),
      settings,
      follows,
    ),
    { numRuns: 40 },
  )
}, 60_000)

async function follows(
  ids: readonly string[],
  rounds: readonly Round[],
  {
    batch,
    consecutive,
    pending,
    batchRetries,
  }: { batch: number; consecutive: number; pending: number; batchRetries: number },
): Promise<void> {
  const { writer, log } = opened as OpenedLog
  const id = `p${++pipes}`
  const versions = ids.map((_id, v) => ({ _id, v }))
  const target = newTarget()
  const pipe = pipeOf({
    _id: id,
    source: { type: 'embedded', entities: [] },
    sink: { type: 'null' },
    batch_size: batch,
    pump: {
      max_write_errors_in_retry_dataset: pending,
      max_consecutive_write_errors: consecutive,
      batch_retries: batchRetries,
      max_retries_per_entity: 1_000,
    },
  })
  // Not the first load, which comes again as a whole until it is complete.
  await writer.commit({ offsets: [[sourceOffset(id), '-1']] })
  let length = 0
  const run = (journal: Journal) =>
    runPipe(
      writingTo(target, givingOneVersionEach(pipe, versions.slice(0, length))),
      portsOf(journal, log),
      { kind: 'incremental' },
      never,
    )
  for (const { grows, refused, isDown, killedAfter: commits } of rounds) {
    length = Math.min(versions.length, length + grows)
    target.refuses = (entities) =>
      isDown ? 503 : entities.some(([, v]) => refused.includes(v % KINDS.length)) ? 400 : null
    await run(commits === null ? writer : killedAfter(writer, commits))
  }
  target.refuses = () => null
  length = versions.length
  expect((await run(writer)).outcome).toBe('completed')
  expect(target.latest()).toEqual(Object.fromEntries(versions.map(({ _id, v }) => [_id, v])))
  for (const _id of IDS) {
    const order = target.taken.filter(([one]) => one === _id).map(([, v]) => v)
    expect(order).toEqual([...order].sort((a, b) => a - b))
  }
  const snapshot = log.snapshot()
  expect(new RetryQueue(id, snapshot).size).toBe(0)
  snapshot.close()
}

type Version = Readonly<Record<'_id', string> & Record<'v', number>>

/** A source whose batches hold one version of an id, as those of a dataset do: what is written again after a failure is a batch. */
function givingOneVersionEach(pipe: Pipe, versions: readonly Version[]): Pipe {
  const batchFrom = (at: number): readonly Version[] => {
    const batch: Version[] = []
    for (const version of versions.slice(at, at + pipe.batchSize)) {
      if (batch.some(({ _id }) => _id === version._id)) break
      batch.push(version)
    }
    return batch
  }
  return {
    ...pipe,
    source: {
      ...pipe.source,
      continuation: { supportsSince: true, isSinceComparable: true, isChronological: true },
      open: () => ({
        async *read(since) {
          for (let at = Number(since) + 1; at < versions.length; ) {
            const batch = batchFrom(at)
            at += batch.length
            yield { entities: batch.map(entity), offset: String(at - 1) }
          }
        },
      }),
    },
  }
}
