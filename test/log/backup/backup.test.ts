/** The law of backups: whatever was written, erased, compacted, deleted or indexed, a restored log has what the log had then. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Contents } from '../../../src/log/backup/contents.ts'
import { FULL_FILE, INCREMENT_FILE } from '../../../src/log/backup/protocol.ts'
import { compareContents, restoreLog } from '../../../src/log/backup/restore.ts'
import { writeFull, writeSince } from '../../../src/log/backup/write.ts'
import type { DatasetView, Snapshot, Version } from '../../../src/log/contract.ts'
import { fillIndex } from '../../../src/log/fill.ts'
import { type LogReader, openLog } from '../../../src/log/reader.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import { get } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { bytes, folder, reading, write } from '../sample.ts'
import { verified } from '../verify/harm.ts'

const long = 'æ'.repeat(300)
const IDS = ['a', 'b', 'c', 'd', `${long}1`, `${long}2`]
const DATASETS = ['d', 'e']

type Step =
  | { readonly type: 'write'; readonly dataset: string; readonly entities: readonly Json[]; readonly erases: boolean }
  | { readonly type: 'delete' | 'index' | 'unindex' | 'compact' | 'vanish'; readonly dataset: string }
  | { readonly type: 'backup'; readonly isFull: boolean }

interface Json {
  readonly [name: string]: unknown
  readonly _id: string
  readonly _deleted: boolean
  readonly p: string
}

const dataset = fc.constantFrom(...DATASETS)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      dataset,
      entities: fc.array(
        fc.record({
          _id: fc.constantFrom(...IDS),
          _deleted: fc.boolean(),
          p: fc.constantFrom('1', '2', 'k'.repeat(600)),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      erases: fc.nat({ max: 9 }).map((n) => n === 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('backup' as const), isFull: fc.nat({ max: 4 }).map((n) => n === 0) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('delete', 'index', 'index', 'unindex', 'compact', 'vanish'),
      dataset,
    }),
  },
)

it('restores what was there when the backup was made, full or incremental', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (program) => {
      const root = folder()
      const house = new House(root)
      try {
        await house.open()
        for (const one of program) await house.take(one)
        await house.take({ type: 'backup', isFull: false })
        await house.restoreAll()
      } finally {
        await house.close()
        rmSync(root, { recursive: true, force: true })
      }
    }),
    { numRuns: 25, interruptAfterTimeLimit: 50_000 },
  )
}, 120_000)

const keyOf = (entity: Entity): Uint8Array[] => [bytes(get(entity, 'p') as string)]

interface Backup {
  readonly folder: string
  readonly isFull: boolean
  readonly contents: Contents
  readonly then: Dump
}

class House {
  readonly #root: string
  readonly #backups: Backup[] = []
  #writer!: LogWriter
  #log!: LogReader
  #writes = 0

  constructor(root: string) {
    this.#root = root
  }

  get #path(): string {
    return join(this.#root, 'log')
  }

  async open(): Promise<void> {
    this.#writer = await LogWriter.open(this.#path)
    this.#log = openLog(this.#path)
    for (const one of DATASETS) await this.#writer.assertDataset(one)
  }

  async close(): Promise<void> {
    this.#log.close()
    await this.#writer.close()
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'write':
        return this.#write(step)
      case 'delete':
        await this.#writer.deleteDataset(step.dataset)
        await this.#writer.assertDataset(step.dataset)
        return
      case 'index':
        return fillIndex(this.#writer, this.#log, step.dataset, 'p', keyOf)
      case 'unindex':
        for (const { number } of this.#view(step.dataset).document.indexes)
          await this.#writer.deleteIndex(step.dataset, number)
        return
      case 'compact':
        return this.#remove(step.dataset, (one, latest) => one.sequence !== latest?.sequence)
      case 'vanish':
        return this.#remove(step.dataset, (one) => one.id === 'a')
      case 'backup':
        return this.#backUp(step.isFull)
    }
  }

  async #write({ dataset: id, entities, erases }: Step & { type: 'write' }): Promise<void> {
    const { indexes, indexSet } = this.#view(id).document
    const keysOf = (json: Readonly<Record<string, unknown>>) =>
      indexes.map(({ number }) => [number, [bytes(json.p as string)]] as const)
    const number = String(this.#writes++)
    await this.#writer.commit({
      writes: [write(id, entities, { indexSet, keysOf, erases })],
      offsets: [['o', number]],
      state: [[bytes(`s${this.#writes % 3}`), this.#writes % 4 === 0 ? null : bytes(number)]],
      meta: [['m', number]],
    })
  }

  async #remove(id: string, goes: (one: Version, latest: Version | undefined) => boolean): Promise<void> {
    const view = this.#view(id)
    const { generation } = view.document
    const blocks = new Map<number, number[]>()
    const ids: number[] = []
    reading(this.#log, (snapshot) => {
      const present = snapshot.dataset(id) as DatasetView
      for (const place of present.places(null)) {
        const latest = present.latest(place.id)
        if (!goes(present.version(place.sequence) as Version, latest)) continue
        blocks.set(place.block, [...(blocks.get(place.block) ?? []), place.sequence])
        if (latest?.sequence === place.sequence) ids.push(place.sequence)
      }
    })
    await this.#writer.remove({ dataset: id, generation, blocks: [...blocks], ids, position: String(this.#writes) })
  }

  async #backUp(isFull: boolean): Promise<void> {
    const target = join(this.#root, `backup${this.#backups.length}`)
    mkdirSync(target)
    const parent = isFull ? undefined : this.#backups.at(-1)
    const then = reading(this.#log, dump)
    const { contents } =
      parent === undefined ? await writeFull(this.#path, target) : writeSince(this.#path, target, parent.contents)
    this.#backups.push({ folder: target, isFull: parent === undefined, contents, then })
  }

  async restoreAll(): Promise<void> {
    for (const [place, backup] of this.#backups.entries()) {
      const restored = join(this.#root, `restored${place}`)
      mkdirSync(restored)
      const begin = this.#backups.slice(0, place + 1).findLastIndex((one) => one.isFull)
      const increments = this.#backups.slice(begin + 1, place + 1).map((one) => join(one.folder, INCREMENT_FILE))
      await restoreLog(join((this.#backups[begin] as Backup).folder, FULL_FILE), increments, restored, 'a-uuid')
      compareContents(restored, backup.contents)
      const { findings } = await verified(restored, { keysOf: (_, __, entity) => keyOf(entity) })
      expect(findings).toEqual([])
      await expectSame(restored, backup.then)
    }
  }

  #view(id: string): DatasetView {
    return reading(this.#log, (snapshot) => snapshot.dataset(id) as DatasetView)
  }
}

type Plain = readonly [string, number, number | null, boolean, number, string, string]

interface Dump {
  readonly datasets: ReadonlyMap<
    string,
    { latest: Plain[]; versions: Plain[]; end: number; generation: string; ids: Record<string, string[]> }
  >
  readonly offsets: readonly (readonly [string, string])[]
  readonly states: readonly string[]
  readonly meta: string | undefined
}

function dump(snapshot: Snapshot): Dump {
  return {
    datasets: new Map(
      snapshot.datasets().map(({ id, generation, restore, indexes }) => {
        const view = snapshot.dataset(id) as DatasetView
        const ids = Object.fromEntries(
          indexes
            .filter(({ state }) => state === 'ready')
            .flatMap(({ number }) =>
              ['1', '2', 'k'.repeat(600)].map((key) => [key, [...view.lookup(number, bytes(key), { deleted: true })]]),
            ),
        )
        const all = { latest: [...view.entities()].map(plain), versions: [...view.changes(null)].map(plain) }
        // A restored dataset has another generation, and says which one it had.
        const then = restore?.generation ?? generation
        return [id, { ...all, end: view.counts().end, generation: then, ids }] as const
      }),
    ),
    offsets: snapshot.offsets(''),
    states: [...snapshot.states(new Uint8Array(0))].map((one) =>
      String(one.map((part) => Buffer.from(part).toString())),
    ),
    meta: snapshot.meta('m'),
  }
}

const plain = ({ id, sequence, previous, deleted, ts, hash, body }: Version): Plain => [
  id,
  sequence,
  previous,
  deleted,
  ts,
  hash,
  Buffer.from(body).toString(),
]

async function expectSame(path: string, then: Dump): Promise<void> {
  // The writer sweeps what is to be swept, and whoever needs an index fills it.
  const writer = await LogWriter.open(path)
  const log = openLog(path)
  try {
    for (const [id, { ids }] of then.datasets) {
      if (Object.keys(ids).length > 0) await fillIndex(writer, log, id, 'p', keyOf)
    }
    const now = reading(log, dump)
    expect({ ...now, datasets: null }).toEqual({ ...then, datasets: null })
    expect([...now.datasets.keys()]).toEqual([...then.datasets.keys()])
    for (const [id, { versions, ids, ...rest }] of then.datasets) {
      const found = now.datasets.get(id) as typeof rest & { versions: Plain[]; ids: typeof ids }
      expect({ latest: found.latest, end: found.end, generation: found.generation }).toEqual(rest)
      // Compaction is not part of increments: versions that it took away since may still be there.
      expect(found.versions).toEqual(expect.arrayContaining(versions))
      if (Object.keys(ids).length > 0) expect(found.ids).toEqual(ids)
      const { document } = reading(log, (snapshot) => snapshot.dataset(id) as DatasetView)
      expect(document.restore).toEqual({
        uuid: 'a-uuid',
        offset: rest.end === 0 ? null : rest.end - 1,
        generation: rest.generation,
      })
    }
  } finally {
    log.close()
    await writer.close()
  }
  const { findings } = await verified(path, { keysOf: (_, __, entity) => keyOf(entity) })
  expect(findings).toEqual([])
}

it('keeps what a circuit breaker holds back, and forgets what it held back before', async () => {
  const root = folder()
  const path = join(root, 'log')
  const writer = await LogWriter.open(path)
  await writer.assertDataset('d')
  await writer.assertDataset('e')
  const stage = async (dataset: string, id: string) => {
    const run = { pipe: `into-${dataset}`, number: await writer.beginRun(`into-${dataset}`) }
    await writer.beginStaging(dataset, run, 100)
    await writer.commit({ run, writes: [write(dataset, [{ _id: id }])] })
    return run
  }
  await writer.commit({ writes: [write('d', [{ _id: 'a' }]), write('e', [{ _id: 'a' }])] })
  const held = await stage('d', 'held')
  for (const name of ['full', 'increment', 'restored']) mkdirSync(join(root, name))
  const { contents } = await writeFull(path, join(root, 'full'))
  await writer.endRun(held.pipe, held.number)
  await stage('e', 'held too')
  await writer.commit({ writes: [write('d', [{ _id: 'b' }])] })
  const increment = writeSince(path, join(root, 'increment'), contents)
  await writer.close()
  await restoreLog(
    join(root, 'full', FULL_FILE),
    [join(root, 'increment', INCREMENT_FILE)],
    join(root, 'restored'),
    'u',
  )
  compareContents(join(root, 'restored'), increment.contents)
  expect((await verified(join(root, 'restored'))).findings).toEqual([])
  const log = openLog(join(root, 'restored'))
  const ids = (id: string) =>
    reading(log, (snapshot) =>
      [...(snapshot.dataset(id) as DatasetView).withUncommitted().changes(null)].map((one) => one.id),
    )
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.staging())).toBeUndefined()
  expect(ids('d')).toEqual(['a', 'b'])
  expect(ids('e')).toEqual(['a', 'held too'])
  log.close()
})

it('refuses an increment that is cut short, and one whose predecessor is another', async () => {
  const root = folder()
  const writer = await LogWriter.open(join(root, 'log'))
  await writer.assertDataset('d')
  const step = async (name: string, then?: Contents) => {
    mkdirSync(join(root, name))
    return then === undefined
      ? writeFull(join(root, 'log'), join(root, name))
      : writeSince(join(root, 'log'), join(root, name), then)
  }
  await writer.commit({ writes: [write('d', [{ _id: 'a' }])] })
  const full = await step('full')
  await writer.commit({ writes: [write('d', [{ _id: 'b' }])] })
  const first = await step('first', full.contents)
  await writer.commit({ writes: [write('d', [{ _id: 'c' }])] })
  await step('second', first.contents)
  await writer.close()
  const restore = async (name: string, increments: readonly string[]) => {
    mkdirSync(join(root, name))
    const files = increments.map((one) => join(root, one, INCREMENT_FILE))
    await restoreLog(join(root, 'full', FULL_FILE), files, join(root, name), 'u')
  }
  await restore('restored', ['first', 'second'])
  await expect(restore('without-first', ['second'])).rejects.toMatchObject({ code: 'bad-backup' })
  const whole = readFileSync(join(root, 'first', INCREMENT_FILE))
  writeFileSync(join(root, 'first', INCREMENT_FILE), whole.subarray(0, whole.length - 30))
  await expect(restore('cut', ['first'])).rejects.toMatchObject({ code: 'bad-backup' })
})
