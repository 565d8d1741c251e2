import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LogReader } from '../../../src/log/reader.ts'
import { openLog } from '../../../src/log/reader.ts'
import { storedJson } from '../../../src/log/stored.ts'
import type { LogWriter } from '../../../src/log/writer.ts'
import { LogWriter as Writer } from '../../../src/log/writer.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import { retryStrategyOf } from '../../../src/pipes/retries/strategy.ts'
import type { RunPorts } from '../../../src/pipes/run-ports.ts'
import type { RunKind } from '../../../src/pipes/schedule.ts'
import type { SystemPort } from '../../../src/pipes/systems/contract.ts'
import { chronological, pipeOf, portsOf } from '../running-pipe.ts'
import { newTarget, type Target, writingTo } from './target.ts'

let writer: LogWriter
let log: LogReader

beforeAll(async () => {
  const path = mkdtempSync(join(tmpdir(), 'samtale-retries-'))
  writer = await Writer.open(path)
  log = openLog(path)
  return async () => {
    log.close()
    await writer.close()
    rmSync(path, { recursive: true, force: true })
  }
})

type Json = Readonly<Record<string, unknown>>

let pipes = 0

/** A pipe that writes to a target; its source gives more with each run. */
function piped(pump: Json = {}, more: Json = {}) {
  const id = `p${++pipes}`
  const target = newTarget()
  const pipe = pipeOf({
    _id: id,
    source: { type: 'embedded', entities: [] },
    sink: { type: 'null' },
    batch_size: 3,
    pump,
    ...more,
  })
  return { id, target, pipe, ...running(id, pipe, target) }
}

function running(id: string, pipe: Pipe, target: Target | null, strategy: Json | null = null) {
  const source: Json[] = []
  const ports: Partial<RunPorts> =
    strategy === null
      ? {}
      : { system: () => ({ retryStrategy: retryStrategyOf(strategy as never) }) as unknown as SystemPort }
  return {
    source,
    /** Runs the pipe with what its source gave before, and this. */
    run: (given: readonly Json[] = [], kind: RunKind = 'incremental', stop = new AbortController()) => {
      source.push(...given)
      const reading = chronological(pipe, source)
      const whole = target === null ? reading : writingTo(target, reading)
      const placed: Pipe =
        strategy !== null && whole.sink.kind === 'external' ? { ...whole, sink: { ...whole.sink, system: 's' } } : whole
      return runPipe(placed, portsOf(writer, log, ports), { kind }, stop.signal)
    },
    entries: (type?: string) => entriesOf(id).filter(({ event_type }) => type === undefined || event_type === type),
  }
}

function versions(dataset: string): Json[] {
  const snapshot = log.snapshot()
  try {
    const view = snapshot.dataset(dataset)
    return view === undefined ? [] : [...view.changes(null)].map((version) => JSON.parse(storedJson(version)) as Json)
  } finally {
    snapshot.close()
  }
}

const entriesOf = (pipe: string): Json[] => versions(`system:pump_execution:${pipe}`)

const one = (_id: string, v: number, more: Json = {}): Json => ({ _id, v, ...more })
const KEEPING = { max_write_errors_in_retry_dataset: 10, max_consecutive_write_errors: 10, batch_retries: 0 }

const refusing =
  (...ids: string[]): Target['refuses'] =>
  (entities) =>
    entities.some(([id]) => ids.includes(id)) ? 400 : null

