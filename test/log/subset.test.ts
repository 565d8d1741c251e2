import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { keysIn, openForReading } from '../../src/log/environment.ts'
import { fillIndex } from '../../src/log/fill.ts'
import { get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { bytes, commitTo, openedLog, reading, write } from './sample.ts'

interface Given {
  readonly _id: string
  readonly k: readonly string[]
  readonly _deleted: boolean
  readonly v: number
}

const LONG = 'l'.repeat(700)
const ids = ['a', 'b', 'c', 'd', `e${LONG}`]
const keys = ['x', 'y', LONG]
const given = fc.record({
  _id: fc.constantFrom(...ids),
  k: fc.subarray(keys),
  _deleted: fc.boolean(),
  v: fc.integer({ min: 0, max: 3 }),
})
const keysOf = (index: number) => (one: Readonly<Record<string, unknown>>) =>
  [[index, (one.k as string[]).map(bytes)]] as const
const inOf = (index: number) => ({ indexSet: 1, keysOf: keysOf(index) })

/** What the feed of a key is, told from all versions. */
function modelOf(log: readonly Version[], key: string) {
  const has = ({ deleted, body }: Version) =>
    !deleted && (JSON.parse(Buffer.from(body).toString()) as Given).k.includes(key)
  const events: { id: string; sequence: number; deleted: boolean }[] = []
  for (const id of ids) {
    const versions = log.filter((version) => version.id === id)
    const last = versions.findLastIndex(has)
    if (last < 0) continue
    const gone = versions[last + 1]
    const { sequence } = gone ?? (versions[last] as Version)
    events.push({ id, sequence, deleted: gone !== undefined })
  }
  return events.sort((a, b) => a.sequence - b.sequence)
}

const seen = (versions: Iterable<Version>) =>
  [...versions].map(({ id, sequence, deleted }) => ({ id, sequence, deleted }))
const copies = (view: DatasetView) =>
  [...view.changes(null)].map((version) => ({ ...version, body: Uint8Array.from(version.body) }))

describe('a subset', () => {
  it('is the feed that the log tells, listed or walked, forwards and backwards, from anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(given, { minLength: 1, maxLength: 8 }), { maxLength: 8 }), async (batches) => {
        const { writer, log } = await openedLog()
        const { number: index } = await writer.assertIndex('d', 'k', '', { feeds: true })
        for (const batch of batches) await commitTo(writer, write('d', batch, inOf(index)))
        reading(log, (snapshot) => {
          const view = snapshot.dataset('d') as DatasetView
          const all = copies(view)
          for (const key of keys) {
            const part = { index, key: bytes(key) }
            const feed = modelOf(all, key)
            const inside = feed.filter(({ deleted }) => !deleted).map(({ sequence }) => sequence)
            for (const since of [null, 0, 1, 3, all.length - 1]) {
              const after = feed.filter(({ sequence }) => since === null || sequence > since)
              const before = feed.filter(({ sequence }) => since === null || sequence < since).reverse()
              const listed = { members: Float64Array.from(inside) }
              const backwards = { reverse: true, members: Float64Array.from(inside).reverse() }
              for (const options of [{}, { members: null }, listed]) {
                expect(seen(view.subset(part, since, options))).toEqual(after)
                const some = view.subset(part, since, { ...options, to: 5 })
                expect(seen(some)).toEqual(after.filter(({ sequence }) => sequence <= 5))
              }
              for (const options of [{ reverse: true }, { reverse: true, members: null }, backwards]) {
                expect(seen(view.subset(part, since, options))).toEqual(before)
                const some = view.subset(part, since, { ...options, to: 2 })
                expect(seen(some)).toEqual(before.filter(({ sequence }) => sequence >= 2))
              }
            }
          }
        })
      }),
      { numRuns: 40 },
    )
  })

  it('keeps a follower, who reads now and then, at what is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(given, fc.boolean()), { maxLength: 40 }), async (steps) => {
        const { writer, log } = await openedLog()
        const { number: index } = await writer.assertIndex('d', 'k', '', { feeds: true })
        const part = { index, key: bytes('x') }
        const held = new Map<string, number>()
        let at: number | null = null
        const follow = () =>
          reading(log, (snapshot) => {
            const view = snapshot.dataset('d') as DatasetView
            for (const { id, sequence, deleted } of view.subset(part, at)) {
              // What was never there is not taken away.
              if (deleted) held.delete(id)
              else held.set(id, sequence)
            }
            at = view.counts().end - 1
            expect([...held.keys()].sort()).toEqual([...view.lookup(index, part.key)].sort())
          })
        for (const [one, isRead] of steps) {
          await commitTo(writer, write('d', [one], inOf(index)))
          if (isRead) follow()
        }
        follow()
      }),
      { numRuns: 30 },
    )
  })

  it('is read without the rest of the dataset: what was not listed is not looked at', async () => {
    const { writer, log } = await openedLog()
    const { number: index } = await writer.assertIndex('d', 'k', '', { feeds: true })
    for (let batch = 0; batch < 20; batch++) {
      const some = Array.from({ length: 1_000 }, (_, i) => ({
        _id: `e${batch}-${i}`,
        k: [i === 0 ? 'x' : 'y'],
        v: 'v'.repeat(100),
      }))
      await commitTo(writer, write('d', some, inOf(index)))
    }
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d') as DatasetView
      const members = view.subsetMembers({ index, key: bytes('x') }, null)
      expect(members).toEqual(Float64Array.from({ length: 20 }, (_, batch) => 1_000 * batch))
      // Nearly all of it is quicker to walk.
      expect(view.subsetMembers({ index, key: bytes('y') }, null)).toBeNull()
      // And so is the little that came since the last time.
      expect(view.subsetMembers({ index, key: bytes('x') }, 19_999 - 10)).toBeNull()
      // The best of several, since others use this machine.
      const time = (read: () => unknown) =>
        Math.min(
          ...Array.from({ length: 5 }, () => {
            const start = performance.now()
            read()
            return performance.now() - start
          }),
        )
      const listed = time(() => [...view.subset({ index, key: bytes('x') }, null)])
      const walked = time(() => [...view.subset({ index, key: bytes('x') }, null, { members: null })])
      expect(listed).toBeLessThan(walked / 3)
    })
  })

  it('tells the newest content of who left it, when that version is gone', async () => {
    const { writer, log } = await openedLog()
    const { number: index } = await writer.assertIndex('d', 'k', '', { feeds: true })
    for (const [k, v] of [
      ['x', 1],
      ['y', 2],
      ['y', 3],
      ['y', 4],
    ] as const) {
      await commitTo(writer, write('d', [{ _id: 'a', k: [k], v }], inOf(index)))
    }
    const feed = () =>
      reading(log, (snapshot) =>
        [...(snapshot.dataset('d') as DatasetView).subset({ index, key: bytes('x') }, 0)].map(
          ({ sequence, deleted, body }) => [sequence, deleted, (JSON.parse(Buffer.from(body).toString()) as Given).v],
        ),
      )
    expect(feed()).toEqual([[1, true, 2]])
    const { generation } = reading(log, (snapshot) => (snapshot.dataset('d') as DatasetView).document)
    await writer.remove({ dataset: 'd', generation, blocks: [0, 1, 2].map((one) => [one, [one]] as const), ids: [] })
    expect(feed()).toEqual([[1, true, 4]])
    // With the last of an id goes what is noted of it.
    await writer.remove({ dataset: 'd', generation, blocks: [[3, [3]]], ids: [3] })
    expect(feed()).toEqual([])
  })

  it('forgets the keys of an erased entity but those it has, so that readers hear of it, and these when it is gone', async () => {
    const { writer, log, path } = await openedLog()
    const { number: index } = await writer.assertIndex('d', 'k', '', { feeds: true })
    for (const k of ['secret', 'x']) await commitTo(writer, write('d', [{ _id: 'a', k: [k] }], inOf(index)))
    await commitTo(writer, write('d', [{ _id: 'a', k: [], _deleted: true }], { ...inOf(index), erases: true }))
    const feed = (key: string) =>
      reading(log, (snapshot) => seen((snapshot.dataset('d') as DatasetView).subset({ index, key: bytes(key) }, null)))
    expect(feed('secret')).toEqual([])
    expect(feed('x')).toEqual([{ id: 'a', sequence: 2, deleted: true }])
    const { generation } = reading(log, (snapshot) => (snapshot.dataset('d') as DatasetView).document)
    const blocks = [0, 1, 2].map((one) => [one, [one]] as const)
    await writer.remove({ dataset: 'd', generation, blocks, ids: [2] })
    const environment = openForReading(path)
    expect(keysIn(environment.tables.left, { start: Buffer.from([0]) })).toEqual([])
    await environment.close()
  })

  it('forgets who left it when its index is removed, and knows only later ones when it is made again', async () => {
    const { writer, log } = await openedLog()
    const { number: first } = await writer.assertIndex('d', 'k', '', { feeds: true })
    const some = (k: string) => Array.from({ length: 50 }, (_, i) => ({ _id: `e${i}`, k: [k] }))
    await commitTo(writer, write('d', some('x'), inOf(first)))
    await commitTo(writer, write('d', some('y'), inOf(first)))
    await writer.deleteIndex('d', first)
    await fillIndex(writer, log, 'd', 'k', (one: Entity) => (get(one, 'k') as string[]).map(bytes), { feeds: true })
    const { number, indexSet } = reading(log, (snapshot) => {
      const { document } = snapshot.dataset('d') as DatasetView
      return { number: document.indexes[0]?.number as number, indexSet: document.indexSet }
    })
    expect(number).not.toBe(first)
    await commitTo(writer, write('d', [{ _id: 'e0', k: ['x'] }], { indexSet, keysOf: keysOf(number) }))
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d') as DatasetView
      expect(seen(view.subset({ index: number, key: bytes('x') }, null))).toEqual([
        { id: 'e0', sequence: 100, deleted: false },
      ])
      expect(seen(view.subset({ index: number, key: bytes('y') }, null)).at(-1)).toEqual({
        id: 'e0',
        sequence: 100,
        deleted: true,
      })
    })
  })
})

