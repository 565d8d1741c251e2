import { describe, expect, it } from 'vitest'
import { RunnerLog } from '../../../src/hub/runner/log.ts'

describe('the log of the pipe runner', () => {
  it('gives lines of one moment times in their order, as text too', () => {
    const log = new RunnerLog(() => 1_700_000_000_999)
    for (let n = 0; n < 1_500; n++) log.tell('INFO', String(n))
    const times = log.since().map(({ timestamp }) => timestamp)
    expect(times.slice(0, 2)).toEqual(['2023-11-14T22:13:20.999000Z', '2023-11-14T22:13:20.999001Z'])
    expect([...times].sort()).toEqual(times)
    expect(log.since(times[1_498]).map(({ logdata }) => logdata)).toEqual(['1499'])
  })

  it('keeps the last ten thousand lines, and no more than their beginning', () => {
    const log = new RunnerLog(() => 0)
    for (let n = 0; n < 30_000; n++) log.tell('INFO', `${n} ${'x'.repeat(5_000)}`)
    const lines = log.since()
    expect(lines).toHaveLength(10_000)
    expect(lines.at(-1)?.logdata).toMatch(/^29999 x+ …$/)
    expect(lines.every(({ logdata }) => logdata.length < 2_010)).toBe(true)
  })
})
