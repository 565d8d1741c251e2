import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogReader } from '../../src/log/reader.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import { Receiver } from '../../src/pipes/receiver.ts'
import { type OpenedLog, openedLog, reading, write } from '../log/sample.ts'
import { chronological, pipeOf, portsOf } from './running-pipe.ts'

type Json = Readonly<Record<string, unknown>>
const never = new AbortController().signal
const tracking = (more: Json = {}, sink: Json = { track_children: true }): Pipe =>
  pipeOf({
    _id: 'p',
    source: { type: 'embedded', entities: [] },
    sink: { type: 'dataset', dataset: 'd', ...sink },
    batch_size: 1,
    ...more,
  })
const child = (id: string, n = 1): Json => ({ _id: id, n })
const parent = (...children: unknown[]): Json => ({ _id: 'p', $children: children })

async function run({ writer, log }: OpenedLog, pipe: Pipe, versions: readonly Json[], rescan = true): Promise<void> {
  const report = await runPipe(
    chronological(pipe, versions),
    portsOf(writer, log),
    { kind: rescan ? 'rescan' : 'incremental' },
    never,
  )
  expect(report).toMatchObject({ outcome: 'completed' })
}

function bodies(log: LogReader): { deleted: boolean; children: unknown }[] {
  return reading(log, (snapshot) =>
    [...(snapshot.dataset('d')?.changes(null) ?? [])]
      .filter(({ id }) => id === 'p')
      .map(({ deleted, body }) => ({ deleted, children: JSON.parse(Buffer.from(body).toString()).$children })),
  )
}
const last = (log: LogReader) => bodies(log).at(-1)
const gone = (id: string, n = 1): Json => ({ _id: id, n, _deleted: true })

describe('a child that an entity no longer has', () => {
  it('stays among its children, deleted, with the content it had, and so it remains', async () => {
    const opened = await openedLog()
    await run(opened, tracking(), [parent(child('a'), child('b'))])
    await run(opened, tracking(), [parent(child('b'))])
    expect(last(opened.log)).toEqual({ deleted: false, children: [child('b'), gone('a')] })
    // The same again is the same version, and later changes keep it.
    await run(opened, tracking(), [parent(child('b'))])
    expect(bodies(opened.log)).toHaveLength(2)
    await run(opened, tracking(), [parent(child('c'))])
    expect(last(opened.log)?.children).toEqual([child('c'), gone('b'), gone('a')])
  })

  it('is a child again when it comes back', async () => {
    const opened = await openedLog()
    await run(opened, tracking(), [parent(child('a'))])
    await run(opened, tracking(), [{ _id: 'p' }])
    expect(last(opened.log)?.children).toEqual([gone('a')])
    await run(opened, tracking(), [parent(child('a', 2))])
    expect(last(opened.log)?.children).toEqual([child('a', 2)])
  })

  it('is compared by its _id, and what has none is nobody', async () => {
    const opened = await openedLog()
    await run(opened, tracking(), [parent({ n: 1 }, 'text', child('a'))])
    await run(opened, tracking(), [{ _id: 'p', $children: child('a', 2) }])
    expect(last(opened.log)?.children).toEqual(child('a', 2))
    await run(opened, tracking(), [{ _id: 'p', $children: null }])
    expect(last(opened.log)?.children).toEqual([gone('a', 2)])
  })

  it('goes when nobody tracks it', async () => {
    const opened = await openedLog()
    const pipe = tracking({}, {})
    await run(opened, pipe, [parent(child('a'), child('b'))])
    await run(opened, pipe, [parent(child('b'))])
    expect(last(opened.log)?.children).toEqual([child('b')])
  })
})