describe('a batch that is refused', () => {
  it('is tried again as a whole, then entity by entity', async () => {
    const { target, run, entries } = piped({ ...KEEPING, batch_retries: 2 })
    target.refuses = refusing('b')
    const report = await run([one('a', 1), one('b', 1), one('c', 1)])
    expect(target.requests).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c'], ['a'], ['b'], ['c']])
    expect(report).toMatchObject({ outcome: 'completed', read: 3, written: 2, failed: 1, pending: 1 })
    expect(entries('batch-write-error')).toMatchObject([{ error_code: 1, entities: 3 }])
    expect(entries('pump-completed')).toMatchObject([
      {
        retry_entities_exist: true,
        entities_succeeded: 2,
        entities_failed: 1,
        metrics: { entities: { write_errors_last_run: 4 } },
      },
    ])
  })

  it('is written when it is taken the second time', async () => {
    const { target, run, entries } = piped()
    let refusals = 1
    target.refuses = () => (refusals-- > 0 ? 500 : null)
    expect(await run([one('a', 1), one('b', 1)])).toMatchObject({ outcome: 'completed', written: 2, isLogged: true })
    expect(target.requests).toHaveLength(2)
    expect(entries()).toHaveLength(2)
  })

  it('is not taken apart where it is not to be', async () => {
    const { target, run } = piped({ ...KEEPING, fallback_to_single_entities_on_batch_fail: false })
    target.refuses = refusing('b')
    expect(await run([one('a', 1), one('b', 1)])).toMatchObject({ outcome: 'failed', code: 'bad-status', pending: 0 })
    expect(target.requests).toHaveLength(1)
  })

  it('ends the run with its first bad entity where none is kept', async () => {
    const { target, run, entries } = piped({ batch_retries: 0 })
    target.refuses = refusing('b')
    expect(await run([one('a', 1), one('b', 1), one('c', 1)])).toMatchObject({
      outcome: 'failed',
      written: 1,
      pending: 0,
    })
    expect(target.requests).toEqual([['a', 'b', 'c'], ['a'], ['b']])
    expect(entries('write-error')).toMatchObject([
      { _id: 'write-error:b', retryable: false, dead: false, entity: { v: 1 } },
    ])
    expect(entries('pump-failed')).toMatchObject([
      {
        reason_why_stopped: expect.stringContaining('max_write_errors_in_retry_dataset'),
        exception_entity: { _id: 'b' },
        original_error_message: 'answered with 400',
      },
    ])
  })
})

