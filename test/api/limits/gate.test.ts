import { describe, expect, it } from 'vitest'
import { Connections } from '../../../src/api/limits/connections.ts'
import { Gate } from '../../../src/api/limits/gate.ts'
import { defaultLimits, type Limits, type Work } from '../../../src/api/limits/limits.ts'
import { Refusals } from '../../../src/api/limits/refusals.ts'
import { inTime } from '../../../src/api/limits/time.ts'

const gateWith = (limits: Partial<Limits>) => {
  const gate = new Gate({ ...defaultLimits, ...limits })
  const told: string[] = []
  const enter = (name: string, work: Work = 'bulk', bytes = 0) => {
    let leave = () => {}
    const withdraw = gate.enter(work, bytes, (error, left) => {
      told.push(error === null ? `${name} in` : `${name} ${error.code}`)
      leave = left
    })
    return { leave: () => leave(), withdraw }
  }
  return { gate, told, enter }
}

describe('the gate', () => {
  it('lets so many in at once, and the next in order as others leave', () => {
    const { gate, told, enter } = gateWith({ 'bulk-at-once': 2, 'bulk-waiting': 2 })
    const [a, b] = [enter('a'), enter('b')]
    enter('c')
    enter('d')
    enter('e')
    expect(told).toEqual(['a in', 'b in', 'e busy'])
    expect(gate.figures('bulk')).toEqual({ atOnce: 2, waiting: 2 })
    b.leave()
    expect(told.at(-1)).toBe('c in')
    a.leave()
    // Leaving twice gives back one place.
    a.leave()
    expect(told.at(-1)).toBe('d in')
    expect(gate.figures('bulk')).toEqual({ atOnce: 2, waiting: 0 })
  })

  it('keeps kinds of work apart', () => {
    const { told, enter } = gateWith({ 'bulk-at-once': 1, 'query-at-once': 1 })
    enter('a', 'bulk')
    enter('b', 'bulk')
    enter('c', 'query')
    enter('d', 'simple')
    expect(told).toEqual(['a in', 'c in', 'd in'])
  })

  it('takes in no more bytes than there is memory for, of all kinds together', () => {
    const { told, enter } = gateWith({ 'body-memory': 100 })
    const first = enter('a', 'bulk', 80)
    enter('b', 'simple', 30)
    enter('c', 'simple', 10)
    enter('none', 'stream', 0)
    // In order: the small one behind the large one waits, too.
    expect(told).toEqual(['a in', 'none in'])
    first.leave()
    expect(told).toEqual(['a in', 'none in', 'b in', 'c in'])
  })

  it('lets a body in alone that is larger than all there is', () => {
    const { told, enter } = gateWith({ 'body-memory': 100 })
    enter('a', 'bulk', 500)
    enter('b', 'bulk', 1)
    expect(told).toEqual(['a in'])
  })

  it('says that it is busy to who has waited too long, and forgets who went away', async () => {
    const { gate, told, enter } = gateWith({ 'bulk-at-once': 1, 'wait-seconds': 0.02 })
    const first = enter('a')
    enter('b')
    const gone = enter('c')
    gone.withdraw()
    await expect.poll(() => told).toEqual(['a in', 'b busy'])
    first.leave()
    expect(gate.figures('bulk')).toEqual({ atOnce: 0, waiting: 0 })
    expect(told).toHaveLength(2)
  })
})

describe('connections', () => {
  it('are counted in all and for each address', () => {
    const connections = new Connections({ connections: 4, 'connections-per-address': 2 })
    expect([1, 2, 3].map(() => connections.add('10.0.0.1'))).toEqual(['open', 'open', 'connections-of-address'])
    expect(connections.add('10.0.0.2')).toBe('open')
    expect(connections.add('10.0.0.3')).toBe('connections')
    for (let left = 0; left < 3; left++) connections.remove('10.0.0.1')
    connections.remove('10.0.0.3')
    expect(connections.open).toBe(1)
    expect(connections.add('10.0.0.1')).toBe('open')
    expect([1, 2].map(() => connections.add(null))).toEqual(['open', 'open'])
  })
})

describe('an answer', () => {
  it('is given up when it is not there in time', async () => {
    let givenUp = 0
    const giveUp = () => void givenUp++
    expect(await inTime('at once', 0.001, giveUp)).toBe('at once')
    expect(await inTime(Promise.resolve('soon'), 10, giveUp)).toBe('soon')
    await expect(inTime(Promise.reject(new Error('broken')), 10, giveUp)).rejects.toThrow('broken')
    expect(givenUp).toBe(0)
    await expect(inTime(new Promise(() => {}), 0.01, giveUp)).rejects.toMatchObject({ code: 'took-too-long' })
    expect(givenUp).toBe(1)
  })
})

describe('refusals', () => {
  it('are all counted, and told once a minute for each reason and address', () => {
    let now = 0
    const told: unknown[] = []
    const log = { debug() {}, info() {}, error() {}, warn: (_: string, details: unknown) => void told.push(details) }
    const refusals = new Refusals(log, () => now)
    for (let time = 0; time < 5; time++) refusals.count('address', '10.0.0.1')
    refusals.count('address', '10.0.0.2')
    refusals.count('busy', '10.0.0.1')
    expect(told).toHaveLength(3)
    expect(refusals.counts()).toEqual(
      new Map([
        ['address', 6],
        ['busy', 1],
      ]),
    )
    now = 60_000
    refusals.count('address', '10.0.0.1')
    expect(told).toHaveLength(4)
    for (let host = 0; host < 5_000; host++) refusals.count('address', `10.1.${host >> 8}.${host & 255}`)
    expect(told.length).toBeLessThanOrEqual(1_004)
  })
})
