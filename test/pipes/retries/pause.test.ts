import { describe, expect, it } from 'vitest'
import { PipeError } from '../../../src/pipes/errors.ts'
import { delayMs } from '../../../src/pipes/retries/pause.ts'

const asking = (retryAfterSeconds: number) =>
  new PipeError('bad-status', 'later', { details: { status: 429, retryAfterSeconds } })
const plain = new Error('no')

describe('the pause before something is tried again', () => {
  it('is always the same', () => {
    expect([1, 2, 9].map((failures) => delayMs('constant', 500, failures, plain))).toEqual([500, 500, 500])
    expect(delayMs('constant', 0, 1, plain)).toBe(0)
  })

  it('doubles with each failure, up to a quarter of an hour', () => {
    expect([1, 2, 3, 50].map((failures) => delayMs('exponential', 500, failures, plain))).toEqual([
      500, 1000, 2000, 900_000,
    ])
    expect([1, 2].map((failures) => delayMs('exponential', 0, failures, plain))).toEqual([1000, 2000])
  })

  it('is what the other side asks for, where that is longer', () => {
    expect(delayMs('constant', 500, 1, asking(7))).toBe(7000)
    expect(delayMs('constant', 9000, 1, asking(7))).toBe(9000)
    expect(delayMs('constant', 0, 1, asking(1e9))).toBe(900_000)
  })
})
