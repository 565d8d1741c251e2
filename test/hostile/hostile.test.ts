import { beforeEach, describe, expect, it } from 'vitest'
import { liveHub } from '../journeys/live-hub.ts'
import { attacks } from './attacks.ts'
import { beginCalling } from './beside.ts'

const hub = liveHub({ limits: { 'header-seconds': 1, 'stall-seconds': 2 } })
const QUERY = { type: 'dataset', dataset: 'in' }

beforeEach(async () => {
  const answer = await hub.configure([
    { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' } },
    { _id: 'copy', type: 'pipe', source: QUERY, pump: { mode: 'manual' } },
    { _id: 'published', type: 'pipe', source: QUERY, sink: { type: 'http_endpoint' } },
  ])
  expect(answer.status).toBe(200)
  expect((await hub.push('in', [{ _id: 'a' }])).status).toBe(200)
})

// In its own process, with bounds, they are in the long form: npm run test:hostile.
describe('an attacker', () => {
  it.each(attacks)('is refused cleanly, and others go on: $what', async ({ run }) => {
    const others = beginCalling(hub.url, 50)
    const found = await run({ url: hub.url, scale: 1 })
    const { failed, p99Ms } = await others.end()
    expect(found).toEqual([])
    expect(failed).toEqual([])
    expect(p99Ms).toBeLessThan(10_000)
    expect((await hub.get('/api/config')).body).toHaveLength(3)
  })
})
