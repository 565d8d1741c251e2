import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { movedBack } from '../../src/pipes/partial-rescan.ts'

describe('an offset that is moved back', () => {
  it('is less by the number, but not below what stands before the first', () => {
    expect(movedBack('100', 30)).toBe('70')
    expect(movedBack('10', 30)).toBe('-1')
    expect(movedBack('-5', 3)).toBe('-8')
    expect(movedBack('9007199254740993000', 1)).toBe('9007199254740992999')
  })

  it('is earlier by as many seconds where it is a time, written as it was', () => {
    expect(movedBack('2026-03-01T00:00:10Z', 3600)).toBe('2026-02-28T23:00:10Z')
    expect(movedBack('~t2026-03-01T00:00:10.123456789Z', 11)).toBe('~t2026-02-28T23:59:59.123456789Z')
    expect(movedBack('2026-03-01 12:00:00+02:00', 60)).toBe('2026-03-01 11:59:00+02:00')
    expect(movedBack('2026-03-01', 86_400)).toBe('2026-02-28T00:00:00')
    expect(movedBack('2026-03-01T00:00:00Z', 1e15)).toBe('0001-01-01T00:00:00Z')
  })

  it('is moved in each of its parts, where it has several', () => {
    expect(movedBack('10,,200', 50)).toBe('-1,,150')
  })

  it('is unknown where it is neither', () => {
    expect(movedBack('abc', 5)).toBeNull()
    expect(movedBack('10,abc', 5)).toBeNull()
    expect(movedBack('2026-99-01T00:00:00Z', 5)).toBeNull()
  })

  it('comes back when it is moved by the same again', () => {
    const whole = fc.tuple(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 1e9 }))
    fc.assert(
      fc.property(whole, ([offset, delta]) => {
        expect(movedBack(String(offset + delta), delta)).toBe(String(offset))
        const time = new Date(offset).toISOString()
        const moved = movedBack(new Date(offset + delta * 1000).toISOString(), delta)
        expect(moved).toBe(time)
      }),
    )
  })
})
