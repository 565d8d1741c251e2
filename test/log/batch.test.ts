import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchReader, EntityPacker, IndexFillPacker } from '../../src/log/batch.ts'
import { decodeId } from '../../src/log/ids.ts'
import { isShortenedValue, valuePart } from '../../src/log/keys.ts'
import { anyText } from '../any-text.ts'

const anEntity = fc.record({
  id: anyText({ minLength: 1, maxLength: 40 }),
  deleted: fc.boolean(),
  text: fc.json(),
  hash: fc.stringMatching(/^[0-9a-f]{32}$/),
  keys: fc.array(fc.tuple(fc.nat({ max: 9 }), fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 3 })), {
    maxLength: 3,
  }),
})

describe('a batch', () => {
  it('gives back what was packed', () => {
    fc.assert(
      fc.property(fc.array(anEntity, { maxLength: 20 }), (entities) => {
        const packer = new EntityPacker(0)
        for (const { keys, ...one } of entities) packer.add(one, keys)
        const reader = new BatchReader(packer.finish(), 'entities')
        expect(reader.count).toBe(entities.length)
        for (const { id, deleted, text, hash, keys } of entities) {
          expect(reader.next()).toBe(true)
          const { source, idStart, idLength, length, hashStart } = reader
          expect(decodeId(reader.id)).toBe(id)
          expect(source.toString('utf8', idStart + idLength, idStart + length)).toBe(text)
          expect(source.toString('hex', hashStart, hashStart + 16)).toBe(hash)
          expect(reader.deleted).toBe(deleted)
          const unpacked = reader
            .keys()
            .map(({ index, value, full }) => [index, value.toString('hex'), full?.toString('hex') ?? null])
          const expected = keys.flatMap(([index, values]) => {
            const distinct = [...new Map(values.map((value) => [Buffer.from(value).toString('hex'), value])).values()]
            return distinct.map((value) => {
              const part = valuePart(value)
              return [index, part.toString('hex'), isShortenedValue(part) ? Buffer.from(value).toString('hex') : null]
            })
          })
          expect(unpacked).toEqual(expected)
        }
        expect(reader.next()).toBe(false)
      }),
    )
  })

  it('that was cut or changed in its lengths is refused before anything of it is read', () => {
    const packer = new EntityPacker()
    packer.add({ id: 'a', deleted: false, text: '{"_id":"a"}', hash: '0'.repeat(32) }, [[1, [Buffer.from('k')]]])
    packer.add({ id: 'b', deleted: false, text: '{"_id":"b"}', hash: '0'.repeat(32) }, [[1, [Buffer.alloc(600)]]])
    const batch = packer.finish()
    for (let length = 0; length < batch.byteLength; length++) {
      expect(() => new BatchReader(batch.slice(0, length), 'entities')).toThrow(
        expect.objectContaining({ code: 'bad-batch' }),
      )
    }
    expect(() => new BatchReader(batch, 'fill')).toThrow(expect.objectContaining({ code: 'bad-batch' }))
    for (const at of [4, 8, 13, 36, 40]) {
      const changed = batch.slice(0)
      new DataView(changed).setUint8(at, 0xee)
      expect(() => new BatchReader(changed, 'entities')).toThrow(expect.objectContaining({ code: 'bad-batch' }))
    }
  })

  it('of an index fill gives back ids, sequences and keys', () => {
    const packer = new IndexFillPacker()
    packer.add('a', 2 ** 40, 3, [Buffer.from('k'), Buffer.from('k'), Buffer.from('l')])
    const reader = new BatchReader(packer.finish(), 'fill')
    reader.next()
    expect(reader.sequence).toBe(2 ** 40)
    expect(reader.keys().map(({ index, value }) => [index, value])).toEqual([
      [3, valuePart(Buffer.from('k'))],
      [3, valuePart(Buffer.from('l'))],
    ])
  })

  it('refuses a hash that is none', () => {
    const packer = new EntityPacker()
    expect(() => packer.add({ id: 'a', deleted: false, text: '{}', hash: 'zz' })).toThrow('hexadecimal')
  })
})
