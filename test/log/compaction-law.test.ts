import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type CompactionPorts, type CompactionRules, compactDataset } from '../../src/log/compaction.ts'
import type { Journal, Version } from '../../src/log/contract.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { folder, reading, write } from './sample.ts'

/** 10,000 of them in the nightly form. */
const PROGRAMS = Number(process.env.LAW_PROGRAMS ?? 60)
const HOUR_MS = 3_600_000

interface ModelVersion {
  readonly id: string
  readonly sequence: number
  readonly deleted: boolean
  readonly retracts: boolean
  /** Hours. */
  readonly at: number
}

type Step =
  | {
      readonly type: 'write'
      readonly entities: readonly { id: string; value: number; deleted: boolean; retracts: boolean }[]
    }
  | { readonly type: 'wait'; readonly hours: number }
  | { readonly type: 'read'; readonly who: 'tracker' | 'other' | 'history' | 'source'; readonly back: number | null }
  | { readonly type: 'compact'; readonly which: 0 | 1; readonly slices: number | null }
  | { readonly type: 'reopen' }

const anEntity = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'x'.repeat(600)),
  value: fc.nat({ max: 9 }),
  deleted: fc.nat({ max: 3 }).map((n) => n === 0),
  retracts: fc.nat({ max: 9 }).map((n) => n === 0),
})
const budgetMs = Number.POSITIVE_INFINITY
const seldom = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value })
const rules = (which: 'deleted' | 'all'): fc.Arbitrary<CompactionRules> =>
  fc.record({
    keepVersions: fc.nat({ max: 3 }),
    thresholdHours: fc.option(fc.nat({ max: 4 }), { freq: 2 }),
    forget: seldom(
      fc.record({ which: fc.constant(which), hours: fc.nat({ max: 4 }), budgetMs: fc.constant(budgetMs) }),
    ),
    retract: seldom(fc.constant({ budgetMs })),
  })
/** Of one dataset: they change now and then. */
const twoRules = fc
  .constantFrom<'deleted' | 'all'>('deleted', 'deleted', 'all')
  .chain((which) => fc.tuple(rules(which), rules(which)))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      entities: fc.array(anEntity, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      who: fc.constantFrom('tracker', 'tracker', 'other', 'history', 'source'),
      back: fc.option(fc.nat({ max: 6 }), { freq: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('compact' as const),
      which: fc.nat({ max: 5 }).map((n) => (n === 0 ? 1 : 0)),
      slices: fc.option(fc.nat({ max: 5 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
)

it('keeps exactly what the rules say, through any history, readers, clocks and interruptions', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }),
      fc.record({ page: fc.integer({ min: 1, max: 5 }), slice: fc.integer({ min: 1, max: 3 }) }),
      twoRules,
      async (program, sizes, rules) => {
        const house = new House(folder(), sizes, rules)
        await house.open()
        try {
          for (const one of program) await house.take(one)
        } finally {
          await house.close()
          rmSync(house.path, { recursive: true, force: true })
        }
      },
    ),
    { numRuns: PROGRAMS },
  )
}, 3_600_000)

class House {
  readonly path: string
  readonly #sizes: { readonly page: number; readonly slice: number }
  readonly #rules: readonly [CompactionRules, CompactionRules]
  readonly #all: ModelVersion[] = []
  /** Sequences that are there. */
  #there = new Set<number>()
  readonly #readers = new Map<string, number>()
  #hours = 1_000
  #writer!: LogWriter
  #log!: LogReader

  constructor(
    path: string,
    sizes: { readonly page: number; readonly slice: number },
    rules: readonly [CompactionRules, CompactionRules],
  ) {
    this.path = path
    this.#rules = rules
    this.#sizes = sizes
  }

  async open(): Promise<void> {
    this.#writer = await LogWriter.open(this.path, { now: () => this.#hours * HOUR_MS * 1000 })
    await this.#writer.assertDataset('d')
    this.#log = openLog(this.path)
  }

