import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../../src/log/contract.ts'
import { type LogReader, openLog } from '../../../src/log/reader.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import { get } from '../../../src/model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../../src/model/entity.ts'
import { writeJson } from '../../../src/model/json.ts'
import type { OpenSource, Surroundings } from '../../../src/pipes/contract.ts'
import type { Logger } from '../../../src/pipes/logger.ts'
import { silent } from '../../../src/pipes/logger.ts'
import { mergeSource } from '../../../src/pipes/sources/merge.ts'
import { write } from '../../log/sample.ts'
import { configured, surroundings } from '../surroundings.ts'

let log: LogReader
let writer: LogWriter

const path = mkdtempSync(join(tmpdir(), 'samtale-merge-'))

beforeAll(async () => {
  writer = await LogWriter.open(path)
  log = openLog(path)
})

afterAll(async () => {
  await log.close()
  await writer.close()
  rmSync(path, { recursive: true, force: true })
})

let counter = 0
const fresh = (name: string): string => `${name}-${counter++}`

type Json = Record<string, unknown>

/** A merge pipe as the engine moves it: its batches are committed with their state, its entities go into a map. */
class Pipe {
  readonly id = fresh('pipe')
  readonly sink = new Map<string, string>()
  readonly warnings: { message: string; details: Json }[] = []
  emitted: Entity[] = []
  offset: string | null = null
  batchSize = 100
  readonly #changes: Partial<Surroundings>

  constructor(changes: Partial<Surroundings> = {}) {
    this.#changes = changes
  }

  /** Stops after so many batches, as a process that ends does. */
  async run(
    config: Json,
    options: { since?: string | null; batches?: number; commits?: boolean } = {},
  ): Promise<string[]> {
    const { since = this.offset, batches = Number.POSITIVE_INFINITY, commits = true } = options
    const snapshot = log.snapshot()
    const before = this.emitted.length
    try {
      let left = batches
      for await (const batch of this.#open(config, snapshot).read(since, new AbortController().signal)) {
        if (left-- <= 0) break
        if (commits) await writer.commit({ state: batch.state ?? [] })
        for (const entity of batch.entities) this.#take(entity)
        if (batch.offset !== null) this.offset = batch.offset
        snapshot.renew()
      }
    } finally {
      snapshot.close()
    }
    return this.emitted.slice(before).map(spoken)
  }

  reread(config: Json, dataset: string, ids: readonly string[]): string[] {
    const snapshot = log.snapshot()
    try {
      return (this.#open(config, snapshot).reread?.(dataset, ids) ?? []).map(spoken)
    } finally {
      snapshot.close()
    }
  }

  #take(entity: Entity): void {
    this.emitted.push(entity)
    if (isDeleted(entity)) this.sink.delete(idOf(entity))
    else this.sink.set(idOf(entity), writeJson(get(entity, '$ids') ?? null))
  }

  #open(config: Json, snapshot: Snapshot): OpenSource {
    const hears: Logger = {
      ...silent,
      warn: (message, details) => this.warnings.push({ message, details: { ...details } }),
    }
    return mergeSource.open(
      configured(mergeSource.config, { type: 'merge', version: 2, ...config }),
      surroundings(
        {},
        { pipe: this.id, batchSize: this.batchSize, snapshot: () => snapshot, log: hears, ...this.#changes },
      ),
    )
  }
}

const spoken = (entity: Entity): string =>
  `${isDeleted(entity) ? '-' : ''}${get(entity, '$replaced') === true ? '~' : ''}${idOf(entity)}`

async function put(dataset: string, ...entities: Json[]): Promise<void> {
  await writer.assertDataset(dataset)
  await writer.commit({ writes: [write(dataset, entities)] })
}

async function twoDatasets(): Promise<{ a: string; b: string; config: Json }> {
  const a = fresh('a')
  const b = fresh('b')
  await put(a, { _id: 'a1', mail: 'X@example.com' }, { _id: 'a2', mail: null })
  await put(b, { _id: 'b1', email: ['x@example.com', 'y'] })
  return { a, b, config: { datasets: [`${a} a`, `${b} b`], equality: [['eq', ['lower', 'a.mail'], 'b.email']] } }
}