describe('of a deleted entity', () => {
  const versions: readonly (readonly [string, Json])[] = [
    ['that is sent without content', { _id: 'p', _deleted: true }],
    ['that is sent with its children', { ...parent(child('a'), child('b')), _deleted: true }],
    ['that is filtered', { ...parent(child('a'), child('b')), _filtered: true }],
  ]
  it.each(versions)('%s all children are deleted', async (_, version) => {
    const opened = await openedLog()
    await run(opened, tracking(), [parent(child('a'), child('b'))])
    await run(opened, tracking(), [version])
    expect(last(opened.log)).toEqual({ deleted: true, children: [gone('a'), gone('b')] })
  })

  it('that a full run no longer brought all children are deleted', async () => {
    const opened = await openedLog()
    await run(opened, tracking(), [parent(child('a')), { _id: 'q' }])
    await run(opened, tracking(), [{ _id: 'q' }])
    expect(last(opened.log)).toEqual({ deleted: true, children: [gone('a')] })
  })
})

describe('what it is compared with', () => {
  it('is the version before, also while that is on its way, in the same batch or another', async () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd')
    const version = fc.uniqueArray(id, { maxLength: 4 })
    const opened = await openedLog()
    await fc.assert(
      fc.asyncProperty(
        fc.array(version, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (all, size) => {
          await opened.writer.deleteDataset('d')
          await opened.writer.commit({ offsets: [['source:p', null]] })
          const pipe = tracking({ batch_size: size })
          await run(
            opened,
            pipe,
            all.map((ids) => parent(...ids.map((one) => child(one)))),
          )
          const ever = new Set(all.flat())
          const now = new Set<string>(all.at(-1))
          const found = (last(opened.log)?.children ?? []) as { _id: string; _deleted?: boolean }[]
          expect(new Set(found.map(({ _id }) => _id))).toEqual(ever)
          for (const { _id, _deleted } of found) expect(_deleted === true).toBe(!now.has(_id))
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: 30_000 },
    )
  }, 60_000)

  it('is the newest version, whoever wrote it: requests that arrive together lose no child', async () => {
    const opened = await openedLog()
    const pipe = pipeOf({
      _id: 'p',
      source: { type: 'http_endpoint' },
      sink: { type: 'dataset', dataset: 'd', track_children: true },
    })
    const receiver = new Receiver(pipe, portsOf(opened.writer, opened.log))
    const ids = Array.from({ length: 20 }, (_, i) => `c${i}`)
    const push = { isFull: false, isFirst: false, isLast: false }
    await Promise.all(ids.map((one) => receiver.take(Buffer.from(JSON.stringify([parent(child(one))])), push)))
    const children = last(opened.log)?.children as { _id: string; _deleted?: boolean }[]
    expect(children.map(({ _id }) => _id).sort()).toEqual([...ids].sort())
    expect(children.filter(({ _deleted }) => _deleted !== true)).toHaveLength(1)
  })

  it('is read again when somebody else was quicker', async () => {
    const opened = await openedLog()
    await opened.writer.commit({ writes: [write('d', [parent(child('a'))])] })
    let isFirst = true
    const journal = new Proxy(opened.writer, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (name !== 'commit') return typeof member === 'function' ? member.bind(target) : member
        return async (commit: Parameters<typeof target.commit>[0]) => {
          if (isFirst && commit.writes?.length) {
            isFirst = false
            await target.commit({ writes: [write('d', [parent(child('x'))])] })
          }
          return target.commit(commit)
        }
      },
    })
    const pipe = chronological(tracking(), [parent(child('b'))])
    expect(await runPipe(pipe, portsOf(journal, opened.log), { kind: 'incremental' }, never)).toMatchObject({
      changes: 1,
    })
    expect(last(opened.log)?.children).toEqual([child('b'), gone('x')])
  })
})

it('is on when a transform creates children, unless the sink says otherwise', () => {
  const transform = {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '*'],
        ['create-child', '_S.lines'],
      ],
    },
  }
  const tracks = (pipe: Pipe) => pipe.sink.kind === 'dataset' && pipe.sink.tracksChildren
  expect(tracks(tracking({ transform }, {}))).toBe(true)
  expect(tracks(tracking({ transform }, { track_children: false }))).toBe(false)
  expect(tracks(tracking({}, {}))).toBe(false)
})
