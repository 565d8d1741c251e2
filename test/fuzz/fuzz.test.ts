import { describe, expect, it } from 'vitest'
import { liveHub } from '../journeys/live-hub.ts'
import { fuzz, told } from './fuzz.ts'

const hub = liveHub()

describe('an API that is asked for everything in every wrong way', () => {
  it('refuses it cleanly: no 5xx but the documented ones, no hang, no crash', async () => {
    const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const fuzzed = await fuzz(hub.url, seed, Number(process.env.FUZZ_SECONDS ?? 1.5))
    const summary = `FUZZ_SEED=${seed}: ${told(fuzzed)}`
    if (process.env.FUZZ_SECONDS !== undefined) console.log(summary)
    expect(fuzzed.findings, summary).toEqual([])
    expect(fuzzed.requests).toBeGreaterThanOrEqual(fuzzed.operations)
    // They reach what is behind the first door, too.
    expect(fuzzed.statuses.get(200) ?? 0, summary).toBeGreaterThan(fuzzed.requests / 20)
    expect((await hub.get('/api/ping')).status).toBe(200)
  })
})