describe('the merge source', () => {
  test('makes one entity of those whose values overlap, with all identities and the old ids deleted', async () => {
    const { a, b, config } = await twoDatasets()
    const pipe = new Pipe()
    expect((await pipe.run(config)).sort()).toEqual(['0|a1|1|b1', '0|a2'])
    expect(writeJson(pipe.emitted.find((one) => idOf(one) === '0|a1|1|b1') as Entity)).toBe(
      '{"_id":"0|a1|1|b1","_deleted":false,"_updated":0,"mail":"X@example.com","email":["x@example.com","y"],"$ids":["~:a1","~:b1"]}',
    )
    expect(pipe.offset).toBe('1,0')
    expect(await pipe.run(config)).toEqual([])
    await put(a, { _id: 'a2', mail: 'Y' })
    await put(b, { _id: 'b2', email: 'x@EXAMPLE.com' })
    expect((await pipe.run(config)).sort()).toEqual(['-~0|a1|1|b1', '-~0|a2', '0|a1|0|a2|1|b1', '1|b2'])
    expect(pipe.offset).toBe('2,1')
  })

  test('emits a deleted entity by itself with what it last held', async () => {
    const { b, config } = await twoDatasets()
    const pipe = new Pipe()
    await pipe.run(config)
    await put(b, { _id: 'b1', email: ['x@example.com'], note: 'bye', _deleted: true })
    expect((await pipe.run(config)).sort()).toEqual(['-1|b1', '-~0|a1|1|b1', '0|a1'])
    expect(get(pipe.emitted.find((one) => idOf(one) === '1|b1') as Entity, 'note')).toBe('bye')
  })

  test('emits everything on a full read, and deletes what an earlier state had emitted and is not there any more', async () => {
    const { a, config } = await twoDatasets()
    const pipe = new Pipe()
    await pipe.run(config)
    await put(a, { _id: 'a1', mail: 'other' })
    expect((await pipe.run(config, { since: null })).sort()).toEqual(['-~0|a1|1|b1', '0|a1', '0|a2', '1|b1'])
    expect((await pipe.run(config, { since: null })).sort()).toEqual(['0|a1', '0|a2', '1|b1'])
    expect(rowsOf(pipe.id)).toBeLessThan(20)
    expect(pipe.emitted.map((entity) => get(entity, '_updated'))).toEqual(pipe.emitted.map((_, at) => at))
  })

  test('follows other rules, which hold for what was there before, and emits only what that changes', async () => {
    const { config } = await twoDatasets()
    const pipe = new Pipe()
    await pipe.run(config)
    expect((await pipe.run({ ...config, equality: [] })).sort()).toEqual(['-~0|a1|1|b1', '0|a1', '1|b1'])
    expect((await pipe.run(config)).sort()).toEqual(['-~0|a1', '-~1|b1', '0|a1|1|b1'])
    expect(await pipe.run(config)).toEqual([])
    expect((await pipe.run({ ...config, strategy: 'compact' })).sort()).toEqual(['0|a1|1|b1', '0|a2'])
  })

  test('takes in a dataset and lets it go, and emits only what that changes', async () => {
    const { a, b, config } = await twoDatasets()
    const third = fresh('third')
    await put(third, { _id: 't1', mail: 'x@example.com' }, { _id: 't2' })
    const more = {
      datasets: [`${a} a`, `${b} b`, `${third} t`],
      equality: [...(config.equality as unknown[]), ['eq', 'b.email', 't.mail']],
    }
    const pipe = new Pipe()
    await pipe.run(config)
    expect((await pipe.run(more)).sort()).toEqual(['-~0|a1|1|b1', '0|a1|1|b1|2|t1', '2|t2'])
    expect(pipe.offset).toBe('1,0,1')
    expect((await pipe.run(config)).sort()).toEqual(['-2|t2', '-~0|a1|1|b1|2|t1', '0|a1|1|b1'])
    expect(pipe.offset).toBe('1,0')
    expect(await pipe.run(config)).toEqual([])
    // Ids name places: with others in their places all are other ids.
    const turned = { ...config, datasets: [`${b} b`, `${a} a`] }
    expect((await pipe.run(turned)).sort()).toEqual(['-~0|a1|1|b1', '-~0|a2', '0|b1|1|a1', '1|a2'])
  })

  test('lets a dataset go, and begins anew when one was made again', async () => {
    const { a, b, config } = await twoDatasets()
    const pipe = new Pipe()
    await pipe.run(config)
    expect((await pipe.run({ datasets: [`${b} b`] })).sort()).toEqual(['-0|a2', '-~0|a1|1|b1', '0|b1'])
    await pipe.run(config)
    await writer.deleteDataset(a)
    await put(a, { _id: 'a9', mail: 'x@example.com' })
    expect((await pipe.run(config)).sort()).toEqual(['-0|a2', '-~0|a1|1|b1', '0|a9|1|b1'])
  })

  test('reads a dataset that comes later', async () => {
    const { a, config } = await twoDatasets()
    const later = fresh('later')
    const more = { ...config, datasets: [`${a} a`, `${later} b`] }
    const pipe = new Pipe()
    expect((await pipe.run(more)).sort()).toEqual(['0|a1', '0|a2'])
    expect(pipe.offset).toBe('1,')
    await put(later, { _id: 'l1', email: 'x@example.com' })
    expect((await pipe.run(more)).sort()).toEqual(['-~0|a1', '0|a1|1|l1'])
  })

  test('reads again from an offset that somebody set', async () => {
    const { config } = await twoDatasets()
    const pipe = new Pipe()
    await pipe.run(config)
    expect(await pipe.run(config, { since: '0,0' })).toEqual(['0|a2'])
    expect((await pipe.run(config, { since: ',' })).sort()).toEqual(['0|a1|1|b1', '0|a2'])
    expect(await pipe.run(config, { since: '99,99' })).toEqual([])
  })

  test('leaves a class above max_merged apart and says which values bind most', async () => {
    const a = fresh('a')
    await put(a, ...[1, 2, 3, 4].map((i) => ({ _id: `a${i}`, mail: 'none@example.com', phone: `${i}` })))
    const config = {
      datasets: [`${a} crm`],
      equality: [
        ['eq', ['lower', 'crm.mail'], ['lower', 'crm.mail']],
        ['eq', 'crm.phone', 'crm.phone'],
      ],
      max_merged: 3,
    }
    const pipe = new Pipe()
    expect((await pipe.run(config)).sort()).toEqual(['0|a1', '0|a2', '0|a3', '0|a4'])
    expect(pipe.warnings).toHaveLength(1)
    expect(pipe.warnings[0]?.message).toContain('["lower","crm.mail"] = "none@example.com" (4)')
    expect(pipe.warnings[0]?.details).toMatchObject({ members: 4, maxMerged: 3 })
    await put(a, { _id: 'a4', mail: 'own@example.com', phone: '4' })
    expect((await pipe.run(config)).sort()).toEqual(['-~0|a1', '-~0|a2', '-~0|a3', '0|a1|0|a2|0|a3', '0|a4'])
  })

  test('binds what an identity list names, by namespaced identifiers or text', async () => {
    const { a, b } = await twoDatasets()
    const list = fresh('same')
    await put(list, { _id: 'l1', things: ['~:crm:a2', 'crm:b1', 'crm:unknown'] })
    const config = { datasets: [`${a} a`, `${b} b`], identity_lists: [`${list} things`] }
    const namespaced = { namespacedIdentifiers: true, identityNamespace: 'crm' }
    const pipe = new Pipe(namespaced)
    expect((await pipe.run(config)).sort()).toEqual(['0|a1', '0|a2|1|b1'])
    expect(pipe.sink.get('0|a2|1|b1')).toBe('["~:crm:a2","~:crm:b1"]')
    await put(list, { _id: 'l1', _deleted: true })
    expect((await pipe.run(config)).sort()).toEqual(['-~0|a2|1|b1', '0|a2', '1|b1'])
  })

  test('binds what entities say in owl:sameAs, in their own datasets or in one of statements', async () => {
    const [a, b, statements] = [fresh('a'), fresh('b'), fresh('statements')]
    await put(a, { _id: 'a1', 'owl:sameAs': '~:erp:b1' }, { _id: 'http://example.org/a.2' })
    await put(b, { _id: 'erp:b1' }, { _id: 'erp:b2' })
    const config = { datasets: [`${a} a`, `${b} b`] }
    const namespaced = { namespacedIdentifiers: true, identityNamespace: 'crm' }
    const pipe = new Pipe(namespaced)
    await pipe.run(config)
    expect(pipe.sink.size).toBe(4)
    const own = { ...config, same_as: true }
    expect((await pipe.run(own)).sort()).toEqual(['-~0|a1', '-~1|erp:b1', '0|a1|1|erp:b1'])
    await put(
      statements,
      {
        _id: 'http://example.org/a.2',
        'http://www.w3.org/2002/07/owl#sameAs': ['~rhttp://example.org/none', 'erp:b2'],
      },
      { _id: 'erp:unknown', 'owl:sameAs': 'crm:unknown' },
    )
    const both = { ...own, identity_lists: [statements] }
    expect((await pipe.run(both)).sort()).toEqual([
      '-~0|http://example.org/a.2',
      '-~1|erp:b2',
      '0|http://example.org/a.2|1|erp:b2',
    ])
    await put(statements, { _id: 'http://example.org/a.2', _deleted: true })
    await put(a, { _id: 'a1' })
    expect((await pipe.run(both)).filter((said) => !said.startsWith('-')).sort()).toEqual([
      '0|a1',
      '0|http://example.org/a.2',
      '1|erp:b1',
      '1|erp:b2',
    ])
  })

  test('gives again what it made of members, each thing once, as they are now', async () => {
    const { a, b, config } = await twoDatasets()
    const pipe = new Pipe()
    expect(pipe.reread(config, a, ['a1'])).toEqual([])
    await pipe.run(config)
    expect(pipe.reread(config, a, ['a2', 'a1', 'nobody'])).toEqual(['0|a2', '0|a1|1|b1'])
    expect(pipe.reread(config, b, ['b1', 'b1'])).toEqual(['0|a1|1|b1'])
    await put(b, { _id: 'b1', email: 'other' })
    // Nothing is linked before it is read.
    expect(pipe.reread(config, b, ['b1'])).toEqual(['0|a1|1|b1'])
    await pipe.run(config, { batches: 1 })
    // Now it waits to be composed.
    expect(pipe.reread(config, b, ['b1'])).toEqual([])
    await pipe.run(config)
    expect(pipe.reread(config, b, ['b1'])).toEqual(['1|b1'])
    const large = { ...config, max_merged: 1, identity: 'stable' }
    await put(b, { _id: 'b1', email: 'x@example.com' })
    await pipe.run(large)
    expect(pipe.reread(large, a, ['a1'])).toHaveLength(1)
    expect(pipe.sink.has(pipe.reread(large, a, ['a1'])[0] as string)).toBe(true)
  })

  test('says which datasets its entities come from, and that they are parts of them', () => {
    const originOf = (config: Json) =>
      mergeSource.origin?.(configured(mergeSource.config, { type: 'merge', version: 2, ...config }))
    const origin = originOf({ datasets: ['a a', 'b b'], identity_lists: ['c same'] })
    expect(origin).toMatchObject({ datasets: ['a', 'b'], isPart: true })
    expect(['name', '$ids', '_id'].map((name) => origin?.carries(name))).toEqual([true, true, false])
    expect(originOf({ datasets: ['a a'], strategy: 'list' })?.carries('name')).toBe(false)
  })

  test('keeps the internal properties of members of a list only when asked', async () => {
    const { a } = await twoDatasets()
    const config = { datasets: [`${a} a`], strategy: 'list' }
    const [plain] = await emittedBy(config)
    expect(writeJson(plain as Entity)).toContain('"$merged":[{"_id":"a1","mail":"X@example.com"}]')
    const [full] = await emittedBy({ ...config, include_internal_properties: true })
    expect(writeJson(full as Entity)).toMatch(/"_updated":0,"_previous":null,"_ts":\d+,"_hash":"/)
  })

  test('a preview, which commits nothing, sees all and disturbs nothing', async () => {
    const { a, config } = await twoDatasets()
    const pipe = new Pipe()
    pipe.batchSize = 1
    await pipe.run(config)
    const before = [...pipe.sink].sort()
    const preview = new Pipe()
    Object.assign(preview, { id: pipe.id, batchSize: 1 })
    await preview.run(config, { since: null, commits: false })
    expect([...preview.sink].sort()).toEqual(before)
    await put(a, { _id: 'a2', mail: 'y' })
    expect((await pipe.run(config)).sort()).toEqual(['-~0|a1|1|b1', '-~0|a2', '0|a1|0|a2|1|b1'])
  })

  test('after any changes, interruptions, full reads, other datasets and rules, equals a merge from scratch', async () => {
    const change = fc.record({
      dataset: fc.nat(2),
      id: fc.nat(5),
      keys: fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 2 }),
      deleted: fc.boolean(),
    })
    const run = fc.record({
      batches: fc.option(fc.nat(6), { nil: Number.POSITIVE_INFINITY }),
      full: fc.boolean(),
      present: fc.oneof(fc.constant([0, 1, 2]), fc.shuffledSubarray([0, 1, 2], { minLength: 1 })),
      rules: fc.oneof(fc.constant([0, 1]), fc.subarray([0, 1, 2, 3])),
    })
    const history = fc.array(fc.tuple(fc.array(change, { maxLength: 6, size: 'max' }), run), {
      minLength: 1,
      maxLength: 6,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(history, fc.constantFrom('composite', 'first', 'stable'), async (rounds, identity) => {
        const datasets = [fresh('x'), fresh('y'), fresh('z')]
        for (const dataset of datasets) await writer.assertDataset(dataset)
        const configOf = ({ present, rules }: { present: readonly number[]; rules: readonly number[] }) => ({
          datasets: present.map((at) => `${datasets[at]} d${at}`),
          equality: rules
            .map(
              (rule) =>
                [
                  [0, 1],
                  [1, 2],
                  [0, 0],
                  [0, 2],
                ][rule] as number[],
            )
            .filter((sides) => sides.every((at) => present.includes(at)))
            .map(([one, other]) => ['eq', `d${one}.k`, `d${other}.k`]),
          identity,
        })
        const pipe = new Pipe()
        pipe.batchSize = 2
        for (const [changes, how] of rounds) {
          for (const { dataset, id, keys, deleted } of changes) {
            await put(datasets[dataset] as string, {
              _id: `${dataset}e${id}`,
              k: keys,
              _deleted: deleted && id % 2 === 0,
            })
          }
          await pipe.run(configOf(how), { batches: how.batches, ...(how.full ? { since: null } : {}) })
        }
        const [, last] = rounds.at(-1) as (typeof rounds)[number]
        await pipe.run(configOf(last))
        const scratch = new Pipe()
        await scratch.run(configOf(last))
        // Which ids were minted is history; what they stand for is not.
        const held = ({ sink }: Pipe) => (identity === 'stable' ? [...sink.values()].sort() : [...sink].sort())
        expect(held(pipe)).toEqual(held(scratch))
      }),
      { numRuns: 12 },
    )
  })
})

