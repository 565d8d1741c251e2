import { describe, expect, test } from 'vitest'
import { dictOf } from '../../../src/model/dict.ts'
import { Datetime, Float, type Value } from '../../../src/model/value.ts'
import type { Batch, Continuation } from '../../../src/pipes/contract.ts'
import { isNewer, updatedOf, withOffsets } from '../../../src/pipes/sources/continuation.ts'

const chronological: Continuation = { supportsSince: true, isSinceComparable: true, isChronological: true }
const comparable: Continuation = { ...chronological, isChronological: false }
const none: Continuation = { ...comparable, isSinceComparable: false }

async function offsets(groups: Value[][], continuation: Continuation, since: string | null = null) {
  async function* read() {
    for (const group of groups) yield group.map((updated, place) => dictOf({ _id: String(place), _updated: updated }))
  }
  const batches: Batch[] = []
  for await (const batch of withOffsets(read(), continuation, since)) batches.push(batch)
  return batches.map(({ entities, offset }) => [entities.length, offset])
}

describe('offsets', () => {
  test('of a chronological source are the last _updated so far, whatever its value', async () => {
    expect(await offsets([[1, 5], [3]], chronological)).toEqual([
      [2, '5'],
      [1, '3'],
    ])
    expect(await offsets([[null], [null]], chronological, '7')).toEqual([
      [1, '7'],
      [1, '7'],
    ])
  })

  test('of a comparable source come once, at the end, and never go back', async () => {
    expect(await offsets([[9, 10], [2]], comparable)).toEqual([
      [2, null],
      [1, null],
      [0, '10'],
    ])
    expect(await offsets([[9]], comparable, '11')).toEqual([[1, null]])
    expect(await offsets([], comparable, '11')).toEqual([])
  })

  test('are missing where nothing says what is newer', async () => {
    expect(await offsets([[1]], none)).toEqual([[1, null]])
    expect(await offsets([[1]], { ...chronological, supportsSince: false })).toEqual([[1, null]])
  })

  test('compare whole numbers by value and everything else as text', () => {
    expect(isNewer('10', '9')).toBe(true)
    expect(isNewer('9007199254740993', '9007199254740992')).toBe(true)
    expect(isNewer('2024-02-01', '2024-01-31')).toBe(true)
    expect(isNewer('b', 'a')).toBe(true)
    expect(isNewer('a', 'a')).toBe(false)
  })

  test('are text of what stands in _updated', () => {
    const text = (updated: Value) => updatedOf(dictOf({ _updated: updated }))
    expect([text('x'), text(3), text(2n ** 70n), text(new Float(3))]).toEqual(['x', '3', String(2n ** 70n), '3'])
    expect(text(new Datetime(0n))).toBe('~t1970-01-01T00:00:00Z')
    expect([text(null), text([1]), text(true)]).toEqual([undefined, undefined, undefined])
  })
})
