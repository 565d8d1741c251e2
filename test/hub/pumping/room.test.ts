import { describe, expect, it } from 'vitest'
import { type Heap, ownHeap, Room } from '../../../src/hub/pumping/room.ts'

/** A heap of 1000 bytes, of which some are needed and others only taken. */
function heapOf(taken: { needed: number; garbage: number; collected?: number }): Heap {
  return {
    limit: 1_000,
    used: () => taken.needed + taken.garbage,
    collect: () => {
      taken.garbage = 0
      taken.collected = (taken.collected ?? 0) + 1
    },
  }
}

describe('the room on a thread', () => {
  it('is there as long as what is needed leaves enough of the memory', () => {
    const taken = { needed: 700, garbage: 290 }
    const room = new Room(heapOf(taken))
    room.assert('p', 0)
    taken.needed = 740
    room.assert('p', 0)
    taken.needed = 751
    taken.garbage = 200
    expect(() => room.assert('p', 0)).toThrow(/^Pipe 'p' needed more memory than its thread has/)
    taken.garbage = 200
    expect(() => room.assert('p', 0)).toThrow(expect.objectContaining({ code: 'too-much-memory' }))
  })

  it('is there for what is to be made in one piece, or it is not made', () => {
    const room = new Room(heapOf({ needed: 10, garbage: 0 }))
    room.assert('p', 700)
    expect(() => room.assert('p', 740)).toThrow(expect.objectContaining({ code: 'too-much-memory' }))
  })

  it('is not looked for by collecting each time', () => {
    const taken = { needed: 720, garbage: 100, collected: 0 }
    const room = new Room(heapOf(taken))
    for (let n = 0; n < 10; n++) {
      taken.garbage = 100
      room.assert('p', 0)
    }
    expect(taken.collected).toBe(1)
    taken.garbage = 130
    room.assert('p', 0)
    expect(taken.collected).toBe(2)
  })

  it('is told by the engine, which collects what nobody needs', () => {
    const heap = ownHeap(0)
    let much: number[][] | null = Array.from({ length: 100 }, () => new Array<number>(100_000).fill(1))
    expect(much.length).toBe(100)
    const before = heap.used()
    much = null
    heap.collect()
    expect(heap.used()).toBeLessThan(before - 50_000_000)
    expect(heap.limit).toBeGreaterThan(before)
  })
})
