import { describe, expect, test } from 'vitest'
import { compose } from '../../src/merge/compose.ts'
import { type Dict, dictOf, newDict } from '../../src/model/dict.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { NI } from '../../src/model/value.ts'

const members = (...texts: string[]): Dict[] => texts.map((text) => parseJson(text) as Dict)

function composed(
  strategy: 'default' | 'compact' | 'list',
  entities: readonly Dict[],
  includeInternal = false,
): unknown {
  const content = newDict()
  compose(content, entities, { strategy, includeInternal, identityOf: (id) => new NI(id) })
  return JSON.parse(writeJson(content))
}

const documented = members('{"_id":"a","x":1}', '{"_id":"b","y":[2,1]}', '{"_id":"c","y":2,"z":[3,3]}')
const ids = ['~:a', '~:b', '~:c']

describe('composition', () => {
  test('by default puts values one after the other, duplicates kept, a single value single', () => {
    expect(composed('default', documented)).toEqual({ x: 1, y: [2, 1, 2], z: [3, 3], $ids: ids })
  })

  test('compact keeps each value once, opens lists of one and drops empty ones', () => {
    expect(composed('compact', documented)).toEqual({ x: 1, y: [2, 1], z: 3, $ids: ids })
    expect(composed('compact', members('{"_id":"a","e":[],"n":1}', '{"_id":"b","n":1.0,"m":[[1],[1]]}'))).toEqual({
      n: 1,
      m: [1],
      $ids: ['~:a', '~:b'],
    })
  })

  test('list gives the members, without what the hub added to them unless asked for', () => {
    const entities = members('{"_id":"a","_ts":5,"x":1}', '{"_id":"b","_ts":6,"$x":2}')
    expect(composed('list', entities)).toEqual({
      $merged: [
        { _id: 'a', x: 1 },
        { _id: 'b', $x: 2 },
      ],
      $ids: ['~:a', '~:b'],
    })
    expect(composed('list', entities, true)).toMatchObject({ $merged: [{ _ts: 5 }, { _ts: 6 }] })
  })

  test('keeps nulls', () => {
    const entities = members('{"_id":"a","x":null,"y":null}', '{"_id":"b","x":1}')
    expect(composed('default', entities)).toMatchObject({ x: [null, 1], y: null })
    expect(composed('compact', entities)).toMatchObject({ x: [null, 1], y: null })
  })

  test('takes the identities that a member names instead of its id, each once', () => {
    const entities = members('{"_id":"a","$ids":["~:crm:1","~:erp:2"]}', '{"_id":"b","$ids":"~:erp:2"}', '{"_id":"c"}')
    expect(composed('compact', entities)).toEqual({ $ids: ['~:crm:1', '~:erp:2', '~:c'] })
  })

  test('leaves the properties of the hub to the hub', () => {
    expect(composed('default', [dictOf({ _id: 'a', _hash: 'x', _updated: 1 })])).toEqual({ $ids: ['~:a'] })
  })
})
