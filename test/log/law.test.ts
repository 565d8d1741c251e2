/** The law of the room: a log answers as the plain model below does, whatever is written, deleted, indexed and reopened. */

import { hash } from 'node:crypto'
import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { EntityKeys } from '../../src/log/batch.ts'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { readCounts } from '../../src/log/documents.ts'
import { openForReading } from '../../src/log/environment.ts'
import { fillIndex } from '../../src/log/fill.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { encodeEntity } from '../../src/model/canonical.ts'
import { get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { bytes, entity, folder, reading, write } from './sample.ts'

interface Json extends Readonly<Record<string, unknown>> {
  readonly _id: string
  readonly _deleted: boolean
  readonly v: number
  readonly p: readonly string[]
  readonly q: readonly string[]
}

interface ModelVersion extends Json {
  readonly sequence: number
  readonly previous: number | null
  readonly hash: string
}

interface ModelDataset {
  readonly versions: ModelVersion[]
  readonly latest: Map<string, ModelVersion>
  readonly indexes: Set<Property>
}

type Property = 'p' | 'q'

type Step =
  | {
      readonly type: 'commit'
      readonly writes: readonly {
        readonly dataset: string
        readonly entities: readonly Json[]
        readonly force: boolean
        readonly deletesOnlyExisting: boolean
      }[]
      readonly offset: string | null
      readonly isAtOnce: boolean
    }
  | { readonly type: 'delete' | 'assert'; readonly dataset: string }
  | { readonly type: 'index'; readonly dataset: string; readonly property: Property }
  | { readonly type: 'unindex'; readonly dataset: string; readonly property: Property }
  | { readonly type: 'reopen' }

const long = 'æ'.repeat(400)
const IDS = ['a', 'b', 'c', 'aa', '', 'æ', '\u{1F600}', '\uFFFD', '\uD800', `${long}1`, `${long}2`, long.slice(0, 200)]
const KEYS = ['1', '2', '', 'k'.repeat(600), `${'k'.repeat(600)}!`, 'k'.repeat(273)]
const DATASETS = ['d', 'e']

const anId = fc.constantFrom(...IDS)
const keys = fc.array(fc.constantFrom(...KEYS), { maxLength: 3 })
const anEntity: fc.Arbitrary<Json> = fc.record({
  _id: anId,
  _deleted: fc.boolean(),
  v: fc.integer({ min: 0, max: 2 }),
  p: keys,
  q: keys,
})
const dataset = fc.constantFrom(...DATASETS)
const property = fc.constantFrom<Property>('p', 'q')

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('commit' as const),
      writes: fc.array(
        fc.record({
          dataset,
          entities: fc.array(anEntity, { maxLength: 8 }),
          force: fc.nat({ max: 9 }).map((n) => n === 0),
          deletesOnlyExisting: fc.boolean(),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      offset: fc.option(fc.string()),
      isAtOnce: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('delete' as const, 'assert' as const), dataset }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('index' as const), dataset, property }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('unindex' as const), dataset, property }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
)

it('answers as a plain model does, through any program of writes, deletes, indexes and reopening', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (program) => {
      const path = folder()
      const house = new House(path)
      try {
        await house.open()
        for (const one of program) {
          await house.take(one)
          house.compare()
        }
      } finally {
        await house.close()
        rmSync(path, { recursive: true, force: true })
      }
    }),
    { numRuns: 120, interruptAfterTimeLimit: 25_000 },
  )
})

class House {
  readonly #path: string
  readonly #model = new Map<string, ModelDataset>()
  readonly #offsets = new Map<string, string>()
  #writer!: LogWriter
  #log!: LogReader

  constructor(path: string) {
    this.#path = path
  }

  async open(): Promise<void> {
    this.#writer = await LogWriter.open(this.#path)
    this.#log = openLog(this.#path)
  }

