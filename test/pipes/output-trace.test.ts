/** What a pipe remembers of what it made, and deletes when it no longer makes it. */

import { describe, expect, it } from 'vitest'
import { deploy } from '../../src/hub/deployment.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import type { RunKind } from '../../src/pipes/schedule.ts'
import { type OpenedLog, openedLog, reading, write } from '../log/sample.ts'
import { killedAfter, pipeOf, portsOf } from './running-pipe.ts'

type Json = Readonly<Record<string, unknown>>
const never = new AbortController().signal

/** Makes an entity of each word of `w`, and nothing of the entity itself. */
const words = (more: Json = {}) =>
  pipeOf({
    _id: 'p',
    source: { type: 'dataset', dataset: 'a' },
    sink: { type: 'dataset', dataset: 'd' },
    transform: {
      type: 'dtl',
      rules: {
        default: [['filter', ['neq', '_S._deleted', true]], ['create', ['apply', 'word', '_S.w']], ['discard']],
        word: [['add', '_id', '_S.']],
      },
    },
    trace_output: true,
    batch_size: 2,
    ...more,
  })
const run = (
  { writer, log }: OpenedLog,
  pipe = words(),
  { kind = 'incremental', commits = Number.POSITIVE_INFINITY }: { kind?: RunKind; commits?: number } = {},
) => runPipe(pipe, portsOf(killedAfter(writer, commits), log), { kind }, never)

const live = ({ log }: OpenedLog): string[] =>
  reading(log, (snapshot) => [...(snapshot.dataset('d')?.entities({ deleted: false }) ?? [])].map(({ id }) => id))
const remembered = ({ log }: OpenedLog): number =>
  reading(log, (snapshot) => [...snapshot.states(Buffer.from('p\u0000made\u0000'))].length)
const put = ({ writer }: OpenedLog, ...entities: Json[]) => writer.commit({ writes: [write('a', entities)] })

async function opened(...entities: Json[]): Promise<OpenedLog> {
  const log = await openedLog()
  await log.writer.assertDataset('a')
  if (entities.length > 0) await put(log, ...entities)
  return log
}

describe('a pipe that traces its output', () => {
  it('deletes what it no longer makes of an entity, with its last content', async () => {
    const log = await opened({ _id: '1', w: ['x', 'y'] })
    await run(log)
    expect(live(log)).toEqual(['x', 'y'])
    await put(log, { _id: '1', w: ['y', 'z'] })
    expect(await run(log)).toMatchObject({ outcome: 'completed', changes: 2 })
    expect(live(log)).toEqual(['y', 'z'])
    await put(log, { _id: '1', _deleted: true })
    await run(log)
    expect(live(log)).toEqual([])
  })

  it('keeps what another entity still makes, until none makes it', async () => {
    const log = await opened({ _id: '1', w: ['x'] }, { _id: '2', w: ['x'] }, { _id: 'x', w: ['x'] })
    await run(log)
    for (const [gone, left] of [
      ['1', ['x']],
      ['x', ['x']],
      ['2', []],
    ] as const) {
      await put(log, { _id: gone, w: [] })
      await run(log)
      expect(live(log)).toEqual(left)
    }
    // Nothing is remembered but what the tables belong to.
    expect(remembered(log)).toBe(1)
  })

  it('knows within a batch what comes later', async () => {
    const log = await opened({ _id: '1', w: ['x'] }, { _id: '2', w: [] })
    await run(log)
    await put(log, { _id: '1', w: [] }, { _id: '2', w: ['x'] })
    await run(log)
    expect(live(log)).toEqual(['x'])
  })

  it('stores what it remembers with the entities, whatever commit it is killed at', async () => {
    for (let commits = 0; commits < 7; commits++) {
      const log = await opened({ _id: '1', w: ['x', 'y'] }, { _id: '2', w: ['u'] }, { _id: '3', w: ['v'] })
      await run(log, words(), { commits })
      await put(log, { _id: '1', w: ['y'] }, { _id: '3', w: ['t'] })
      await run(log, words(), { commits: 2 })
      await run(log)
      expect([commits, live(log)]).toEqual([commits, ['t', 'u', 'y']])
    }
  })

  it('forgets in a full run what no entity makes, so that it is never deleted for what somebody made before', async () => {
    const log = await opened({ _id: '1', w: ['x'] })
    await run(log)
    // The dataset is another one, in which nobody knows of the entity.
    await log.writer.deleteDataset('a')
    await log.writer.assertDataset('a')
    await put(log, { _id: '2', w: ['y'] })
    await run(log, words(), { kind: 'rescan' })
    expect(live(log)).toEqual(['y'])
    expect(remembered(log)).toBe(3)
  })

  it('goes on with an interrupted full run as if it had been one', async () => {
    const pipe = words({ sink: { type: 'dataset', dataset: 'd', bitset_commit_interval: 1 }, batch_size: 1 })
    const log = await opened(...['1', '2', '3', '4'].map((_id) => ({ _id, w: [`w${_id}`] })))
    await run(log, pipe)
    expect(await run(log, pipe, { kind: 'rescan', commits: 4 })).toMatchObject({ outcome: 'failed' })
    expect(await run(log, pipe)).toMatchObject({ outcome: 'completed', syncType: 'full' })
    expect(remembered(log)).toBe(1 + 2 * 4)
    await put(log, { _id: '1', w: [] })
    await run(log, pipe)
    expect(live(log)).toEqual(['w2', 'w3', 'w4'])
  })

  it('remembers nothing of a dataset that was made again, nor of the time before tracing was switched off', async () => {
    const log = await opened({ _id: '1', w: ['x'] })
    await run(log)
    await log.writer.deleteDataset('d')
    await log.writer.assertDataset('d')
    await put(log, { _id: '2', w: ['y'] })
    await run(log)
    expect(remembered(log)).toBe(3)
    await run(log, words({ trace_output: false }))
    expect(remembered(log)).toBe(0)
  })

  it('leaves what filters and discards no longer let through only where it is told so', async () => {
    const log = await opened({ _id: '1', t: 'a' })
    const rules = {
      default: [
        ['copy', '*'],
        ['discard', ['eq', '_S.t', 'a']],
      ],
    }
    const pipe = (trace_output: boolean) => words({ transform: { type: 'dtl', rules }, trace_output })
    await run(log, pipe(false))
    await put(log, { _id: '1', t: 'b' })
    await run(log, pipe(false))
    expect(live(log)).toEqual(['1'])
    await run(log, pipe(true), { kind: 'rescan' })
    expect(live(log)).toEqual([])
  })
})

it('is refused where nothing can be compared', () => {
  const problems = (config: Json) =>
    deploy([JSON.stringify({ _id: 'p', type: 'pipe', trace_output: true, ...config })], '{}', null).problems.map(
      ({ pointer, message }) => `${pointer} ${message}`,
    )
  expect(problems({ source: { type: 'http_endpoint' } })).toEqual([
    '/trace_output A receiver does not trace its output.',
  ])
  expect(problems({ source: { type: 'embedded', entities: [] }, sink: { type: 'null' } })).toEqual([
    '/trace_output Only what goes into a dataset is traced.',
  ])
})