describe('an entity that failed', () => {
  it('is retried first by the next run, with each attempt told', async () => {
    const { target, run, entries } = piped(KEEPING)
    target.refuses = refusing('b')
    await run([one('a', 1), one('b', 1)])
    target.requests.length = 0
    expect(await run([one('c', 1)])).toMatchObject({ outcome: 'completed', read: 1, failed: 1, pending: 1 })
    expect(target.requests).toEqual([['b'], ['c']])
    target.refuses = () => null
    expect(await run()).toMatchObject({ outcome: 'completed', read: 0, written: 1, pending: 0, isLogged: true })
    expect(target.latest()).toEqual({ a: 1, b: 1, c: 1 })
    expect(entries('write-error')).toMatchObject([
      { error_code: 1, retry_attempts: 0, retryable: true, resolved: false, dead: false, entity: { _id: 'b', v: 1 } },
      { retry_attempts: 1, retryable: true, resolved: false, dead: false },
      { retry_attempts: 1, retryable: false, resolved: true, dead: false },
    ])
    expect(entries('write-error')[2]).not.toHaveProperty('resolved_entity')
  })

  it('is done with once a later version of it is written', async () => {
    const { target, run, entries } = piped(KEEPING)
    target.refuses = (entities) => (entities.some(([id, v]) => id === 'b' && v === 1) ? 400 : null)
    await run([one('b', 1)])
    expect(await run([one('b', 2)])).toMatchObject({ outcome: 'completed', pending: 0 })
    expect(target.taken).toEqual([['b', 2]])
    expect(entries('write-error').at(-1)).toMatchObject({
      retryable: false,
      resolved: true,
      entity: { v: 1 },
      resolved_entity: { v: 2 },
    })
  })

  it('waits anew, from the first attempt on, when a later version of it fails', async () => {
    const { target, run, entries } = piped(KEEPING)
    target.refuses = refusing('b')
    await run([one('b', 1)])
    await run()
    expect(await run([one('b', 2)])).toMatchObject({ pending: 1 })
    expect(entries('write-error').at(-1)).toMatchObject({ retry_attempts: 0, retryable: true, entity: { v: 2 } })
  })

  it('is given up when it was retried too often, and is a dead letter then', async () => {
    const letters = `letters-${pipes}`
    const { id, target, run, entries } = piped({ ...KEEPING, max_retries_per_entity: 1, dead_letter_dataset: letters })
    target.refuses = refusing('b')
    await run([one('a', 1), one('b', 1)])
    expect(await run()).toMatchObject({ pending: 1 })
    expect(versions(letters)).toEqual([])
    expect(await run()).toMatchObject({ outcome: 'completed', pending: 0 })
    expect(versions(letters)).toMatchObject([
      {
        _id: 'b',
        _deleted: false,
        v: 1,
        $dead_letter: { pipe: id, retry_attempts: 2, error: 'answered with 400', deleted: false },
      },
    ])
    expect(entries('write-error').at(-1)).toMatchObject({ retry_attempts: 2, retryable: false, dead: true })
    target.requests.length = 0
    await run()
    expect(target.requests).toEqual([])
  })

  it('is a live dead letter though it was a deletion, which goes when a later version is written', async () => {
    const letters = `letters-${pipes}`
    const pump = { ...KEEPING, max_retries_per_entity: 0, dead_letter_dataset: letters, track_dead_letters: true }
    const { target, run } = piped(pump)
    target.refuses = (entities) => (entities.some(([, v]) => v === 1) ? 400 : null)
    await run([one('b', 1, { _deleted: true })])
    await run()
    expect(versions(letters)).toMatchObject([{ _id: 'b', _deleted: false, $dead_letter: { deleted: true } }])
    await run([one('b', 2)])
    expect(versions(letters).at(-1)).toMatchObject({ _id: 'b', _deleted: true })
  })

  it('ends the run when as many wait as may', async () => {
    const { target, run, entries } = piped({ ...KEEPING, max_write_errors_in_retry_dataset: 1 })
    target.refuses = refusing('a', 'c')
    expect(await run([one('a', 1), one('b', 1), one('c', 1)])).toMatchObject({
      outcome: 'failed',
      written: 1,
      pending: 1,
    })
    expect(entries('pump-failed')).toMatchObject([{ reason_why_stopped: expect.stringContaining('1 wait') }])
    target.refuses = refusing('c')
    expect(await run()).toMatchObject({ outcome: 'completed', pending: 1 })
    expect(target.latest()).toEqual({ a: 1, b: 1 })
  })

  it('ends the run when so many fail one after the other', async () => {
    const { target, run, entries } = piped({ ...KEEPING, max_consecutive_write_errors: 2 })
    target.refuses = refusing('a', 'c')
    expect(await run([one('a', 1), one('b', 1), one('c', 1)])).toMatchObject({ outcome: 'completed', pending: 2 })
    target.refuses = refusing('a', 'c', 'd', 'e')
    expect(await run([one('d', 1), one('e', 1), one('f', 1)])).toMatchObject({ outcome: 'failed', pending: 4 })
    expect(target.latest()).toEqual({ b: 1 })
    expect(entries('pump-failed')).toMatchObject([
      { reason_why_stopped: expect.stringContaining('2 entities in a row') },
    ])
    expect(await run()).toMatchObject({ outcome: 'completed', pending: 4 })
    expect(target.latest()).toEqual({ b: 1, f: 1 })
  })

  it('holds a first load up once, and not again', async () => {
    const { target, run } = piped({ ...KEEPING, max_consecutive_write_errors: 1 })
    target.refuses = refusing('a')
    expect(await run([one('a', 1), one('b', 1)])).toMatchObject({ outcome: 'failed', syncType: 'full', pending: 1 })
    expect(await run()).toMatchObject({ outcome: 'completed', syncType: 'full', pending: 1 })
    expect(target.latest()).toEqual({ b: 1 })
  })

  it('ends the run when nothing gets through any more, before anything new is read', async () => {
    const { target, run } = piped({ ...KEEPING, max_consecutive_write_errors: 1 })
    await run([one('z', 1)])
    target.refuses = refusing('a')
    await run([one('a', 1)])
    target.refuses = () => 503
    target.requests.length = 0
    expect(await run([one('b', 1)])).toMatchObject({ outcome: 'failed', read: 0, pending: 1 })
    expect(target.requests).toEqual([['a']])
  })

  it('is forgotten when a read of everything does not bring it any more', async () => {
    const { target, run, source, entries } = piped(KEEPING)
    target.refuses = refusing('a')
    await run([one('a', 1), one('b', 1)])
    source.splice(0, 1)
    target.refuses = () => null
    expect(await run([], 'rescan')).toMatchObject({ outcome: 'completed', pending: 0 })
    expect(target.latest()).toEqual({ b: 1 })
    expect(entries('write-error').at(-1)).toMatchObject({ retryable: false, resolved: false, dead: false })
  })

  it('fails once more, and no more, when a read of everything brings it', async () => {
    const { target, run, entries } = piped(KEEPING)
    target.refuses = refusing('a')
    await run([one('a', 1), one('b', 1)])
    await run([], 'rescan')
    expect(entries('write-error').map(({ retry_attempts }) => retry_attempts)).toEqual([0, 1])
  })
})

