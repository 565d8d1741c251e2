import { describe, expect, it } from 'vitest'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import { storedSchema } from '../../../src/pipes/schema/pipe-schema.ts'
import { PipeSchemas } from '../../../src/pipes/schema/pipe-schemas.ts'
import { stateOf } from '../../../src/pipes/schema/type-state.ts'
import { type OpenedLog, openedLog, reading } from '../../log/sample.ts'
import { chronological, killedAfter, pipeOf, portsOf } from '../running-pipe.ts'

const never = new AbortController().signal
const person = (at: number) => ({ _id: `e${at}`, name: `n${at}`, ...(at % 3 === 0 ? { age: at } : {}) })
const many = (count: number) => Array.from({ length: count }, (_, at) => person(at))
const config = (more: object = {}) => ({
  _id: 'p',
  source: { type: 'embedded', entities: [] },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '_id'],
        ['add', 'is', true],
      ],
    },
  },
  sink: { type: 'dataset', dataset: 'd' },
  batch_size: 2,
  ...more,
})

const run = ({ writer, log }: OpenedLog, pipe: Pipe, commits = Number.POSITIVE_INFINITY, known?: PipeSchemas) => {
  const journal = killedAfter(writer, commits)
  const schemas = known ?? new PipeSchemas(log, (state) => journal.commit({ state }))
  return runPipe(pipe, portsOf(journal, log, { schemas }), { kind: 'incremental' }, never)
}
const known = ({ log }: OpenedLog, pipe = 'p') => reading(log, (snapshot) => storedSchema(pipe, snapshot))
const counted = (opened: OpenedLog) => {
  const types = known(opened)
  return types && { read: types.source.count, written: types.sink.count }
}

