import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyOf, dictOf, entries, get, has, names, newDict, remove, set, size, values } from '../../src/model/dict.ts'
import { name } from './values.ts'

describe('a dict', () => {
  it('behaves like a map of any names, in the order of insertion', () => {
    const step = fc.tuple(fc.constantFrom('set', 'remove'), name, fc.nat(9))
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [dict, map] = [newDict(), new Map<string, number>()]
        for (const [action, key, value] of steps) {
          if (action === 'set') {
            set(dict, key, value)
            map.set(key, value)
          } else {
            remove(dict, key)
            map.delete(key)
          }
        }
        expect(entries(dict)).toEqual([...map])
        expect(names(dict)).toEqual([...map.keys()])
        expect(values(dict)).toEqual([...map.values()])
        expect(size(dict)).toBe(map.size)
        for (const [, key] of steps) {
          expect(get(dict, key)).toBe(map.get(key))
          expect(has(dict, key)).toBe(map.has(key))
        }
        expect(entries(copyOf(dict))).toEqual([...map])
        expect(entries(dictOf(map))).toEqual([...map])
      }),
    )
  })

  it('has none of the names that objects inherit', () => {
    for (const key of Object.getOwnPropertyNames(Object.prototype)) {
      expect(has(newDict(), key)).toBe(false)
      expect(get(newDict(), key)).toBeUndefined()
    }
  })
})