describe('the identity stable', () => {
  const three = async () => {
    const [a, b] = [fresh('a'), fresh('b')]
    await put(a, { _id: 'a1', k: '1' }, { _id: 'a2', k: '2' })
    await put(b, { _id: 'b1', k: '1' }, { _id: 'b2', k: '1' })
    const config = { datasets: [`${a} a`, `${b} b`], equality: [['eq', 'a.k', 'b.k']], identity: 'stable' }
    return { a, b, config }
  }
  /** Ids by what they stand for. */
  const idsOf = (pipe: Pipe): Json =>
    Object.fromEntries(
      [...pipe.sink].map(([id, ids]) => [(JSON.parse(ids) as string[]).map((one) => one.slice(2)).join('+'), id]),
    )

  test('mints an id once, and the larger part keeps it when a class comes apart', async () => {
    const { b, config } = await three()
    const pipe = new Pipe()
    await pipe.run(config)
    const first = idsOf(pipe)
    expect(Object.keys(first).sort()).toEqual(['a1+b1+b2', 'a2'])
    await put(b, { _id: 'b2', k: '3' })
    const said = await pipe.run(config)
    const second = idsOf(pipe)
    expect(second['a1+b1']).toBe(first['a1+b1+b2'])
    expect(said).toHaveLength(2)
    // It comes back: the id that fewer had is replaced.
    await put(b, { _id: 'b2', k: '1' })
    expect((await pipe.run(config)).sort()).toEqual([`-~${second.b2}`, first['a1+b1+b2']].sort())
  })

  test('gives two classes that become one the id that most had, or the older one', async () => {
    const { a, config } = await three()
    const pipe = new Pipe()
    await pipe.run(config)
    const before = idsOf(pipe)
    await put(a, { _id: 'a2', k: '1' })
    expect((await pipe.run(config)).sort()).toEqual([`-~${before.a2}`, before['a1+b1+b2']].sort())
  })

  test('keeps ids in a full read, after other rules, and when everybody left and came back', async () => {
    const { a, b, config } = await three()
    const pipe = new Pipe()
    await pipe.run(config)
    const before = idsOf(pipe)
    await pipe.run(config, { since: null })
    expect(idsOf(pipe)).toEqual(before)
    await pipe.run({ ...config, max_shared: 100 })
    expect(idsOf(pipe)).toEqual(before)
    await pipe.run({ ...config, datasets: [`${b} b`, `${a} a`] })
    expect(Object.values(idsOf(pipe)).sort()).toEqual(Object.values(before).sort())
    await pipe.run(config)
    await put(a, { _id: 'a2', _deleted: true })
    expect(await pipe.run(config)).toEqual([`-${before.a2}`])
    await put(a, { _id: 'a2', k: '2' })
    expect(await pipe.run(config)).toEqual([before.a2])
    await writer.deleteDataset(a)
    await pipe.run(config)
    await put(a, { _id: 'a2', k: '2' }, { _id: 'a1', k: '1' })
    await pipe.run(config)
    expect(idsOf(pipe)).toEqual(before)
  })

  test('tells its ids from those of any other merge', async () => {
    const { config } = await three()
    const [one, other] = [new Pipe(), new Pipe()]
    await one.run(config)
    await other.run(config)
    expect([...one.sink.keys()].filter((id) => other.sink.has(id))).toEqual([])
  })
})

