import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Dict, get, newDict, set } from '../../src/model/dict.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson, parseStored, SIMPLE, WITH_DECIMALS, writeJson } from '../../src/model/json.ts'
import { pickStored, picks } from '../../src/model/stored-pick.ts'

const some = ['_id', 'a', 'a:b', '$ids', '1']

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('a', '"a":1', ',"a":2', 'x{y', '[', ']', 'æ', '~:a:b', '~rhttp://a', '~f1.50', '\\', '\n', ''),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b'), tie('value'), { maxKeys: 2 }),
  ),
})).value

describe('picking properties of a stored entity', () => {
  test('gives what reading all of it gives, or nothing', () => {
    let picked = 0
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'a:b', 'b', '$ids', '1', 'c'), value), (content) => {
        const entity = parseJson(JSON.stringify({ _id: 'e', ...content })) as Dict
        const { body, form } = stored(entity)
        const found = pickStored(body, form, picks(some))
        if (found === null) return
        picked++
        const all = parseStored(Buffer.from(body).toString(), form) as Dict
        const expected = newDict()
        for (const name of some) {
          const value = get(all, name)
          if (value !== undefined) set(expected, name, value)
        }
        for (const name of some)
          expect(writeJson(get(found, name) ?? null)).toBe(writeJson(get(expected, name) ?? null))
      }),
      { numRuns: 1000 },
    )
    expect(picked).toBeGreaterThan(100)
  })

  test('is not led astray by spaces, values that look like names, and names that come twice', () => {
    const pick = (text: string, form: typeof SIMPLE | typeof WITH_DECIMALS = SIMPLE) => {
      const found = pickStored(Buffer.from(text), form, picks(['a', 'b']))
      return found === null ? null : writeJson(found)
    }
    expect(pick('{"_id":"x", "a" : [1, "]" ,[2]] ,"c":"a","b":3}')).toBe('{"a":[1,"]",[2]],"b":3}')
    expect(pick('{"a":1,"a":2,"d":["a","b"]}')).toBe('{"a":2}')
    expect(pick('{"a": 1.50,"b":"~:x:y"}', WITH_DECIMALS)).toBe('{"a":1.50,"b":"~:x:y"}')
    expect(pick('{"c":{"a":1}}')).toBeNull()
    expect(pick('{"\\u0061":1}')).toBeNull()
    expect(pickStored(Buffer.from('{"a":1}'), undefined, picks(['a']))).toBeNull()
  })
})

function stored(entity: Dict) {
  const encoded = encodeEntity(entity)
  return { body: Buffer.from(encoded.text), form: encoded.form }
}
