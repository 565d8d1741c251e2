/** What every journal does, whatever is behind it: commits with expectations go in, versions come out, and others hear of it. */

import { describe, expect, it } from 'vitest'
import { type Feed, type Journal, NOT_THERE, type Version, type Write } from '../../src/log/contract.ts'
import { exposeStaged } from '../../src/log/expose.ts'
import { fillIndex } from '../../src/log/fill.ts'
import type { LogReader } from '../../src/log/reader.ts'
import { packStamps } from '../../src/log/stamps.ts'
import { get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { bytes, commitTo, reading, write } from '../log/sample.ts'

export interface OpenedJournal {
  readonly journal: Journal
  readonly log: LogReader
  readonly feed: Feed
  /** The journal as it is after its process died and was started again. */
  reopen(): Promise<OpenedJournal>
}

/** `open` gives an empty journal that is closed after the test. */
export function journalContract(name: string, open: () => Promise<OpenedJournal>): void {
  /** With a dataset `d`. */
  const opened = async (): Promise<OpenedJournal> => {
    const all = await open()
    await all.journal.assertDataset('d')
    return all
  }

  describe(name, () => {
    describe('a removal', () => {
      it('takes versions away for good, tells how far it came, and never takes the newest of an id', async () => {
        const first = await opened()
        const { journal } = first
        for (const v of [1, 2, 3]) await commitTo(journal, write('d', [{ _id: 'a', v }, { _id: 'b' }]))
        const { generation } = await journal.assertDataset('d')
        const removal = { dataset: 'd', generation, ids: [] }
        const wrong = journal.remove({ ...removal, blocks: [[0, [0, 1]]] })
        await expect(wrong).rejects.toMatchObject({ code: 'newest-version' })
        expect(versionsOf(first.log)).toEqual(['a0', 'b1', 'a2<0', 'a3<2'])
        const removed = await journal.remove({ ...removal, blocks: [[0, [0]]], position: 'here' })
        expect(removed).toEqual({ versions: 1, blocks: 1 })
        const { log } = await first.reopen()
        expect(versionsOf(log)).toEqual(['b1', 'a2<0', 'a3<2'])
        expect(reading(log, (snapshot) => snapshot.dataset('d')?.compacted())).toBe('here')
      })
    })

    describe('a commit', () => {
      it('appends what changed, and answers how much that was and where the dataset ends', async () => {
        const { journal, log } = await opened()
        const batch = () => write('d', [{ _id: 'a', v: 1 }, { _id: 'b' }, { _id: 'a', v: 2 }])
        expect(await commitTo(journal, batch())).toEqual({ writes: [{ written: 3, seen: 3, end: 3 }] })
        expect(await commitTo(journal, write('d', [{ _id: 'a', v: 2 }]))).toEqual({
          writes: [{ written: 0, seen: 1, end: 3 }],
        })
        expect(versionsOf(log)).toEqual(['a0', 'b1', 'a2<0'])
      })

      it('is one: entities, offsets, documents and state are all there or none of them', async () => {
        const { journal, log } = await opened()
        const all = {
          writes: [write('d', [{ _id: 'a' }])],
          offsets: [['source:p', '1']],
          meta: [['m', '1']],
          state: [[bytes('s'), bytes('1')]],
          populated: [['d', true]],
        } as const
        const bad = { ...all, writes: [write('d', [{ _id: 'a' }]), write('nowhere', [{ _id: 'a' }])] }
        await expect(journal.commit(bad)).rejects.toMatchObject({ code: 'unknown-dataset' })
        const what = () =>
          reading(log, (snapshot) => [
            snapshot.dataset('d')?.counts().end,
            snapshot.offset('source:p'),
            snapshot.meta('m'),
            snapshot.state(bytes('s'))?.length,
            snapshot.dataset('d')?.document.populated,
          ])
        expect(what()).toEqual([0, undefined, undefined, undefined, false])
        await journal.commit(all)
        expect(what()).toEqual([1, '1', '1', 1, true])
      })

      it('that was answered is there after the process died', async () => {
        const first = await opened()
        await first.journal.commit({ writes: [write('d', [{ _id: 'a' }])], offsets: [['source:p', '7']] })
        const { log, journal } = await first.reopen()
        expect(versionsOf(log)).toEqual(['a0'])
        expect(reading(log, (snapshot) => snapshot.offset('source:p'))).toBe('7')
        await commitTo(journal, write('d', [{ _id: 'b' }]))
        expect(versionsOf(log)).toEqual(['a0', 'b1'])
      })
    })

    describe('reading since', () => {
      it('gives what came after a sequence, all of it or the newest of each id, forwards or backwards', async () => {
        const { journal, log } = await opened()
        for (const v of [1, 2]) await commitTo(journal, write('d', [{ _id: 'a', v }, { _id: 'b' }, { _id: 'c', v }]))
        expect(versionsOf(log, { since: 1 })).toEqual(['c2', 'a3<0', 'c4<2'])
        expect(versionsOf(log, { since: null, history: false })).toEqual(['b1', 'a3<0', 'c4<2'])
        expect(versionsOf(log, { since: 3, reverse: true, limit: 2 })).toEqual(['c2', 'b1'])
        expect(versionsOf(log, { since: 4 })).toEqual([])
      })
    })

    describe('the feed', () => {
      it('tells of a commit that changed something, with the new end, and of no other', async () => {
        const { journal, feed } = await opened()
        const { number } = await journal.assertDataset('d')
        await commitTo(journal, write('d', [{ _id: 'a' }]))
        const seen = feed.commits()
        await commitTo(journal, write('d', [{ _id: 'a' }]))
        expect(await feed.changed(seen, 50)).toBe(seen)
        const heard = feed.changed(seen, 5_000)
        await commitTo(journal, write('d', [{ _id: 'b' }]))
        expect(await heard).toBeGreaterThan(seen)
        expect(feed.end(number)).toBe(2)
      })
    })

    describe('a run', () => {
      it('may commit until it is ended or replaced', async () => {
        const { journal } = await opened()
        const first = await journal.beginRun('p')
        const commit = (number: number) => journal.commit({ run: { pipe: 'p', number }, offsets: [['o', `${number}`]] })
        await commit(first)
        const second = await journal.beginRun('p')
        expect(second).toBeGreaterThan(first)
        await expect(commit(first)).rejects.toMatchObject({
          code: 'stale-run',
          details: { pipe: 'p', current: second },
        })
        await journal.endRun('p', first)
        await commit(second)
        await journal.endRun('p', second)
        await expect(commit(second)).rejects.toMatchObject({ code: 'stale-run' })
      })

      it('that was under way when the process died is stale, and the next has a greater number', async () => {
        const first = await opened()
        const number = await first.journal.beginRun('p')
        const { journal } = await first.reopen()
        await expect(journal.commit({ run: { pipe: 'p', number }, offsets: [['o', '1']] })).rejects.toMatchObject({
          code: 'stale-run',
        })
        expect(await journal.beginRun('p')).toBeGreaterThan(number)
      })
    })

    describe('indexes', () => {
      it('refuse a batch that was computed for another set of them', async () => {
        const { journal } = await opened()
        await journal.assertIndex('d', 'k', 'f')
        const batch = (indexSet: number) => write('d', [{ _id: 'a' }], { indexSet })
        await expect(commitTo(journal, batch(0))).rejects.toMatchObject({
          code: 'index-set-changed',
          details: { dataset: 'd', given: 0, current: 1 },
        })
        await commitTo(journal, batch(1))
      })

      it('hold what was there before them once they are filled', async () => {
        const { journal, log } = await opened()
        await commitTo(
          journal,
          write('d', [
            { _id: 'a', k: '1' },
            { _id: 'b', k: '2' },
          ]),
        )
        await fillIndex(journal, log, 'd', 'k', keyOf)
        expect(lookup(log, '1')).toEqual(['a'])
      })
    })

    describe('an entity that may have one version only', () => {
      it('refuses the whole commit when it would get a second one', async () => {
        const { journal, log } = await opened()
        const batch = (...entities: object[]) =>
          write('d', entities as Record<string, unknown>[], { secondVersions: 'refuse' })
        await commitTo(journal, batch({ _id: 'a', v: 1 }))
        for (const second of [
          { _id: 'a', v: 2 },
          { _id: 'a', v: 1, _deleted: true },
        ]) {
          await expect(commitTo(journal, batch({ _id: 'b' }, second))).rejects.toMatchObject({
            code: 'second-version',
            details: { dataset: 'd', entity: 'a', current: 0 },
          })
        }
        await expect(commitTo(journal, batch({ _id: 'b', v: 1 }, { _id: 'b', v: 2 }))).rejects.toMatchObject({
          code: 'second-version',
          details: { entity: 'b', current: null },
        })
        await commitTo(journal, batch({ _id: 'a', v: 1 }, { _id: 'c' }, { _id: 'c' }))
        expect(versionsOf(log)).toEqual(['a0', 'c1'])
      })

      it('keeps its first one when others are to be ignored', async () => {
        const { journal, log } = await opened()
        const batch = [{ _id: 'a', v: 1 }, { _id: 'a', v: 2 }, { _id: 'b' }]
        const { writes } = await commitTo(journal, write('d', batch, { secondVersions: 'ignore' }))
        expect(writes).toEqual([{ written: 2, seen: 3, end: 2 }])
        await commitTo(journal, write('d', [{ _id: 'b', _deleted: true }], { secondVersions: 'ignore' }))
        expect(versionsOf(log)).toEqual(['a0', 'b1'])
      })
    })

    describe('an entity that names the version it was made from', () => {
      it('is taken when that is the latest, and otherwise nothing of the commit is written', async () => {
        const { journal, log } = await opened()
        const batch = (entities: readonly Record<string, unknown>[], ...expected: number[]) =>
          write('d', entities, { expected: Float64Array.from(expected) })
        await commitTo(journal, batch([{ _id: 'a', v: 1 }], NOT_THERE))
        await commitTo(journal, batch([{ _id: 'b' }, { _id: 'a', v: 2 }], NOT_THERE, 0))
        const stale = [
          [0, 2],
          [7, 2],
          [NOT_THERE, 2],
          [Number.NaN, 2],
        ] as const
        for (const [expected, current] of stale) {
          await expect(
            commitTo(journal, batch([{ _id: 'c' }, { _id: 'a', v: 3 }], NOT_THERE, expected)),
          ).rejects.toMatchObject({
            code: 'stale-entity',
            details: { dataset: 'd', entity: 'a', expected: expected >= 0 ? expected : null, current },
          })
        }
        // Also what is equal, what is not there at all, and what comes twice.
        await expect(commitTo(journal, batch([{ _id: 'a', v: 2 }], 0))).rejects.toMatchObject({ code: 'stale-entity' })
        await expect(commitTo(journal, batch([{ _id: 'x' }], 0))).rejects.toMatchObject({ code: 'stale-entity' })
        await expect(
          commitTo(journal, batch([{ _id: 'x' }, { _id: 'x', v: 1 }], NOT_THERE, NOT_THERE)),
        ).rejects.toMatchObject({
          code: 'stale-entity',
        })
        expect(versionsOf(log)).toEqual(['a0', 'b1', 'a2<0'])
      })

      it('of two that were made from the same version, the first in wins', async () => {
        const { journal, log } = await opened()
        await commitTo(journal, write('d', [{ _id: 'a', v: 0 }]))
        const outcomes = await Promise.allSettled(
          [1, 2].map((v) => commitTo(journal, write('d', [{ _id: 'a', v }], { expected: Float64Array.of(0) }))),
        )
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
        expect(versionsOf(log)).toEqual(['a0', 'a1<0'])
      })
    })

    describe('an entity above the limit of its write', () => {
      it('refuses the commit by name, size and limit; at the limit it is taken', async () => {
        const { journal } = await opened()
        const sized = (length: number) => ({ _id: 'a', t: 'x'.repeat(length - '{"_id":"a","t":""}'.length) })
        const large = write('d', [{ _id: 'b' }, sized(101)], { maxEntityBytes: 100 })
        await expect(commitTo(journal, large)).rejects.toMatchObject({
          code: 'entity-too-large',
          details: { dataset: 'd', entity: 'a', bytes: 101, limit: 100 },
        })
        expect((await commitTo(journal, write('d', [sized(100)], { maxEntityBytes: 100 }))).writes).toEqual([
          { written: 1, seen: 1, end: 1 },
        ])
      })
    })

    it('appends an equal entity again when it is forced to', async () => {
      const { journal, log } = await opened()
      await commitTo(journal, write('d', [{ _id: 'a' }]))
      await commitTo(journal, write('d', [{ _id: 'a' }], { force: true, expected: Float64Array.of(0) }))
      expect(versionsOf(log)).toEqual(['a0', 'a1<0'])
      const hashes = reading(log, (snapshot) =>
        [...(snapshot.dataset('d')?.changes(null) ?? [])].map(({ hash }) => hash),
      )
      expect(new Set(hashes).size).toBe(1)
    })

    it('keeps in its document what a dataset was asserted with', async () => {
      const first = await opened()
      expect(await first.journal.assertDataset('d')).toMatchObject({ kind: 'normal', durable: false })
      expect(await first.journal.assertDataset('d', { durable: true })).toMatchObject({ durable: true })
      const { journal } = await first.reopen()
      expect(await journal.assertDataset('d')).toMatchObject({ durable: true })
    })

    describe('a replicated dataset', () => {
      const replica = async () => {
        const all = await open()
        await all.journal.assertDataset('d', { kind: 'replicated' })
        return all
      }
      const stamped = (...rows: readonly (readonly [sequence: number, previous: number | null, entity: object])[]) =>
        write(
          'd',
          rows.map(([, , entity]) => entity as Record<string, unknown>),
          { stamps: packStamps(rows.map(([sequence, previous]) => ({ sequence, previous, ts: 1_000 + sequence }))) },
        )

      it('keeps the places that another log gave its versions, gaps and all', async () => {
        const { journal, log } = await replica()
        const { writes } = await commitTo(
          journal,
          stamped([3, null, { _id: 'a', v: 1 }], [7, 1, { _id: 'b' }], [100_000, 3, { _id: 'a', v: 1 }]),
        )
        expect(writes).toEqual([{ written: 3, seen: 3, end: 100_001 }])
        await commitTo(journal, stamped([100_001, 7, { _id: 'b', _deleted: true }]))
        expect(versionsOf(log)).toEqual(['a3', 'b7<1', 'a100000<3', 'b100001<7'])
        expect(versionsOf(log, { since: 7, history: false })).toEqual(['a100000<3', 'b100001<7'])
        reading(log, (snapshot) => {
          const view = snapshot.dataset('d')
          expect(view?.counts()).toEqual({ end: 100_002, existing: 1, deleted: 1, versions: 4 })
          expect(view?.latest('a')).toMatchObject({ sequence: 100_000, ts: 101_000 })
          expect(view?.version(7)).toMatchObject({ id: 'b', previous: 1, ts: 1_007 })
          expect(view?.version(8)).toBeUndefined()
        })
      })

      it('takes the same versions again as if they were new, and refuses what contradicts them', async () => {
        const { journal, log } = await replica()
        const batch = () => stamped([3, null, { _id: 'a', v: 1 }], [7, null, { _id: 'b' }])
        await commitTo(journal, batch())
        const { writes } = await commitTo(journal, batch())
        expect(writes).toEqual([{ written: 0, seen: 2, end: 8 }])
        const wrong = [
          stamped([3, null, { _id: 'a', v: 2 }]),
          stamped([3, null, { _id: 'c', v: 1 }]),
          stamped([5, null, { _id: 'c' }]),
          stamped([9, null, { _id: 'c' }], [9, null, { _id: 'd' }]),
          stamped([9, 9, { _id: 'c' }]),
        ]
        for (const one of wrong) {
          await expect(commitTo(journal, one)).rejects.toMatchObject({ code: 'sequence-conflict' })
        }
        // A version that is older than its id's latest one was compacted away.
        await commitTo(journal, stamped([5, null, { _id: 'b', v: 0 }], [8, 3, { _id: 'a', v: 3 }]))
        expect(versionsOf(log)).toEqual(['a3', 'b7', 'a8<3'])
      })

      it('refuses ordinary writes and reposting, and an ordinary one refuses its', async () => {
        const { journal } = await replica()
        await expect(commitTo(journal, write('d', [{ _id: 'a' }]))).rejects.toMatchObject({ code: 'wrong-kind' })
        await commitTo(journal, stamped([0, null, { _id: 'a' }]))
        const again = write('d', [{ _id: 'a' }], { force: true })
        await expect(commitTo(journal, again)).rejects.toMatchObject({ code: 'wrong-kind' })
        await expect(journal.assertDataset('d', { kind: 'normal' })).rejects.toMatchObject({ code: 'wrong-kind' })
        await journal.assertDataset('e')
        const other = { ...stamped([0, null, { _id: 'a' }]), dataset: 'e' }
        await expect(commitTo(journal, other)).rejects.toMatchObject({ code: 'wrong-kind' })
      })

      it('maintains its indexes', async () => {
        const { journal, log } = await replica()
        const { number } = await journal.assertIndex('d', 'k', '')
        const keyed = (sequence: number, previous: number | null, entity: Record<string, unknown>): Write => ({
          ...write('d', [entity], { keysOf: ({ k }) => [[number, [bytes(k as string)]]], indexSet: 1 }),
          stamps: packStamps([{ sequence, previous, ts: 1 }]),
        })
        await commitTo(journal, keyed(4, null, { _id: 'a', k: '1' }))
        await commitTo(journal, keyed(9, 4, { _id: 'a', k: '2' }))
        expect([lookup(log, '1'), lookup(log, '2')]).toEqual([[], ['a']])
      })
    })

    describe('a run behind a circuit breaker', () => {
      /** A dataset with `a`, `b` and `c` and an index, offset and state from before, and a run that has begun. */
      const staged = async (limit: number) => {
        const all = await opened()
        const { journal } = all
        await fillIndex(journal, all.log, 'd', 'k', keyOf)
        const batch = (entities: readonly Record<string, unknown>[]) =>
          write('d', entities, { indexSet: 1, keysOf: ({ k }) => (k === undefined ? [] : [[0, [bytes(k as string)]]]) })
        await journal.commit({
          writes: [batch(['a', 'b', 'c'].map((_id) => ({ _id, k: 'old' })))],
          offsets: [['source:p', 'before']],
          state: [[bytes('p1'), bytes('before')]],
        })
        const run = { pipe: 'p', number: await journal.beginRun('p') }
        await journal.beginStaging('d', run, limit)
        const commit = (entities: readonly Record<string, unknown>[], offset: string) =>
          journal.commit({
            run,
            writes: [batch(entities)],
            offsets: [['source:p', offset]],
            state: [
              [bytes('p1'), bytes(offset)],
              [bytes('p2'), bytes(offset)],
            ],
          })
        return { ...all, run, batch, commit }
      }
      const BEFORE = ['a0', 'b1', 'c2']
      const all = (log: LogReader) =>
        reading(log, (snapshot) => ({
          versions: [...(snapshot.dataset('d')?.changes(null) ?? [])].map(textOf),
          uncommitted: [...(snapshot.dataset('d')?.withUncommitted().changes(null) ?? [])].map(textOf).slice(3),
          offset: snapshot.offset('source:p'),
          state: ['p1', 'p2'].map((key) => {
            const value = snapshot.state(bytes(key))
            return value === undefined ? null : Buffer.from(value).toString()
          }),
          isTripped: snapshot.dataset('d')?.document.isTripped,
          state_: snapshot.dataset('d')?.staging()?.state,
        }))
      const UNDONE = { versions: BEFORE, uncommitted: [], offset: 'before', state: ['before', null], isTripped: false }

      it('hides what it writes, compares with it, and shows it to those who ask', async () => {
        const { log, commit } = await staged(10)
        expect(
          (
            await commit(
              [
                { _id: 'a', k: 'new' },
                { _id: 'b', k: 'old' },
              ],
              '1',
            )
          ).writes,
        ).toEqual([{ written: 1, seen: 2, end: 4 }])
        expect((await commit([{ _id: 'a', k: 'new' }, { _id: 'a', k: 'newer' }, { _id: 'd' }], '2')).writes).toEqual([
          { written: 2, seen: 3, end: 6 },
        ])
        expect(all(log)).toMatchObject({ versions: BEFORE, uncommitted: ['a3<0', 'a4<3', 'd5'], state_: 'open' })
        expect(lookup(log, 'old')).toEqual(['a', 'b', 'c'])
        reading(log, (snapshot) => {
          const view = snapshot.dataset('d')
          const both = view?.withUncommitted()
          expect(view?.latest('a')?.sequence).toBe(0)
          expect(both?.latest('a')?.sequence).toBe(4)
          expect(both?.latest('c')?.sequence).toBe(2)
          expect([view?.version(4), both?.version(4)?.id, both?.counts().end]).toEqual([undefined, 'a', 6])
          const changes = (options: object) => [...(both?.changes(1, options) ?? [])].map(textOf)
          expect(changes({})).toEqual(['c2', 'a3<0', 'a4<3', 'd5'])
          expect(changes({ history: false, limit: 2 })).toEqual(['c2', 'a4<3'])
          expect([...(both?.changes(null, { reverse: true, history: false }) ?? [])].map(textOf)).toEqual([
            'd5',
            'a4<3',
            'c2',
            'b1',
          ])
        })
      })

      it('is part of the dataset when it is exposed: same places, same times, in the indexes', async () => {
        const { journal, log, run, commit, batch } = await staged(10)
        await commit(
          [
            { _id: 'a', k: 'new' },
            { _id: 'd', k: 'old' },
            { _id: 'b', k: 'old', _deleted: true },
          ],
          '1',
        )
        await commit([{ _id: 'a', k: 'newer' }], '2')
        const before = all(log)
        await exposeStaged(journal, log, 'd', (_, one) => keyOf(one), { run })
        expect(all(log)).toEqual({
          ...before,
          versions: [...BEFORE, 'a3<0', 'd4', 'b5<1', 'a6<3'],
          uncommitted: ['a3<0', 'd4', 'b5<1', 'a6<3'],
          offset: '2',
          state: ['2', '2'],
          state_: undefined,
        })
        expect([lookup(log, 'old'), lookup(log, 'new'), lookup(log, 'newer')]).toEqual([['c', 'd'], [], ['a']])
        reading(log, (snapshot) =>
          expect(snapshot.dataset('d')?.counts()).toEqual({ end: 7, existing: 3, deleted: 1, versions: 7 }),
        )
        // And the next write goes on from there.
        await journal.endRun('p', run.number)
        await commitTo(journal, batch([{ _id: 'e' }]))
        expect(versionsOf(log).at(-1)).toBe('e7')
      })

      it('trips when its run says so, however little it staged', async () => {
        const { journal, log, run, commit } = await staged(9)
        await commit([{ _id: 'a' }], '1')
        const stale = journal.tripStaged('d', { ...run, number: run.number - 1 })
        await expect(stale).rejects.toMatchObject({ code: 'stale-run' })
        await journal.tripStaged('d', run)
        await expect(commit([{ _id: 'x' }], '2')).rejects.toMatchObject({ code: 'breaker-tripped' })
        await expect(journal.tripStaged('d', run)).rejects.toMatchObject({ code: 'breaker-tripped' })
        await journal.endRun('p', run.number)
        reading(log, (snapshot) => expect(snapshot.dataset('d')?.document.isTripped).toBe(true))
        expect(await journal.discardStaged('d')).toBe(true)
        reading(log, (snapshot) => expect(snapshot.dataset('d')?.document.isTripped).toBe(false))
        expect(versionsOf(log)).toEqual(BEFORE)
      })

      it('trips above the limit, and takes nothing more until it is rolled back', async () => {
        const { journal, log, run, commit, batch } = await staged(2)
        expect((await commit([{ _id: 'a' }, { _id: 'b' }], '1')).writes[0]).not.toHaveProperty('tripped')
        expect((await commit([{ _id: 'c' }], '2')).writes).toEqual([{ written: 1, seen: 1, end: 6, tripped: true }])
        const tripped = { code: 'breaker-tripped', details: { dataset: 'd', pipe: 'p', state: 'tripped', limit: 2 } }
        await expect(commit([{ _id: 'x' }], '3')).rejects.toMatchObject(tripped)
        await expect(commitTo(journal, batch([{ _id: 'x' }]))).rejects.toMatchObject(tripped)
        await expect(journal.commit({ run, offsets: [['source:p', '3']] })).rejects.toMatchObject(tripped)
        await expect(journal.decideStaged('d', run)).rejects.toMatchObject(tripped)
        await journal.endRun('p', run.number)
        const next = { pipe: 'p', number: await journal.beginRun('p') }
        await expect(journal.beginStaging('d', next, 9)).rejects.toMatchObject(tripped)
        expect(all(log)).toMatchObject({ versions: BEFORE, uncommitted: ['a3<0', 'b4<1', 'c5<2'], isTripped: true })
        expect(await journal.discardStaged('d')).toBe(true)
        expect(all(log)).toMatchObject(UNDONE)
        expect(await journal.discardStaged('d')).toBe(false)
        // It is armed again, and what was dropped does not come back.
        await journal.beginStaging('d', next, 9)
        await journal.commit({ run: next, writes: [batch([{ _id: 'd' }])] })
        expect(all(log)).toMatchObject({ uncommitted: ['d3'] })
      })

      it('that tripped can be committed, with the offset it had come to', async () => {
        const { journal, log, run, commit } = await staged(0)
        await commit([{ _id: 'a' }], '1')
        await journal.endRun('p', run.number)
        await exposeStaged(journal, log, 'd', (_, one) => keyOf(one))
        expect(all(log)).toMatchObject({
          versions: [...BEFORE, 'a3<0'],
          offset: '1',
          state: ['1', '1'],
          isTripped: false,
        })
      })

      it('leaves nothing when the process dies before it ends', async () => {
        const { commit, reopen } = await staged(10)
        await commit([{ _id: 'a' }], '1')
        await commit([{ _id: 'b' }], '2')
        const { journal, log } = await reopen()
        await expect.poll(() => all(log), { timeout: 20_000 }).toMatchObject({ ...UNDONE, state_: undefined })
        await journal.beginStaging('d', { pipe: 'p', number: await journal.beginRun('p') }, 10)
        expect(all(log)).toMatchObject({ ...UNDONE, state_: 'open' })
      })

      it('leaves nothing when its run ends without deciding, or is replaced', async () => {
        for (const end of ['endRun', 'beginRun'] as const) {
          const { journal, log, run, commit } = await staged(10)
          await commit([{ _id: 'a' }], '1')
          await journal[end]('p', run.number)
          await expect.poll(() => all(log), { timeout: 20_000 }).toMatchObject({ ...UNDONE, state_: undefined })
        }
      })

      it('is still tripped after the process died, and goes on being exposed where it was', async () => {
        const { commit, reopen } = await staged(1)
        const many = Array.from({ length: 5_000 }, (_, i) => ({ _id: `e${i}`, k: 'new' }))
        await commit(many, '1')
        const second = await reopen()
        expect(all(second.log)).toMatchObject({ versions: BEFORE, isTripped: true, offset: '1' })
        let slices = 0
        const dying: Journal = {
          decideStaged: (dataset) => second.journal.decideStaged(dataset),
          commit: (commit) => (slices++ === 1 ? Promise.reject(new Error('died')) : second.journal.commit(commit)),
        } as Journal
        const expose = (journal: Journal, log: LogReader) => exposeStaged(journal, log, 'd', (_, one) => keyOf(one))
        await expect(expose(dying, second.log)).rejects.toThrow('died')
        const { journal, log } = await second.reopen()
        expect(reading(log, (snapshot) => snapshot.dataset('d')?.staging()?.state)).toBe('exposing')
        await expect(journal.discardStaged('d')).rejects.toMatchObject({ code: 'breaker-open' })
        await Promise.all([expose(journal, log), expose(journal, log)])
        expect(versionsOf(log)).toHaveLength(5_003)
        expect(lookup(log, 'new')).toHaveLength(5_000)
        expect(reading(log, (snapshot) => snapshot.dataset('d')?.staging())).toBeUndefined()
      })

      it('refuses other writers while it goes on, and is gone with its dataset', async () => {
        const { journal, log, commit, batch } = await staged(1)
        await expect(commitTo(journal, batch([{ _id: 'x' }]))).rejects.toMatchObject({ code: 'breaker-open' })
        await commit([{ _id: 'a' }, { _id: 'b' }], '1')
        await journal.deleteDataset('d')
        await journal.assertDataset('d')
        await commitTo(journal, write('d', [{ _id: 'x' }]))
        expect(versionsOf(log)).toEqual(['x0'])
        expect(all(log)).toMatchObject({ isTripped: false, state_: undefined })
      })

      it('still refuses what its writes do not expect', async () => {
        const { journal, run, commit } = await staged(10)
        await commit([{ _id: 'a', v: 1 }], '1')
        const commitOne = (options: object) =>
          journal.commit({ run, writes: [write('d', [{ _id: 'a', v: 2 }], { indexSet: 1, ...options })] })
        await expect(commitOne({ expected: Float64Array.of(0) })).rejects.toMatchObject({ code: 'stale-entity' })
        await expect(commitOne({ secondVersions: 'refuse' })).rejects.toMatchObject({ code: 'second-version' })
        expect((await commitOne({ expected: Float64Array.of(3) })).writes).toEqual([{ written: 1, seen: 1, end: 5 }])
      })
    })
  })
}

const keyOf = (one: Entity): Uint8Array[] => {
  const key = get(one, 'k')
  return key === undefined ? [] : [bytes(String(key))]
}

const lookup = (log: LogReader, key: string): readonly string[] =>
  reading(log, (snapshot) => {
    const view = snapshot.dataset('d')
    const index = view?.document.indexes.find(({ state }) => state === 'ready')
    return view?.lookup(index?.number as number, bytes(key)) ?? []
  })

/** Id, sequence, and the previous one: `a2<0`. */
const textOf = ({ id, sequence, previous }: Version): string =>
  `${id}${sequence}${previous === null ? '' : `<${previous}`}`

const versionsOf = (
  log: LogReader,
  { since = null, ...options }: { since?: number | null; history?: boolean; reverse?: boolean; limit?: number } = {},
): string[] => reading(log, (snapshot) => [...(snapshot.dataset('d')?.changes(since, options) ?? [])].map(textOf))