  async close(): Promise<void> {
    this.#log.close()
    await this.#writer.close()
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'write':
        return this.#write(step.entities)
      case 'wait':
        this.#hours += step.hours
        return
      case 'read':
        if (step.back === null) this.#readers.delete(step.who)
        else this.#readers.set(step.who, Math.max(-1, this.#all.length - 1 - step.back))
        return
      case 'compact':
        return this.#compact(this.#rules[step.which], step.slices)
      case 'reopen':
        await this.close()
        return this.open()
    }
  }

  async #write(entities: (Step & { type: 'write' })['entities']): Promise<void> {
    const plain = entities.map(({ id, value, deleted, retracts }) => ({
      _id: id,
      value,
      _deleted: deleted,
      ...(retracts ? { $retract: true } : {}),
    }))
    await this.#writer.commit({ writes: [write('d', plain, { force: true })] })
    for (const { id, deleted, retracts } of entities) {
      this.#there.add(this.#all.length)
      this.#all.push({ id, deleted, retracts, sequence: this.#all.length, at: this.#hours })
    }
  }

  async #compact(rules: CompactionRules, slices: number | null): Promise<void> {
    const newest = this.#newest()
    const before = this.#there
    const after = this.#after(rules)
    let done = 0
    const abort = new AbortController()
    const journal = {
      remove: async (removal: Parameters<Journal['remove']>[0]) => {
        if (done++ === slices) abort.abort()
        abort.signal.throwIfAborted()
        return this.#writer.remove(removal)
      },
    } as Journal
    const ports: CompactionPorts = {
      journal,
      log: this.#log,
      now: () => this.#hours * HOUR_MS,
      readers: () => this.#positions(),
      sizes: this.#sizes,
    }
    const removed = await compactDataset(ports, 'd', rules, abort.signal).catch(() => null)
    const found = reading(this.#log, (snapshot) => [...(snapshot.dataset('d')?.changes(null) ?? [])].map(plainly))
    this.#there = new Set(found.map(({ sequence }) => sequence))
    if (removed === null) this.#expectPartial(before, after)
    else {
      expect([...this.#there]).toEqual([...after])
      expect(removed).toBe(before.size - after.size)
    }
    this.#expectWhole(newest, found, rules)
  }

  /** What is cut short has removed nothing that may stay, and of each id the oldest first. */
  #expectPartial(before: ReadonlySet<number>, after: ReadonlySet<number>): void {
    for (const sequence of after) expect(this.#there.has(sequence)).toBe(true)
    for (const sequence of before) {
      if (!this.#there.has(sequence)) continue
      const { id } = this.#all[sequence] as ModelVersion
      const newer = [...before].filter((one) => one > sequence && this.#all[one]?.id === id)
      for (const one of newer) expect(this.#there.has(one)).toBe(true)
    }
  }

  #expectWhole(
    newest: ReadonlyMap<string, number>,
    found: readonly ReturnType<typeof plainly>[],
    { forget }: CompactionRules,
  ): void {
    reading(this.#log, (snapshot) => {
      const view = snapshot.dataset('d')
      const now = this.#newest()
      for (const [id, sequence] of newest) {
        if (forget === null) expect(now.get(id)).toBe(sequence)
        expect(view?.head(id)?.sequence).toBe(now.get(id))
      }
      const live = [...now.values()].filter((sequence) => !this.#all[sequence]?.deleted).length
      expect(view?.counts()).toEqual({
        end: this.#all.length,
        existing: live,
        deleted: now.size - live,
        versions: this.#there.size,
      })
    })
    for (const { id, sequence, deleted } of found) expect(this.#all[sequence]).toMatchObject({ id, deleted })
  }

  /** Of the versions that are there. */
  #newest(): Map<string, number> {
    return new Map([...this.#there].map((sequence) => [(this.#all[sequence] as ModelVersion).id, sequence] as const))
  }

  #positions() {
    const at = (...names: readonly string[]) => {
      const known = names.flatMap((name) => this.#readers.get(name) ?? [])
      return known.length === 0 ? null : Math.min(...known)
    }
    return {
      tracked: at('tracker', 'other'),
      history: at('history'),
      passed: at('tracker', 'other', 'history', 'source'),
    }
  }

  /** hub.md §2.7 and the hold-off by entity, in plain words. */
  #after({ keepVersions, thresholdHours, forget, retract }: CompactionRules): Set<number> {
    const { passed } = this.#positions()
    const trackers = ['tracker', 'other'].flatMap((name) => this.#readers.get(name) ?? [])
    const history = this.#readers.get('history') ?? Number.POSITIVE_INFINITY
    const hasPassed = (sequence: number) => passed === null || sequence <= passed
    const versions = (id: string) => this.#all.filter((one) => one.id === id && this.#there.has(one.sequence))
    const isOld = ({ at }: ModelVersion, hours: number) => at <= this.#hours - hours
    const stays = new Set<number>()
    for (const id of new Set(this.#all.map((one) => one.id))) {
      const own = versions(id)
      let kept = own.filter((one, place) => {
        const newer = own.slice(place + 1)
        return !(
          newer.length >= Math.max(1, keepVersions) &&
          (thresholdHours === null || isOld(one, thresholdHours)) &&
          one.sequence <= history &&
          trackers.every((tracker) => newer.some(({ sequence }) => sequence <= tracker))
        )
      })
      const last = own.at(-1)
      if (forget !== null && last !== undefined && (last.deleted || forget.which === 'all')) {
        if (isOld(last, forget.hours) && hasPassed(last.sequence)) kept = []
      }
      if (retract !== null) {
        const retraction = own.findLast(({ retracts, sequence }) => retracts && hasPassed(sequence))
        if (retraction !== undefined) kept = kept.filter(({ sequence }) => sequence >= retraction.sequence)
      }
      for (const { sequence } of kept) stays.add(sequence)
    }
    return new Set([...stays].sort((a, b) => a - b))
  }
}

const plainly = ({ id, sequence, deleted }: Version) => ({ id, sequence, deleted })