describe('an index that no subset is read from', () => {
  const left = async (path: string) => {
    const environment = openForReading(path)
    const rows = keysIn(environment.tables.left, { start: Buffer.from([0]) }).length
    await environment.close()
    return rows
  }
  const some = (k: string) => Array.from({ length: 20 }, (_, i) => ({ _id: `e${i}`, k: [k] }))

  it('leaves no rows behind, however often entities are replaced', async () => {
    const { writer, path } = await openedLog()
    const { number: index, feedsSince } = await writer.assertIndex('d', 'k', '')
    expect(feedsSince).toBeNull()
    for (let round = 0; round < 10; round++) await commitTo(writer, write('d', some(`${round}`), inOf(index)))
    await commitTo(
      writer,
      write(
        'd',
        some('gone').map((one) => ({ ...one, _deleted: true })),
        inOf(index),
      ),
    )
    expect(await left(path)).toBe(0)
  })

  it('notes who leaves from the moment on that somebody asks for it, and goes on with it', async () => {
    const { writer, log, path } = await openedLog()
    const { number: index } = await writer.assertIndex('d', 'k', '')
    for (const k of ['x', 'y']) await commitTo(writer, write('d', some(k), inOf(index)))
    expect(await writer.assertIndex('d', 'k', '', { feeds: true })).toMatchObject({ number: index, feedsSince: 40 })
    await commitTo(writer, write('d', some('z'), inOf(index)))
    expect(await writer.assertIndex('d', 'k', '')).toMatchObject({ feedsSince: 40 })
    expect(await writer.assertIndex('d', 'k', '', { feeds: true })).toMatchObject({ feedsSince: 40 })
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d') as DatasetView
      expect(view.document.indexes[0]?.feedsSince).toBe(40)
      expect(seen(view.subset({ index, key: bytes('x') }, null))).toEqual([])
      expect(seen(view.subset({ index, key: bytes('y') }, 39))).toEqual(
        some('').map(({ _id }, i) => ({ id: _id, sequence: 40 + i, deleted: true })),
      )
    })
    expect(await left(path)).toBe(40)
  })

  it('is fed from the end of its fill on, since before that nobody knows all that was lost', async () => {
    const { writer, log } = await openedLog()
    await commitTo(writer, write('d', some('x')))
    const { number: index, feedsSince } = await writer.assertIndex('d', 'k', '', { feeds: true })
    expect(feedsSince).toBe(20)
    await commitTo(writer, write('d', some('y'), inOf(index)))
    const keysOf = (one: Entity) => (get(one, 'k') as string[]).map(bytes)
    await fillIndex(writer, log, 'd', 'k', keysOf, { feeds: true })
    reading(log, (snapshot) => expect(snapshot.dataset('d')?.document.indexes[0]?.feedsSince).toBe(40))
  })
})

