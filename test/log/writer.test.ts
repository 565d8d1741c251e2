import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HOUSE, LAYOUT, nameKey, readText, writeText } from '../../src/log/documents.ts'
import { keysIn, openForWriting, rowsOf } from '../../src/log/environment.ts'
import { fillIndex } from '../../src/log/fill.ts'
import { openLog } from '../../src/log/reader.ts'
import { storedJson } from '../../src/log/stored.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { bytes, commitTo, folder, openedLog, reading, write } from './sample.ts'

describe('append if changed', () => {
  it('stores a new entity with sequence 0 and no previous version', async () => {
    const { writer, log } = await openedLog({ now: () => 1_489_654_249_474_509 })
    const committed = await commitTo(writer, write('d', [{ _id: 'a', name: 'A' }]))
    expect(committed).toEqual({ writes: [{ written: 1, seen: 1, end: 1 }] })
    reading(log, (snapshot) => {
      const version = snapshot.dataset('d')?.latest('a')
      expect(version).toMatchObject({ id: 'a', sequence: 0, previous: null, deleted: false, ts: 1_489_654_249_474_509 })
      expect(version?.hash).toMatch(/^[0-9a-f]{32}$/)
      expect(JSON.parse(storedJson(version as never))).toEqual({
        _id: 'a',
        name: 'A',
        _deleted: false,
        _updated: 0,
        _previous: null,
        _ts: 1_489_654_249_474_509,
        _hash: version?.hash,
      })
    })
  })

  it('stores A, B, A as three versions, of which the last has the hash of the first', async () => {
    const { writer, log } = await openedLog()
    for (const name of ['A', 'A', 'B', 'B', 'A']) await commitTo(writer, write('d', [{ _id: 'a', name }]))
    reading(log, (snapshot) => {
      const versions = [...(snapshot.dataset('d')?.changes(null) ?? [])]
      expect(versions.map(({ sequence, previous }) => [sequence, previous])).toEqual([
        [0, null],
        [1, 0],
        [2, 1],
      ])
      expect(versions[2]?.hash).toBe(versions[0]?.hash)
      expect(versions[1]?.hash).not.toBe(versions[0]?.hash)
    })
  })

  it('appends when only the deleted state flips', async () => {
    const { writer, log } = await openedLog()
    for (const _deleted of [false, true, true, false]) await commitTo(writer, write('d', [{ _id: 'a', _deleted }]))
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d')
      expect([...(view?.changes(null) ?? [])].map(({ deleted }) => deleted)).toEqual([false, true, false])
      expect(view?.counts()).toEqual({ end: 3, existing: 1, deleted: 0, versions: 3 })
    })
  })

  it('stores a deleted version of an unknown id, but not where deletes are for what exists only', async () => {
    const { writer } = await openedLog()
    const gone = [{ _id: 'a', _deleted: true }]
    const { writes } = await commitTo(writer, write('d', gone, { deletesOnlyExisting: true }), write('d', gone))
    expect(writes.map(({ written }) => written)).toEqual([0, 1])
  })

  it('keeps an entity that is greater than a block whole', async () => {
    const { writer, log } = await openedLog()
    const texts = ['s', 'x'.repeat(40_000), 't', 'y'.repeat(20_000_000), 'u']
    await commitTo(
      writer,
      write(
        'd',
        texts.map((text, i) => ({ _id: `${i}`, text })),
      ),
    )
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d')
      const found = [...(view?.changes(null) ?? [])].map(({ body }) => JSON.parse(Buffer.from(body).toString()).text)
      expect(found.map(({ length }) => length)).toEqual(texts.map(({ length }) => length))
      expect(found).toEqual(texts)
      expect(Buffer.from(view?.latest('3')?.body ?? []).length).toBe(20_000_021)
    })
  })
})