describe('a system says', () => {
  const strategy = {
    default: { max_write_errors_in_retry_dataset: 5, max_consecutive_write_errors: 5, batch_retries: 0 },
    '400,404-410': { max_write_errors_in_retry_dataset: 0 },
    '500-599': { batch_retries: 1 },
  }

  const withStrategy = (pump: Json = {}) => {
    const id = `p${++pipes}`
    const target = newTarget()
    const pipe = pipeOf({
      _id: id,
      source: { type: 'embedded', entities: [] },
      sink: { type: 'null' },
      batch_size: 1,
      pump,
    })
    return { target, ...running(id, pipe, target, strategy) }
  }

  it.each([
    [400, 'failed', 0, 2],
    [409, 'failed', 0, 2],
    [411, 'completed', 1, 2],
    [503, 'completed', 1, 3],
  ])('by status what becomes of an entity: %i', async (status, outcome, pending, requests) => {
    const { target, run } = withStrategy()
    target.refuses = () => status
    expect(await run([one('a', 1)])).toMatchObject({ outcome, pending })
    expect(target.requests).toHaveLength(requests)
  })

  it('nothing where the pump says it itself', async () => {
    const { target, run } = withStrategy({ max_write_errors_in_retry_dataset: 5, batch_retries: 3 })
    target.refuses = () => 400
    expect(await run([one('a', 1)])).toMatchObject({ outcome: 'completed', pending: 1 })
    expect(target.requests).toHaveLength(5)
  })
})

describe('a dataset', () => {
  const intoDataset = (pump: Json, more: Json = {}, sink: Json = {}) => {
    const id = `p${++pipes}`
    const pipe = pipeOf({
      _id: id,
      source: { type: 'embedded', entities: [] },
      sink: { type: 'dataset', ...sink },
      batch_size: 8,
      pump,
      ...more,
    })
    return { id, ...running(id, pipe, null) }
  }
  const ids = (dataset: string) => versions(dataset).map(({ _id, _deleted }) => `${_deleted ? '-' : ''}${_id}`)
  const FRAGILE = {
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'n', ['range', 0, 2, '_S.step']],
        ],
      },
    },
  }

  it('takes all but what is too large, which waits', async () => {
    const { id, run } = intoDataset(KEEPING, {}, { max_entity_bytes_size: 60 })
    const large = one('c', 1, { text: 'x'.repeat(100) })
    const small = ['a', 'b', 'd', 'e', 'f'].map((name) => one(name, 1))
    expect(await run([...small.slice(0, 2), large, ...small.slice(2)])).toMatchObject({
      outcome: 'completed',
      changes: 5,
      pending: 1,
    })
    expect(ids(id)).toEqual(['a', 'b', 'd', 'e', 'f'])
    expect(await run([one('c', 2)])).toMatchObject({ outcome: 'completed', changes: 1, pending: 0 })
  })

  it('takes nothing of a batch with one that is too large, where none is kept', async () => {
    const { id, run } = intoDataset({}, {}, { max_entity_bytes_size: 60 })
    const report = await run([one('a', 1), one('c', 1, { text: 'x'.repeat(100) })])
    expect(report).toMatchObject({ outcome: 'failed', code: 'entity-too-large', changes: 0 })
    expect(ids(id)).toEqual([])
  })

  it('takes all but what its program cannot make, and keeps what was there of it', async () => {
    const { id, run } = intoDataset(KEEPING, FRAGILE)
    await run([one('a', 1, { step: 1 }), one('b', 1, { step: 1 }), one('c', 1, { step: 1 })])
    expect(await run([one('b', 2, { step: 0 }), one('d', 1, { step: 1 })])).toMatchObject({
      outcome: 'completed',
      pending: 1,
    })
    expect(ids(id)).toEqual(['a', 'b', 'c', 'd'])
    expect(await run([], 'rescan')).toMatchObject({ outcome: 'completed', pending: 1, deletionTracked: 0 })
    expect(await run([one('b', 3, { step: 2 })])).toMatchObject({ outcome: 'completed', pending: 0 })
    expect(versions(id).at(-1)).toMatchObject({ _id: 'b', v: 3 })
  })

  it('deletes what is gone once everything could be made', async () => {
    const { id, run, source } = intoDataset(KEEPING, FRAGILE)
    await run([one('a', 1, { step: 1 }), one('b', 1, { step: 1 }), one('c', 1, { step: 1 })])
    source.splice(0, 1)
    source.push(one('b', 2, { step: 0 }))
    expect(await run([], 'rescan')).toMatchObject({ outcome: 'completed', deletionTracked: 0 })
    expect(ids(id)).toEqual(['a', 'b', 'c'])
    expect(await run([one('b', 3, { step: 1 })])).toMatchObject({
      outcome: 'completed',
      syncType: 'full',
      deletionTracked: 1,
    })
    expect(ids(id).at(-1)).toBe('-a')
  })

  it('stops at what a program means to stop at', async () => {
    const rules = {
      default: [
        ['if', ['eq', '_S.v', 2], ['fail!', 'stop']],
        ['copy', '*'],
      ],
    }
    const { run } = intoDataset(KEEPING, { transform: { type: 'dtl', rules } })
    expect(await run([one('a', 1), one('b', 2)])).toMatchObject({ outcome: 'failed', code: 'fail', pending: 0 })
  })
})