describe('a lookup by pages', () => {
  it('gives what a lookup gives, and goes on in another snapshot', async () => {
    const { writer, log } = await openedLog()
    const { number: index } = await writer.assertIndex('d', 'k', '', { feeds: true })
    const many = Array.from({ length: 2_345 }, (_, i) => ({ _id: `e${i}`, k: ['x'] }))
    await commitTo(writer, write('d', [...many, { _id: 'other', k: ['y'] }], inOf(index)))
    const whole = reading(log, (snapshot) => snapshot.dataset('d')?.lookup(index, bytes('x'))) as string[]
    const pages = reading(log, (snapshot) => [...(snapshot.dataset('d') as DatasetView).lookupPages(index, bytes('x'))])
    expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 345])
    expect(pages.flat()).toEqual(whole)
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const page = reading(log, (snapshot) => {
        const options = after === undefined ? { size: 500 } : { size: 500, after }
        const [first] = (snapshot.dataset('d') as DatasetView).lookupPages(index, bytes('x'), options)
        return first
      })
      if (page === undefined) break
      found.push(...page)
      after = page.at(-1)
      await commitTo(writer, write('d', [{ _id: `later-${found.length}`, k: ['y'] }], inOf(index)))
    }
    expect(found).toEqual(whole)
  })

  it('gives the deleted when they are asked for', async () => {
    const { writer, log } = await openedLog()
    const { number: index } = await writer.assertIndex('d', 'k', '', {})
    const many = ['a', 'b', 'c'].map((_id) => ({ _id, k: ['x'], _deleted: _id !== 'b' }))
    await commitTo(writer, write('d', many, inOf(index)))
    const pages = (deleted: boolean) =>
      reading(log, (snapshot) => [
        ...(snapshot.dataset('d') as DatasetView).lookupPages(index, bytes('x'), { deleted, size: 1 }),
      ])
    expect(pages(true)).toEqual([['a'], ['c']])
    expect(pages(false)).toEqual([['b']])
  })
})

describe('versions at certain places', () => {
  it('are those that are there, in any blocks', async () => {
    const { writer, log } = await openedLog()
    const many = Array.from({ length: 1_000 }, (_, i) => ({ _id: `e${i}`, k: ['x'.repeat(20)] }))
    await commitTo(writer, write('d', many))
    const ids = reading(log, (snapshot) => {
      const places = [0, 1, 400, 999, 1_000, 5_000]
      return [...(snapshot.dataset('d') as DatasetView).versionsAt(places)].map(({ id }) => id)
    })
    expect(ids).toEqual(['e0', 'e1', 'e400', 'e999'])
  })
})
