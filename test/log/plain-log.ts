/** The log as a plain model in memory, and what can be written to it; in any thread. */

import { hash } from 'node:crypto'
import fc from 'fast-check'
import { type EntityKeys, EntityPacker } from '../../src/log/batch.ts'
import type { DatasetDocument, Write } from '../../src/log/contract.ts'
import type { Entity } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson } from '../../src/model/json.ts'

export interface Json extends Readonly<Record<string, unknown>> {
  readonly _id: string
  readonly _deleted: boolean
  readonly v: number
  readonly p: readonly string[]
  readonly q: readonly string[]
}

export interface ModelVersion extends Json {
  readonly sequence: number
  readonly previous: number | null
  readonly hash: string
}

export interface ModelDataset {
  /** Next sequence to be given. */
  end: number
  versions: ModelVersion[]
  readonly latest: Map<string, ModelVersion>
  readonly indexes: Set<Property>
}

export const PROPERTIES = ['p', 'q'] as const
export type Property = (typeof PROPERTIES)[number]

export interface PlainWrite {
  readonly dataset: string
  readonly entities: readonly Json[]
  readonly force: boolean
  readonly deletesOnlyExisting: boolean
}

export const long = 'æ'.repeat(400)
export const IDS = [
  'a',
  'b',
  'c',
  'aa',
  '\u0000',
  'æ',
  '\u{1F600}',
  '\uFFFD',
  '\uD800',
  `${long}1`,
  `${long}2`,
  long.slice(0, 200),
]
export const KEYS = ['1', '2', '', 'k'.repeat(600), `${'k'.repeat(600)}!`, 'k'.repeat(273)]

const keys = fc.array(fc.constantFrom(...KEYS), { maxLength: 3 })
const anEntity: fc.Arbitrary<Json> = fc.record({
  _id: fc.constantFrom(...IDS),
  _deleted: fc.boolean(),
  v: fc.integer({ min: 0, max: 2 }),
  p: keys,
  q: keys,
})

export const aWrite = (dataset: fc.Arbitrary<string>): fc.Arbitrary<PlainWrite> =>
  fc.record({
    dataset,
    entities: fc.array(anEntity, { maxLength: 8 }),
    force: fc.nat({ max: 9 }).map((n) => n === 0),
    deletesOnlyExisting: fc.boolean(),
  })

export const newDataset = (): ModelDataset => ({ end: 0, versions: [], latest: new Map(), indexes: new Set() })

/** What the log answers to the write. */
export function applyWrite(dataset: ModelDataset, { entities, force, deletesOnlyExisting }: PlainWrite) {
  let written = 0
  for (const json of entities) {
    const known = dataset.latest.get(json._id)
    const { hash } = encode(json)
    if (known !== undefined && !force && known.hash === hash && known._deleted === json._deleted) continue
    if (json._deleted && deletesOnlyExisting && (known === undefined || known._deleted)) continue
    const version = { ...json, sequence: dataset.end++, previous: known?.sequence ?? null, hash }
    dataset.versions.push(version)
    dataset.latest.set(json._id, version)
    written++
  }
  return { written, seen: entities.length, end: dataset.end }
}

/** Sequences that may go when the newest `keep` of each id stay, and with `forget` nothing of ids that are deleted. */
export function removable({ versions, latest }: ModelDataset, keep: number, forget: boolean): number[] {
  const left = new Map<string, number>()
  const going: number[] = []
  for (const { _id, sequence } of [...versions].reverse()) {
    const stays = forget && latest.get(_id)?._deleted === true ? 0 : keep
    const kept = left.get(_id) ?? 0
    if (kept >= stays) going.push(sequence)
    left.set(_id, kept + 1)
  }
  return going.reverse()
}

export function removeVersions(dataset: ModelDataset, going: ReadonlySet<number>): void {
  dataset.versions = dataset.versions.filter(({ sequence }) => !going.has(sequence))
  for (const [id, { sequence }] of dataset.latest) if (going.has(sequence)) dataset.latest.delete(id)
}

/** The same write as the log takes it, with its keys in the indexes that the dataset has. */
export function packed({ entities, ...write }: PlainWrite, document: DatasetDocument | undefined): Write {
  const packer = new EntityPacker()
  for (const json of entities) packer.add(encode(json), keysOf(json, document))
  return { ...write, entities: packer.finish(), indexSet: document?.indexSet ?? 0 }
}

const keysOf = (json: Json, document: DatasetDocument | undefined): EntityKeys =>
  (document?.indexes ?? []).map(({ number, expression }) => [
    number,
    json[expression as Property].map((key) => Buffer.from(key)),
  ])

export const encode = (json: Json) => encodeEntity(parseJson(JSON.stringify(json)) as Entity)

/** One text for a whole state: what each dataset has as latest versions, and the offsets. */
export function digestOf(
  datasets: Iterable<
    readonly [
      id: string,
      end: number,
      latest: Iterable<Pick<ModelVersion, 'sequence' | 'hash'> & { readonly id: string; readonly deleted: boolean }>,
    ]
  >,
  offsets: Iterable<readonly [name: string, value: string]>,
): string {
  const inOrder = [...datasets].sort(([a], [b]) => (a < b ? -1 : 1))
  return hash(
    'md5',
    JSON.stringify([
      inOrder.map(([id, end, latest]) => [
        id,
        end,
        [...latest]
          .sort((a, b) => a.sequence - b.sequence)
          .map(({ id, sequence, hash, deleted }) => [id, sequence, hash, deleted]),
      ]),
      [...offsets],
    ]),
  )
}

export const modelDigest = (
  datasets: ReadonlyMap<string, ModelDataset>,
  offsets: Iterable<readonly [name: string, value: string]>,
): string =>
  digestOf(
    [...datasets].map(
      ([id, { end, latest }]) =>
        [id, end, [...latest.values()].map((one) => ({ ...one, id: one._id, deleted: one._deleted }))] as const,
    ),
    offsets,
  )