  async close(): Promise<void> {
    this.#log.close()
    await this.#writer.close()
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'commit':
        return this.#commit(step)
      case 'assert':
        await this.#writer.assertDataset(step.dataset)
        if (!this.#model.has(step.dataset)) this.#model.set(step.dataset, newDataset())
        return
      case 'delete':
        expect(await this.#writer.deleteDataset(step.dataset)).toBe(this.#model.delete(step.dataset))
        return
      case 'index': {
        const model = this.#model.get(step.dataset)
        if (model === undefined) return
        const { property } = step
        // While it fills, nothing keeps others from writing.
        const filling = fillIndex(this.#writer, this.#log, step.dataset, property, (one) => keysOf(one, property))
        model.indexes.add(property)
        await filling
        return
      }
      case 'unindex': {
        const index = this.#view(step.dataset)?.document.indexes.find((one) => one.expression === step.property)
        if (index === undefined) return
        expect(await this.#writer.deleteIndex(step.dataset, index.number)).toBe(true)
        this.#model.get(step.dataset)?.indexes.delete(step.property)
        return
      }
      case 'reopen':
        await this.close()
        return this.open()
    }
  }

  compare(): void {
    reading(this.#log, (snapshot) => {
      expect(
        snapshot
          .datasets()
          .map(({ id }) => id)
          .sort(),
      ).toEqual([...this.#model.keys()].sort())
      expect(new Map(snapshot.offsets(''))).toEqual(this.#offsets)
      for (const [id, model] of this.#model) compareDataset(snapshot.dataset(id) as DatasetView, model)
    })
    this.#compareSums()
  }

  async #commit({ writes, offset, isAtOnce }: Step & { type: 'commit' }): Promise<void> {
    const isRefused = writes.some((one) => !this.#model.has(one.dataset))
    const packed = writes.map(({ entities, ...rest }) => {
      const document = this.#view(rest.dataset)?.document
      const keysOf = (json: Readonly<Record<string, unknown>>): EntityKeys =>
        (document?.indexes ?? []).map(({ number, expression }) => [
          number,
          (json[expression] as string[]).map((key) => bytes(key)),
        ])
      return write(rest.dataset, entities, { ...rest, indexSet: document?.indexSet ?? 0, keysOf })
    })
    const commit = { writes: packed, offsets: [['o', offset]] as const }
    // A neighbour that is refused, in the same transaction, must leave no trace in this one.
    const neighbour = isAtOnce ? this.#writer.commit({ ...commit, run: { pipe: 'p', number: -1 } }) : null
    const answer = this.#writer.commit(commit)
    if (neighbour !== null) await expect(neighbour).rejects.toMatchObject({ code: 'stale-run' })
    if (isRefused) {
      await expect(answer).rejects.toMatchObject({ code: 'unknown-dataset' })
      return
    }
    const expected = writes.map((one) => apply(this.#model.get(one.dataset) as ModelDataset, one))
    expect(await answer).toEqual({ writes: expected })
    if (offset === null) this.#offsets.delete('o')
    else this.#offsets.set('o', offset)
  }

  #view(dataset: string): DatasetView | undefined {
    return reading(this.#log, (snapshot) => snapshot.dataset(dataset))
  }

  #compareSums(): void {
    const environment = openForReading(this.#path)
    const numbers = reading(this.#log, (snapshot) => snapshot.datasets().map(({ id, number }) => [id, number] as const))
    const transaction = environment.read()
    for (const [id, number] of numbers) {
      const sums = new Uint32Array(4)
      for (const { hash } of this.#model.get(id)?.latest.values() ?? []) {
        for (let lane = 0; lane < 4; lane++) {
          sums[lane] = (sums[lane] as number) + Buffer.from(hash, 'hex').readUInt32LE(4 * lane)
        }
      }
      expect(readCounts(environment.tables.meta, number, transaction).sums).toEqual(sums)
    }
    environment.release(transaction)
    void environment.close()
  }
}

const newDataset = (): ModelDataset => ({ versions: [], latest: new Map(), indexes: new Set() })

const keysOf = (one: Entity, property: Property): Uint8Array[] =>
  (get(one, property) as readonly string[]).map((key) => bytes(key))

function apply(
  { versions, latest }: ModelDataset,
  { entities, force, deletesOnlyExisting }: (Step & { type: 'commit' })['writes'][number],
) {
  let written = 0
  for (const json of entities) {
    const known = latest.get(json._id)
    const { hash } = encodeEntity(entity(json))
    if (known !== undefined && !force && known.hash === hash && known._deleted === json._deleted) continue
    if (json._deleted && deletesOnlyExisting && (known === undefined || known._deleted)) continue
    const version = { ...json, sequence: versions.length, previous: known?.sequence ?? null, hash }
    versions.push(version)
    latest.set(json._id, version)
    written++
  }
  return { written, seen: entities.length, end: versions.length }
}

function compareDataset(view: DatasetView, { versions, latest, indexes }: ModelDataset): void {
  const live = [...latest.values()].filter(({ _deleted }) => !_deleted).length
  expect(view.counts()).toEqual({
    end: versions.length,
    existing: live,
    deleted: latest.size - live,
    versions: versions.length,
  })
  const newest = versions.filter((one) => latest.get(one._id) === one)
  for (const since of [null, 0, Math.floor(versions.length / 2), versions.length]) {
    const isAfter = ({ sequence }: ModelVersion) => since === null || sequence > since
    const isBefore = ({ sequence }: ModelVersion) => since === null || sequence < since
    expectVersions(view.changes(since), versions.filter(isAfter))
    expectVersions(view.changes(since, { history: false }), newest.filter(isAfter))
    expectVersions(view.changes(since, { limit: 3 }), versions.filter(isAfter).slice(0, 3))
    expectVersions(view.changes(since, { reverse: true }), versions.filter(isBefore).reverse())
    expectVersions(
      view.changes(since, { reverse: true, history: false, limit: 2 }),
      newest.filter(isBefore).reverse().slice(0, 2),
    )
  }
  const inOrder = [...latest.values()].sort((a, b) => inIdOrder(a._id, b._id))
  expectVersions(view.entities(), inOrder)
  expectVersions(
    view.entities({ deleted: false }),
    inOrder.filter(({ _deleted }) => !_deleted),
  )
  for (const id of IDS) {
    const known = latest.get(id)
    expectVersions(
      view.entities({ after: id }),
      inOrder.filter(({ _id }) => inIdOrder(_id, id) > 0),
    )
    if (known === undefined) {
      expect(view.latest(id)).toBeUndefined()
      expect(view.head(id)).toBeUndefined()
    } else {
      expectVersions([view.latest(id) as Version], [known])
      expect(view.head(id)).toEqual({ sequence: known.sequence, hash: known.hash, deleted: known._deleted })
    }
  }
  for (const version of versions) expectVersions([view.version(version.sequence) as Version], [version])
  expect(view.version(versions.length)).toBeUndefined()
  expect(new Set(view.document.indexes.map(({ expression }) => expression))).toEqual(indexes)
  for (const { number, expression, state } of view.document.indexes) {
    expect(state).toBe('ready')
    for (const key of KEYS) {
      const holders = [...latest.values()].filter((one) => one[expression as Property].includes(key))
      const ids = (those: readonly ModelVersion[]) => those.map(({ _id }) => _id).sort(compareText)
      expect(view.lookup(number, bytes(key))).toEqual(ids(holders.filter(({ _deleted }) => !_deleted)))
      expect(view.lookup(number, bytes(key), { deleted: true })).toEqual(ids(holders))
    }
  }
}

/** Code points; ids of more than 512 bytes after shorter ones that begin with the same 256 (keys.ts). Here two differ only by hash. */
function inIdOrder(a: string, b: string): number {
  const [one, other] = [a, b].map((id) => id.startsWith(long)) as [boolean, boolean]
  if (one !== other || !one) return compareText(a, b)
  return LONG_ORDER.indexOf(a) - LONG_ORDER.indexOf(b)
}
const LONG_ORDER = [`${long}1`, `${long}2`].sort((a, b) => compareText(md5(a), md5(b)))

/** The order of code points, halves of surrogate pairs included. */
function compareText(a: string, b: string): number {
  const [ones, others] = [a, b].map((text) => Array.from(text, (one) => one.codePointAt(0) as number))
  for (const [i, one] of (ones ?? []).entries()) {
    const other = others?.[i]
    if (other !== one) return other === undefined || one > other ? 1 : -1
  }
  return a.length - b.length
}

function md5(id: string): string {
  return hash('md5', id)
}

function expectVersions(found: Iterable<Version>, expected: readonly ModelVersion[]): void {
  expect([...found].map((one) => plain(one))).toEqual(
    expected.map(({ sequence, previous, hash, ...json }) => ({
      id: json._id,
      sequence,
      previous,
      deleted: json._deleted,
      hash,
      body: encodeEntity(entity(json)).text,
    })),
  )
}

const plain = ({ id, sequence, previous, deleted, hash, body }: Version) => ({
  id,
  sequence,
  previous,
  deleted,
  hash,
  body: Buffer.from(body).toString(),
})
