/** Property paths as text (dtl.md §5.1). */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joinPath, splitPath, variableOf } from '../../src/dtl/path.ts'

describe('a path', () => {
  it('is split at dots outside of quotes', () => {
    expect(splitPath("_S.foo.'john.doe''s'.bar").elements).toEqual(['foo', "john.doe's", 'bar'])
    expect(splitPath('_S.my name.$x.a:b.<c>*').elements).toEqual(['my name', '$x', 'a:b', '<c>*'])
    expect(splitPath('_S.').elements).toEqual([])
    expect(splitPath('_S.a.').elements).toEqual(['a'])
    expect(splitPath("_S.it's.'x'.").elements).toEqual(["it's", 'x'])
  })

  it('says what is wrong with it', () => {
    expect(splitPath('_S.a..b').mistake).toBe('an element is empty')
    expect(splitPath("_S.'a").mistake).toBe('a quoted element is not closed')
    expect(splitPath("_S.'a''").mistake).toBe('a quoted element is not closed')
    expect(splitPath("_S.'a'b").mistake).toBe('a dot is missing after a quoted element')
  })

  it('has a variable before its first dot', () => {
    expect(['_S.a', 'b.', '.a', 'abc', ''].map(variableOf)).toEqual(['_S', 'b', null, null, null])
  })

  it('can be written and taken apart again', () => {
    const element = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("'", '.', 'a', ':', ' ') }))
    fc.assert(
      fc.property(fc.array(element), (elements) => {
        const split = splitPath(joinPath('_S', elements))
        expect(split).toEqual({ variable: '_S', elements })
      }),
    )
  })
})
