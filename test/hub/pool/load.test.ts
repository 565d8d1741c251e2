import { expect, it } from 'vitest'
import { type Load, leastBusy } from '../../../src/hub/pool/load.ts'

const idle: Load = { isReady: true, underWay: 0, fresh: 0, busy: 0 }
const working: Load = { isReady: true, underWay: 1, fresh: 0, busy: 0.9 }
const waiting: Load = { isReady: true, underWay: 3, fresh: 0, busy: 0.05 }
const absent: Load = { isReady: false, underWay: 0, fresh: 0, busy: 0 }

it('gives what is new to the thread that does least', () => {
  expect(leastBusy([working, idle], undefined)).toBe(1)
  expect(leastBusy([waiting, working], undefined)).toBe(0)
  expect(leastBusy([idle, idle], undefined)).toBe(0)
})

it('starts a thread only when those that are there have enough to do', () => {
  expect(leastBusy([idle, absent], undefined)).toBe(0)
  expect(leastBusy([waiting, absent], undefined)).toBe(0)
  expect(leastBusy([working, absent], undefined)).toBe(1)
})

it('has little wait for a thread that is starting', () => {
  const starting = { ...absent, underWay: 1 }
  expect(leastBusy([{ ...working, busy: 0.5 }, starting], undefined)).toBe(0)
  expect(leastBusy([{ ...working, busy: 0.9 }, starting], undefined)).toBe(1)
})

it('spreads what comes all at once, before anything could be measured', () => {
  const loads: Load[] = [idle, idle, idle]
  const places = Array.from({ length: 6 }, () => {
    const place = leastBusy(loads, undefined)
    const { underWay, fresh } = loads[place] as Load
    loads[place] = { isReady: true, underWay: underWay + 1, fresh: fresh + 1, busy: 0 }
    return place
  })
  expect(places.toSorted()).toEqual([0, 0, 1, 1, 2, 2])
})

it('returns to the thread that knows the pipe, unless that is clearly busier', () => {
  expect(leastBusy([idle, { ...idle, busy: 0.5 }], 1)).toBe(1)
  expect(leastBusy([idle, working], 1)).toBe(0)
  expect(leastBusy([idle, absent], 1)).toBe(0)
})