describe('a commit', () => {
  it('is all there or not at all: entities, offsets, meta, state, populated and completeness', async () => {
    const { writer, log } = await openedLog()
    const all = {
      writes: [write('d', [{ _id: 'a' }])],
      offsets: [['source:p', '17']],
      meta: [['pipe:p', '{"on":true}']],
      state: [[bytes('p\u0000x'), bytes('1')]],
      populated: [['d', true]],
      completeness: [{ dataset: 'd', value: 5, upstream: { a: 3 } }],
    } as const
    await expect(writer.commit({ ...all, completeness: [{ dataset: 'nowhere', value: 5 }] })).rejects.toMatchObject({
      code: 'unknown-dataset',
    })
    reading(log, (snapshot) => {
      expect(snapshot.dataset('d')?.counts().versions).toBe(0)
      expect(snapshot.offset('source:p')).toBeUndefined()
    })
    await writer.commit(all)
    reading(log, (snapshot) => {
      expect(snapshot.dataset('d')?.document).toMatchObject({ populated: true, completeness: 5, upstream: { a: 3 } })
      expect(snapshot.offsets('source:')).toEqual([['source:p', '17']])
      expect(snapshot.meta('pipe:p')).toBe('{"on":true}')
      expect([...snapshot.states(bytes('p\u0000'))].map(([key, value]) => `${key} ${value}`)).toEqual(['p\u0000x 1'])
    })
    await writer.commit({ offsets: [['source:p', null]], meta: [['pipe:p', null]], state: [[bytes('p\u0000x'), null]] })
    reading(log, (snapshot) => {
      expect(snapshot.offset('source:p')).toBeUndefined()
      expect(snapshot.meta('pipe:p')).toBeUndefined()
      expect(snapshot.state(bytes('p\u0000x'))).toBeUndefined()
    })
  })

  it('that is refused leaves its neighbours in the same transaction alone', async () => {
    const { writer, log } = await openedLog()
    const one = writer.commit({ writes: [write('d', [{ _id: 'a' }])] })
    const bad = writer.commit({ writes: [write('d', [{ _id: 'b' }]), write('nowhere', [{ _id: 'c' }])] })
    const malformed = writer.commit({ writes: [{ dataset: 'd', entities: new ArrayBuffer(9), indexSet: 0 }] })
    const two = writer.commit({ writes: [write('d', [{ _id: 'd' }])] })
    await expect(bad).rejects.toMatchObject({ code: 'unknown-dataset' })
    await expect(malformed).rejects.toMatchObject({ code: 'bad-batch' })
    await Promise.all([one, two])
    expect(reading(log, (snapshot) => [...(snapshot.dataset('d')?.entities() ?? [])].map(({ id }) => id))).toEqual([
      'a',
      'd',
    ])
  })

  it('with too large an entity is refused with its name, its size and the limit, and is taken at exactly the limit', async () => {
    // Its own limit of 200 holds for all; a write may ask for a smaller one.
    const { writer } = await openedLog({ maxEntityBytes: 200 })
    const sized = (bytes: number) => ({ _id: 'æ', text: 'x'.repeat(bytes - '{"_id":"æ","text":""}'.length - 1) })
    for (const [limit, options] of [
      [100, { maxEntityBytes: 100 }],
      [200, {}],
      [200, { maxEntityBytes: 1_000 }],
    ] as const) {
      const large = write('d', [{ _id: 'a' }, sized(limit + 1)], options)
      await expect(commitTo(writer, large)).rejects.toMatchObject({
        code: 'entity-too-large',
        message: expect.stringContaining(`'æ'`),
        details: { dataset: 'd', entity: 'æ', bytes: limit + 1, limit },
      })
      const { writes } = await commitTo(writer, write('d', [sized(limit)], options))
      expect(writes).toMatchObject([{ seen: 1 }])
    }
  })

  it('with names or keys that cannot be stored is refused', async () => {
    const { writer } = await openedLog()
    const long = 'x'.repeat(2_000)
    await expect(writer.commit({ offsets: [[long, '1']] })).rejects.toMatchObject({ code: 'bad-name' })
    await expect(writer.commit({ meta: [['', '1']] })).rejects.toMatchObject({ code: 'bad-name' })
    await expect(writer.commit({ state: [[bytes(long), bytes('1')]] })).rejects.toMatchObject({ code: 'key-too-long' })
    await expect(writer.assertDataset('a/b')).rejects.toMatchObject({ code: 'bad-name' })
    await writer.commit({ state: [[bytes(long.slice(0, 1978)), bytes('1')]], offsets: [[long.slice(0, 512), '1']] })
  })
})

