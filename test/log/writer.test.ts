import { describe, expect, it } from 'vitest'
import { storedJson } from '../../src/log/stored.ts'
import { commitTo, openedLog, reading, write } from './sample.ts'

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
})
