/**
 * The log inside the process: append, scan, scan and decode, point read, join index lookup, each against raw `lmdb` that
 * does the same puts and gets on the same bytes: a row for each version, a row for each id, a row for each index key.
 */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EntityPacker } from '../../src/log/batch.ts'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { openLog } from '../../src/log/reader.ts'
import { entityOf } from '../../src/log/stored.ts'
import { LogWriter } from '../../src/log/writer.ts'
import type { Entity } from '../../src/model/entity.ts'
import { type EncodedEntity, encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson } from '../../src/model/json.ts'
import { persons, random } from './data.ts'
import { type Figure, inTurn, mustEqual } from './measure.ts'
import { RawLog } from './peers/raw-lmdb.ts'

const COUNT = 200_000
const COMPANIES = 10_000
const BATCH = 1_000
const POINTS = 100_000
const LOOKUPS = 50_000
/** Below it, the log costs too much over what it is made from. */
const LEAST_RATIO = 0.4

interface Person {
  readonly encoded: EncodedEntity
  readonly company: string
}

export async function log(rounds: number): Promise<Figure[]> {
  const people: Person[] = []
  for (const person of persons(COUNT, COMPANIES)) {
    const encoded = encodeEntity(parseJson(JSON.stringify(person)) as Entity)
    people.push({ encoded, company: person['crm:company'] as string })
  }
  const root = mkdtempSync(join(tmpdir(), 'samtale-bench-'))
  let made = 0
  const folder = () => join(root, String(++made))
  try {
    const append = await inTurn(
      {
        ours: async () => {
          const { writer, rate } = await appendAll(folder(), people, 'plain')
          await writer.close()
          return rate
        },
        peer: async () => {
          const raw = new RawLog(folder())
          const rate = appendRaw(raw, people)
          await raw.close()
          return rate
        },
      },
      rounds,
    )
    return [
      figure('append, each 1,000 on disk before the next', append, 150_000),
      ...(await reads(folder(), folder(), people, rounds)),
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function reads(
  ourFolder: string,
  rawFolder: string,
  people: readonly Person[],
  rounds: number,
): Promise<Figure[]> {
  const { writer } = await appendAll(ourFolder, people, 'indexed')
  const raw = new RawLog(rawFolder)
  appendRaw(raw, people)
  raw.index(people.map(({ encoded, company }) => [company, encoded.id]))
  const reader = openLog(ourFolder)
  const snapshot = reader.snapshot()
  try {
    const view = snapshot.dataset('person') as DatasetView
    const index = view.document.indexes[0]?.number as number
    const draw = random(7)
    const ids = Array.from({ length: POINTS }, () => `p${(draw() * COUNT) | 0}`)
    const missing = ids.map((id) => `q${id}`)
    const companies = Array.from({ length: LOOKUPS }, () => `~:company:c${(draw() * COMPANIES) | 0}`)
    const keys = companies.map((one) => Buffer.from(one))
    compare(view, raw, index, ids, companies)
    const scan = await inTurn(
      {
        ours: () => rate(COUNT, () => sum(view.changes(null), bodyLength)),
        peer: () => rate(COUNT, () => sum(raw.scan(), ({ length }) => length)),
      },
      rounds,
    )
    const decode = await inTurn(
      {
        ours: () => rate(COUNT, () => sum(view.changes(null), (one) => (entityOf(one, INTERNAL) ? 1 : 0))),
        peer: () => rate(COUNT, () => sum(raw.scan(), (one) => (JSON.parse(one.toString()) ? 1 : 0))),
      },
      rounds,
    )
    const point = await inTurn(
      {
        ours: () => rate(POINTS, () => sum(ids, (id) => bodyLength(view.latest(id) as Version))),
        peer: () => rate(POINTS, () => sum(ids, (id) => raw.latest(id)?.length as number)),
        parsed: () => rate(POINTS, () => sum(ids, (id) => (entityOf(view.latest(id) as Version, INTERNAL) ? 1 : 0))),
      },
      rounds,
    )
    const head = await inTurn(
      {
        ours: () => rate(POINTS, () => sum(ids, (id) => view.head(id)?.sequence as number)),
        peer: () => rate(POINTS, () => sum(ids, (id) => raw.head(id)?.length as number)),
        missing: () => rate(POINTS, () => sum(missing, (id) => (view.head(id) === undefined ? 1 : 0))),
      },
      rounds,
    )
    const lookup = await inTurn(
      {
        ours: () => rate(LOOKUPS, () => sum(keys, (key) => view.lookup(index, key).length)),
        peer: () => rate(LOOKUPS, () => sum(companies, (company) => raw.lookup(company).length)),
      },
      rounds,
    )
    return [
      figure('scan, versions as bytes', scan, 300_000),
      figure('scan and decode, entities', decode, 300_000, ['the peer parses with JSON.parse']),
      figure('point read, the newest version as bytes', point, 250_000, [
        `and parsed ${shown(point.parsed)} entities/s`,
      ]),
      figure('point read, hash and sequence only', head, 250_000, [`unknown ids ${shown(head.missing)}/s`]),
      figure('join index lookup, 20 ids each', lookup, 100_000),
    ]
  } finally {
    reader.close()
    await raw.close()
    await writer.close()
  }
}

const INTERNAL = { internal: true } as const

async function appendAll(path: string, people: readonly Person[], kind: 'plain' | 'indexed') {
  const writer = await LogWriter.open(path)
  await writer.assertDataset('person')
  const index = kind === 'indexed' ? await writer.assertIndex('person', 'company', '') : null
  const startedAt = performance.now()
  for (let at = 0; at < people.length; at += BATCH) {
    const packer = new EntityPacker(BATCH * 600)
    for (const { encoded, company } of people.slice(at, at + BATCH)) {
      packer.add(encoded, index === null ? [] : [[index.number, [Buffer.from(company)]]])
    }
    const indexSet = index === null ? 0 : 1
    await writer.commit({ writes: [{ dataset: 'person', entities: packer.finish(), indexSet }] })
  }
  return { writer, rate: (people.length / (performance.now() - startedAt)) * 1000 }
}

function appendRaw(raw: RawLog, people: readonly Person[]): number {
  return rate(people.length, () => {
    for (let at = 0; at < people.length; at += BATCH) {
      raw.append(people.slice(at, at + BATCH).map(({ encoded }) => encoded))
    }
  })
}

/** Both hold the same, before any time counts. */
function compare(view: DatasetView, raw: RawLog, index: number, ids: readonly string[], companies: readonly string[]) {
  const digest = (bodies: Iterable<Uint8Array>) => {
    const hash = createHash('md5')
    for (const body of bodies) hash.update(body)
    return hash.digest('hex')
  }
  const ours = function* (versions: Iterable<Version>) {
    for (const { body } of versions) yield body
  }
  mustEqual('hash of the scan', digest(ours(view.changes(null))), digest(raw.scan()))
  const some = ids.slice(0, 5_000)
  mustEqual(
    'hash of the point reads',
    digest(some.map((id) => Buffer.from(view.latest(id)?.body ?? []))),
    digest(some.map((id) => Buffer.from(raw.latest(id) ?? []))),
  )
  for (const company of companies.slice(0, 500)) {
    mustEqual(`ids of ${company}`, view.lookup(index, Buffer.from(company)).join(), raw.lookup(company).join())
  }
}

function figure(
  name: string,
  { ours, peer }: { readonly ours: readonly number[]; readonly peer: readonly number[] },
  target: number,
  notes: readonly string[] = [],
): Figure {
  return {
    name: `log: ${name}`,
    unit: '/s',
    values: ours,
    target,
    peer: { name: 'raw lmdb', values: peer, least: LEAST_RATIO },
    notes,
  }
}

const bodyLength = ({ body }: Version): number => body.length

function sum<T>(things: Iterable<T>, of: (thing: T) => number): number {
  let total = 0
  for (const thing of things) total += of(thing)
  return total
}

/** Work of so many pieces, a second. */
function rate(count: number, work: () => unknown): number {
  const startedAt = performance.now()
  work()
  return (count / (performance.now() - startedAt)) * 1000
}

const shown = (values: readonly number[]): string => Math.round(Math.max(...values)).toLocaleString('en')