describe('datasets', () => {
  it('whose document was stored before it had all its properties have the ordinary ones', async () => {
    const { path, writer, log } = await openedLog()
    const before = await writer.assertDataset('d')
    await writer.close()
    const environment = openForWriting(path)
    const { meta } = environment.tables
    environment.write(() => {
      const { kind, durable, isTripped, ...former } = JSON.parse(readText(meta, nameKey('d', 'd')) as string)
      writeText(meta, nameKey('d', 'd'), JSON.stringify(former))
    })
    await environment.close()
    const again = await LogWriter.open(path)
    expect(await again.assertDataset('d')).toEqual(before)
    expect(reading(log, (snapshot) => snapshot.dataset('d')?.document)).toEqual(before)
    await again.close()
  })

  it('get another generation and number when they are made again, and none of the old entities', async () => {
    const { writer, log } = await openedLog()
    const before = await writer.assertDataset('d')
    expect(await writer.assertDataset('d')).toEqual(before)
    await commitTo(
      writer,
      write(
        'd',
        Array.from({ length: 5_000 }, (_, i) => ({ _id: `${i}` })),
      ),
    )
    expect(await writer.deleteDataset('d')).toBe(true)
    expect(await writer.deleteDataset('d')).toBe(false)
    const again = await writer.assertDataset('d')
    expect(again.generation).not.toBe(before.generation)
    expect(again.number).not.toBe(before.number)
    expect(reading(log, (snapshot) => [...(snapshot.dataset('d')?.entities() ?? [])])).toEqual([])
  })

  it('give their rows back in the background, also when the hub was ended in between', async () => {
    const path = folder()
    const first = await LogWriter.open(path)
    await first.assertDataset('d')
    const { number } = await first.assertIndex('d', 'x', '')
    const entities = Array.from({ length: 5_000 }, (_, i) => ({ _id: `${i}` }))
    await commitTo(
      first,
      write('d', entities, { indexSet: 1, keysOf: ({ _id }) => [[number, [bytes(_id as string)]]] }),
    )
    await first.deleteDataset('d')
    await first.close()
    const second = await LogWriter.open(path)
    const environment = openForWriting(path)
    const left = () =>
      ['log', 'latest', 'index'].map((name) => {
        const transaction = environment.read()
        try {
          return keysIn(environment.tables[name as 'log'], { transaction }).length
        } finally {
          environment.release(transaction)
        }
      })
    await expect.poll(left, { timeout: 20_000 }).toEqual([0, 0, 0])
    await environment.close()
    await second.close()
  })
})

describe('indexes', () => {
  const keysOf = (one: Entity) => [bytes(String(get(one, 'k')))]

  it('are rebuilt under another number when their fingerprint changes', async () => {
    const { writer, log } = await openedLog()
    await commitTo(writer, write('d', [{ _id: 'a', k: '1' }]))
    const numberOf = () => reading(log, (snapshot) => snapshot.dataset('d')?.document.indexes[0]?.number as number)
    await fillIndex(writer, log, 'd', 'k', keysOf, { fingerprint: 'f1' })
    const first = numberOf()
    await fillIndex(writer, log, 'd', 'k', () => [bytes('other')], { fingerprint: 'f2' })
    expect(numberOf()).not.toBe(first)
    reading(log, (snapshot) => {
      expect(snapshot.dataset('d')?.lookup(numberOf(), bytes('other'))).toEqual(['a'])
      expect(snapshot.dataset('d')?.lookup(numberOf(), bytes('1'))).toEqual([])
    })
  })

  it('end with the keys of the newest versions when commits fall between the slices of a fill', async () => {
    const { writer, log } = await openedLog()
    const many = Array.from({ length: 12_000 }, (_, i) => ({ _id: `e${i}`, k: 'old' }))
    await commitTo(writer, write('d', many))
    let slices = 0
    const journal = new Proxy(writer, {
      get(target, name) {
        if (name !== 'fillIndex') return (target[name as 'commit'] as () => unknown).bind(target)
        return async (...args: Parameters<LogWriter['fillIndex']>) => {
          // Between computing a slice and storing it: one of its entities changes, another is deleted, a third is new.
          const batch = [
            { _id: `e${5_000 * slices}`, k: 'new' },
            { _id: `e${5_000 * slices + 1}`, k: 'old', _deleted: true },
            { _id: `n${slices}`, k: 'new' },
          ]
          slices++
          const indexKeys = (json: Readonly<Record<string, unknown>>) => [[args[1], [bytes(json.k as string)]]] as const
          await commitTo(writer, write('d', batch, { indexSet: 1, keysOf: indexKeys }))
          return target.fillIndex(...args)
        }
      },
    })
    await fillIndex(journal, log, 'd', 'k', keysOf)
    expect(slices).toBe(3)
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d')
      const { number, state } = view?.document.indexes[0] ?? { number: -1, state: null }
      expect(state).toBe('ready')
      expect(view?.lookup(number, bytes('new'))).toEqual(['e0', 'e10000', 'e5000', 'n0', 'n1', 'n2'])
      expect(view?.lookup(number, bytes('old')).length).toBe(12_000 - 6)
      expect(view?.lookup(number, bytes('old'), { deleted: true }).length).toBe(12_000 - 3)
    })
  })
})