describe('a source that fails', () => {
  /** Fails before the batches at these places, so often. */
  const failing = (pipe: Pipe, source: readonly Json[], failures: Map<number, number>): Pipe =>
    chronological(pipe, source, (at) => {
      const left = failures.get(at) ?? 0
      failures.set(at, left - 1)
      if (left > 0) throw new Error(`no batch at ${at}`)
    })

  const read = (pump: Json, failures: Map<number, number>) => {
    const { id, target, pipe } = piped(pump)
    const source = [1, 2, 3, 4, 5, 6].map((v) => one(`e${v}`, v))
    const run = () =>
      runPipe(
        writingTo(target, failing(pipe, source, failures)),
        portsOf(writer, log),
        { kind: 'incremental' },
        new AbortController().signal,
      )
    return { id, target, run }
  }

  it('is read on from where it was, as often as it may, from each new place', async () => {
    const { id, target, run } = read(
      { max_read_retries: 2 },
      new Map([
        [0, 2],
        [3, 2],
      ]),
    )
    expect(await run()).toMatchObject({ outcome: 'completed', read: 6, isLogged: true })
    expect(target.requests).toHaveLength(2)
    expect(entriesOf(id).at(-1)).toMatchObject({ metrics: { entities: { read_errors_last_run: 4 } } })
  })

  it('ends the run when it failed too often, and the log tells of it', async () => {
    const { id, run } = read({ max_read_retries: 1 }, new Map([[3, 2]]))
    expect(await run()).toMatchObject({ outcome: 'failed', read: 3, message: 'no batch at 3' })
    expect(entriesOf(id).map(({ event_type }) => event_type)).toEqual(['pump-started', 'read-error', 'pump-failed'])
    expect(entriesOf(id)[1]).toMatchObject({
      _id: expect.stringMatching(/^read-error:uuid/),
      error_code: 1,
      original_error_message: 'no batch at 3',
      event_time: expect.any(String),
    })
  })
})

it('a batch that takes too long for each of its entities makes the run fail, and the first of it is told', async () => {
  const rules = {
    default: [
      ['sleep!', 1],
      ['copy', '*'],
    ],
  }
  const { run, entries } = piped({ max_seconds_per_entity: 0.1 }, { transform: { type: 'dtl', rules } })
  expect(await run([one('a', 1), one('b', 1)])).toMatchObject({ outcome: 'failed', code: 'too-slow' })
  expect(entries('pump-failed')).toMatchObject([{ exception_entity: { _id: 'a' } }])
})

it('a run that waits before it tries again is stopped at once', async () => {
  const { target, run } = piped({ ...KEEPING, batch_retries: 1, write_retry_delay: 600 })
  target.refuses = () => 500
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 50)
  expect(await run([one('a', 1)], 'incremental', stop)).toMatchObject({ outcome: 'interrupted' })
})