describe('what a pipe’s entities look like', () => {
  it('is counted for what it reads and for what it hands to its sink', async () => {
    const opened = await openedLog()
    await run(opened, chronological(pipeOf(config()), many(5)))
    const { source, sink } = known(opened) as NonNullable<ReturnType<typeof known>>
    expect([...source.root.properties.values()].map(({ name, count }) => [name, count])).toEqual([
      ['name', 5],
      ['age', 2],
    ])
    expect([...sink.root.properties.values()].map(({ name, count }) => [name, count])).toEqual([['is', 5]])
    expect(source.count).toBe(5)
  })

  it('is stored together with what it was counted of, whichever commit a kill falls on', async () => {
    for (let commits = 0; commits < 8; commits++) {
      const opened = await openedLog()
      const pipe = chronological(pipeOf(config()), many(9))
      await run(opened, pipe, commits)
      const offset = reading(opened.log, (snapshot) => snapshot.offset(sourceOffset('p')))
      const stored = offset === undefined ? undefined : Number(offset) + 1
      expect(counted(opened), `after ${commits} commits`).toEqual(stored && { read: stored, written: stored })
      await run(opened, pipe)
      expect(counted(opened)).toEqual({ read: 9, written: 9 })
    }
  })

  it('is one for both sides while a pipe hands on what it read, and two from then on', async () => {
    const opened = await openedLog()
    const copying = pipeOf(config({ transform: undefined }))
    await run(opened, chronological(copying, many(4)))
    const names = (side: 'source' | 'sink') =>
      [...(known(opened)?.[side].root.properties.values() ?? [])].map(({ name, count }) => [name, count])
    expect(names('sink')).toEqual([
      ['name', 4],
      ['age', 2],
    ])
    await run(opened, chronological(pipeOf(config()), many(6)))
    expect(counted(opened)).toEqual({ read: 6, written: 6 })
    expect(names('source')).toEqual([
      ['name', 6],
      ['age', 2],
    ])
    expect(names('sink')).toEqual([
      ['name', 4],
      ['age', 2],
      ['is', 2],
    ])
  })

  it('goes on in the next run, on a thread that knows it and on one that does not', async () => {
    const opened = await openedLog()
    const pipe = pipeOf(config())
    const here = new PipeSchemas(opened.log, (state) => opened.writer.commit({ state }))
    await run(opened, chronological(pipe, many(4)), Number.POSITIVE_INFINITY, here)
    await run(opened, chronological(pipe, many(6)), Number.POSITIVE_INFINITY, here)
    await run(opened, chronological(pipe, many(8)))
    await run(opened, chronological(pipe, many(9)), Number.POSITIVE_INFINITY, here)
    expect(counted(opened)).toEqual({ read: 9, written: 9 })
  })

  it('counts each entity once, also where some are refused and are retried', async () => {
    const opened = await openedLog()
    const pump = { max_write_errors_in_retry_dataset: 10, max_consecutive_write_errors: 10, write_retry_delay: 0 }
    const transform = { type: 'dtl', rules: { default: [['copy', '*']] } }
    const sink = { type: 'dataset', dataset: 'd', max_entity_bytes_size: 60 }
    const all = many(8).map((one, at) => (at === 3 ? { ...one, name: 'x'.repeat(80) } : one))
    const pipe = chronological(pipeOf(config({ pump, transform, sink, batch_size: 4 })), all)
    expect(await run(opened, pipe)).toMatchObject({ outcome: 'completed', pending: 1 })
    expect(counted(opened)).toEqual({ read: 8, written: 7 })
  })

  it('is truncated and left alone where it grows too large, and the pipe goes on', async () => {
    const opened = await openedLog()
    const wide = Array.from({ length: 6 }, (_, at) => ({
      _id: `w${at}`,
      ...Object.fromEntries(Array.from({ length: 300 }, (_, place) => [`p${at * 300 + place}`, 1])),
    }))
    expect(await run(opened, chronological(pipeOf(config()), wide))).toMatchObject({ outcome: 'completed', written: 6 })
    const types = known(opened) as NonNullable<ReturnType<typeof known>>
    expect(types.source.isTruncated).toBe(true)
    const before = JSON.stringify(stateOf(types.sink))
    await run(opened, chronological(pipeOf(config()), [...wide, ...many(2)]))
    expect(JSON.stringify(stateOf((known(opened) as NonNullable<ReturnType<typeof known>>).sink))).toBe(before)
  })

  it('is forgotten, also what is on its way to be stored, and begins anew', async () => {
    const opened = await openedLog()
    const here = new PipeSchemas(opened.log, (state) => opened.writer.commit({ state }))
    const pipe = pipeOf(config())
    const during = chronological(pipe, many(8), (at) => {
      // In the midst of a run, while the commit before is on its way.
      if (at === 4) void here.discard('p')
    })
    await run(opened, during, Number.POSITIVE_INFINITY, here)
    expect(counted(opened)).toEqual({ read: 4, written: 4 })
    await here.discard('p')
    expect(counted(opened)).toBeUndefined()
    await run(opened, chronological(pipe, many(9)), Number.POSITIVE_INFINITY, here)
    expect(counted(opened)).toEqual({ read: 1, written: 1 })
  })

  it('keeps no samples after an erasure, and takes new ones of later entities', async () => {
    const opened = await openedLog()
    const here = new PipeSchemas(opened.log, (state) => opened.writer.commit({ state }))
    const pipe = pipeOf(config())
    await run(opened, chronological(pipe, many(2)), Number.POSITIVE_INFINITY, here)
    const samples = () => known(opened)?.source.root.properties.values().next().value?.value.samples
    expect(samples()).toEqual(['"n0"', '"n1"'])
    await here.forgetSamples('p')
    expect(samples()).toEqual([])
    await run(opened, chronological(pipe, many(6)), Number.POSITIVE_INFINITY, here)
    expect(samples()).toEqual([])
    await run(opened, chronological(pipe, many(7)), Number.POSITIVE_INFINITY, here)
    expect(samples()).toEqual(['"n6"'])
    expect(counted(opened)).toEqual({ read: 7, written: 7 })
  })
})