describe('snapshots', () => {
  it('show one moment, until they are renewed', async () => {
    const { writer, log } = await openedLog()
    await commitTo(writer, write('d', [{ _id: 'a', v: 1 }]))
    const before = log.snapshot()
    await commitTo(writer, write('d', [{ _id: 'a', v: 2 }, { _id: 'b' }]))
    const after = log.snapshot()
    const sequences = (snapshot: typeof before) =>
      [...(snapshot.dataset('d')?.entities() ?? [])].map(({ sequence }) => sequence)
    expect(sequences(before)).toEqual([0])
    expect(sequences(after)).toEqual([1, 2])
    expect(before.dataset('d')?.counts().end).toBe(1)
    before.renew()
    expect(sequences(before)).toEqual([1, 2])
    before.close()
    after.close()
    expect(() => before.dataset('d')).toThrow('is closed')
  })

  it('stop what is being read from them when they are renewed', async () => {
    const { writer, log } = await openedLog()
    await commitTo(writer, write('d', [{ _id: 'a' }, { _id: 'b' }]))
    reading(log, (snapshot) => {
      for (const read of [() => snapshot.dataset('d')?.changes(null), () => snapshot.dataset('d')?.entities()]) {
        const versions = (read() as Iterable<unknown>)[Symbol.iterator]()
        versions.next()
        snapshot.renew()
        expect(() => versions.next()).toThrow('renewed')
      }
    })
  })
})

describe('a damaged row', () => {
  it('is an error that names dataset and sequence, and harms no other version', async () => {
    const { path, writer, log } = await openedLog()
    await commitTo(
      writer,
      write(
        'd',
        ['a', 'b', 'c'].map((_id) => ({ _id, text: 'sound' })),
      ),
    )
    const environment = openForWriting(path)
    const { log: table } = environment.tables
    environment.write(() => {
      const [{ key, value }] = rowsOf(table, {}) as [{ key: Buffer; value: Buffer }]
      const at = value.indexOf('"b","text":"sound"') + 13
      value.write('S', at)
      table.put(key, value)
    })
    await environment.close()
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d')
      expect(view?.latest('a')?.id).toBe('a')
      expect(view?.latest('c')?.id).toBe('c')
      let error: unknown
      try {
        view?.latest('b')
      } catch (caught) {
        error = caught
      }
      expect(error).toMatchObject({ code: 'broken-row', details: { dataset: view?.document.number, sequence: 1 } })
    })
  })
})

describe('a folder', () => {
  it('of another layout is refused by the writer and by readers', async () => {
    const { path, writer } = await openedLog()
    await writer.close()
    const environment = openForWriting(path)
    environment.write(() => writeText(environment.tables.meta, HOUSE, JSON.stringify({ layout: 999, writer: '' })))
    await environment.close()
    const refused = { code: 'unknown-layout', details: { layout: 999, known: LAYOUT } }
    await expect(LogWriter.open(path)).rejects.toMatchObject(refused)
    expect(() => openLog(path)).toThrow(expect.objectContaining(refused))
  })

  it('without a log cannot be opened for reading', () => {
    expect(() => openLog(folder())).toThrow(expect.objectContaining({ code: 'no-log' }))
  })

  it('whose making was cut short cannot be opened for reading, and its next writer makes it', async () => {
    const path = folder()
    writeFileSync(join(path, 'data.mdb'), '')
    expect(() => openLog(path)).toThrow(expect.objectContaining({ code: 'no-log' }))
    const writer = await LogWriter.open(path)
    await writer.close()
    openLog(path).close()
  })

  it('is refused to a second writer of the same process', async () => {
    const { path } = await openedLog()
    await expect(LogWriter.open(path)).rejects.toMatchObject({ code: 'data-in-use', details: { path } })
  })

  it('that another writer took over, past all claims, is written no more', async () => {
    const lost: unknown[] = []
    const { path, writer } = await openedLog({ onLost: (error) => lost.push(error) })
    const environment = openForWriting(path)
    environment.write(() => writeText(environment.tables.meta, HOUSE, JSON.stringify({ layout: 1, writer: 'another' })))
    await environment.close()
    await expect(commitTo(writer, write('d', [{ _id: 'a' }]))).rejects.toMatchObject({ code: 'data-in-use' })
    await expect(writer.assertDataset('e')).rejects.toMatchObject({ code: 'data-in-use' })
    expect(lost).toEqual([expect.objectContaining({ code: 'data-in-use' })])
  })
})

it('counts the runs of a pipe that was forgotten from the start, and refuses those from before', async () => {
  const { writer } = await openedLog()
  await writer.beginRun('p')
  const number = await writer.beginRun('p')
  await writer.forgetRuns('p')
  await expect(writer.commit({ run: { pipe: 'p', number } })).rejects.toMatchObject({ code: 'stale-run' })
  expect(await writer.beginRun('p')).toBe(1)
})
