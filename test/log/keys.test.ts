import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeId, encodeId } from '../../src/log/ids.ts'
import { bounded, indexKey, latestKey, logKey, MAX_KEY, prefixEnd, valuePart, valuePrefix } from '../../src/log/keys.ts'
import { anyText } from '../any-text.ts'

const codePoints = (text: string) => Array.from(text, (one) => one.codePointAt(0) as number)
const text = anyText({ maxLength: 700 })

describe('ids', () => {
  it('come back from their bytes, halves of surrogate pairs included', () => {
    fc.assert(
      fc.property(
        fc.oneof(text, fc.string({ unit: fc.constantFrom('a', '\uD83D', '\uDE00', 'é', '\uFFFD') })),
        (id) => {
          expect(decodeId(encodeId(id))).toBe(id)
        },
      ),
    )
  })

  it('have bytes in the order of code points', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [ones, others] = [codePoints(a), codePoints(b)]
        const at = ones.findIndex((one, i) => one !== others[i])
        const order =
          at < 0 ? ones.length - others.length : at >= others.length ? 1 : (ones[at] ?? 0) - (others[at] ?? 0)
        expect(Math.sign(Buffer.compare(encodeId(a), encodeId(b)))).toBe(Math.sign(order))
      }),
    )
  })
})

describe('keys', () => {
  it('are never longer than LMDB takes, whatever the lengths of id and value', () => {
    const lengths = [0, 1, 255, 256, 257, 272, 273, 274, 511, 512, 513, 1978, 100_000]
    for (const id of lengths) {
      expect(latestKey(2 ** 32 - 1, Buffer.alloc(id, 'x')).length).toBeLessThanOrEqual(MAX_KEY)
      for (const value of lengths) {
        const key = indexKey(
          2 ** 32 - 1,
          2 ** 31 - 1,
          true,
          valuePart(Buffer.alloc(value)),
          bounded(Buffer.alloc(id, 'x')),
        )
        expect(key.length).toBeLessThanOrEqual(MAX_KEY)
      }
    }
  })

  it('of different ids differ, also where a long id is cut', () => {
    const long = 'x'.repeat(513)
    const ids = [long, `${long}y`, long.slice(0, 256), long.slice(0, 273), long.slice(0, 512), `${'x'.repeat(512)}y`]
    const keys = new Set(ids.map((id) => latestKey(1, encodeId(id)).toString('latin1')))
    expect(keys.size).toBe(ids.length)
  })

  it('of a value that looks like a shortened one differ from it', () => {
    const value = Buffer.alloc(600, 7)
    const looksLike = bounded(value)
    expect(valuePart(looksLike).equals(valuePart(value))).toBe(false)
  })

  it('of one value are no prefix of the keys of another one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (a, b) => {
        fc.pre(Buffer.compare(a, b) !== 0)
        const [one, other] = [a, b].map((value) => valuePrefix(1, 1, false, valuePart(value))) as [Buffer, Buffer]
        expect(one.subarray(0, other.length).equals(other)).toBe(false)
      }),
    )
  })

  it('sort as datasets and sequences do', () => {
    const numbers = [0, 1, 255, 256, 2 ** 31, 2 ** 32, 2 ** 48 - 1]
    const keys = numbers.map((sequence) => logKey(7, sequence))
    expect([...keys].sort(Buffer.compare)).toEqual(keys)
    expect(Buffer.compare(logKey(1, 2 ** 48 - 1), logKey(2, 0))).toBe(-1)
  })

  it('end where the next prefix begins', () => {
    expect(prefixEnd(Buffer.from([1, 255, 255]))).toEqual(Buffer.from([2]))
    expect(prefixEnd(Buffer.from([255]))).toBeUndefined()
  })
})