describe('its configuration', () => {
  const check = (config: Json): string[] =>
    (mergeSource.check?.(configured(mergeSource.config, { type: 'merge', version: 2, ...config })) ?? []).map(
      ({ level, pointer, message }) => `${level} ${pointer} ${message}`,
    )

  test('is fine with rules between datasets and within one', () => {
    expect(
      check({
        datasets: ['a a', 'b b'],
        equality: [['eq', 'a.x', ['lower', 'b.y']]],
        equality_sets: [['a.x', 'b.x', 'a.z']],
      }),
    ).toEqual([])
  })

  test('is told by the version that it is deprecated', () => {
    expect(check({ datasets: ['a a'], version: 1 })).toEqual([expect.stringMatching(/^warning \/version /)])
  })

  test('has every mistake named with its place', () => {
    expect(
      check({
        datasets: ['a x', 'a y', 'b x', 'c d e'],
        equality: [
          ['eq', 'x.p', 'plain'],
          ['neq', 'x.p', 'y.p'],
          ['eq', ['concat', 'x.p', 'y.p'], 'x.p'],
        ],
        equality_sets: [['x.p']],
        identity_lists: ['same p more'],
      }).map((line) => line.split(' ').slice(0, 2).join(' ')),
    ).toEqual([
      'error /datasets/1',
      'error /datasets/2',
      'error /datasets/3',
      'error /equality/0/2',
      'error /equality/1',
      'error /equality/2/1',
      'error /equality_sets/0',
      'error /identity_lists/0',
    ])
  })

  test('names an expression that does not compile, by its place', () => {
    expect(check({ datasets: ['a a', 'b b'], equality: [['eq', ['lowr', 'a.x'], 'b.x']] })).toEqual([
      expect.stringMatching(/^error \/equality\/0\/1.*lowr/),
    ])
  })

  test('says which datasets make it populated', async () => {
    const [a, b] = [fresh('a'), fresh('b')]
    const populated = (config: Json): boolean => {
      const snapshot = log.snapshot()
      try {
        const filled = configured(mergeSource.config, {
          type: 'merge',
          version: 2,
          datasets: [`${a} a`, `${b} b`],
          ...config,
        })
        return mergeSource.populated?.(filled, snapshot) ?? false
      } finally {
        snapshot.close()
      }
    }
    await writer.assertDataset(a)
    expect(populated({})).toBe(false)
    await writer.commit({ populated: [[a, true]] })
    expect(populated({})).toBe(true)
    expect(populated({ ignore_non_existent_datasets: false })).toBe(false)
    expect(populated({ ignore_non_existent_datasets: false, initial_datasets: [a] })).toBe(true)
    await writer.assertDataset(b)
    expect(populated({})).toBe(false)
  })
})

async function emittedBy(config: Json): Promise<Entity[]> {
  const pipe = new Pipe()
  await pipe.run(config)
  return pipe.emitted
}

function rowsOf(pipe: string): number {
  const snapshot = log.snapshot()
  const rows = [...snapshot.states(Buffer.from(`${pipe}\u0000`))].length
  snapshot.close()
  return rows
}
