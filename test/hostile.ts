/**
 * `npm run test:hostile [-- --rounds 5] [--scale 10]`: every attack at a hub in a process of its own, while others go on. Their p99 is
 * compared with what it was in peace, and the hub's memory with what it was before.
 */

import { parseArgs } from 'node:util'
import { startHub } from './bench/hub.ts'
import { actAs, attacks } from './hostile/attacks.ts'
import { beginCalling } from './hostile/beside.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
})
const PER_SECOND = 100
const MOST_P99_MS = 100
/** What a hub may keep of a round: caches that are warm now, and pages that the allocator gives back later. */
const MOST_GROWTH_MB = 300

const json = (body: unknown): [string, string] => [JSON.stringify(body), 'application/json']
process.env.SAMTALE_LIMITS ??= 'header-seconds=5,stall-seconds=10'
const hub = await startHub({ authenticates: true })
actAs(hub.headers)
const query = { type: 'dataset', dataset: 'in' }
await hub.request(
  'PUT',
  '/api/config',
  ...json([
    { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' } },
    { _id: 'copy', type: 'pipe', source: query, pump: { mode: 'manual' } },
    { _id: 'published', type: 'pipe', source: query, sink: { type: 'http_endpoint' } },
  ]),
)
await hub.request('POST', '/api/receivers/in/entities', ...json([{ _id: 'a' }]))

const peace = beginCalling(hub.url, PER_SECOND, hub.headers)
await new Promise((resolve) => setTimeout(resolve, 5_000))
const calm = await peace.end()
console.log(
  `In peace: p50 ${calm.p50Ms.toFixed(1)} ms, p99 ${calm.p99Ms.toFixed(1)} ms; ${hub.memoryMb().toFixed(0)} MB`,
)

let isClean = true
let afterFirst = 0
const chosen = attacks.filter(({ what }) => values.only === undefined || what.includes(values.only))
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const { what, run } of chosen) {
    const others = beginCalling(hub.url, PER_SECOND, hub.headers)
    const startedAt = performance.now()
    const found = await run({ url: hub.url, scale: Number(values.scale) })
    const seconds = (performance.now() - startedAt) / 1_000
    const { calls, failed, p50Ms, p99Ms } = await others.end()
    console.log(
      `${round} ${what}: ${seconds.toFixed(1)} s; ${calls} others p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms (${(p99Ms / calm.p99Ms).toFixed(1)} of peace), ${failed.length} failed; ${hub.memoryMb().toFixed(0)} MB`,
    )
    for (const line of [...found, ...new Set(failed)]) console.log(`  ${line}`)
    if (found.length > 0 || failed.length > 0 || p99Ms > MOST_P99_MS) isClean = false
  }
  if (round === 1) afterFirst = hub.memoryMb()
}
const growth = hub.memoryMb() - afterFirst
console.log(
  `Memory grew by ${growth.toFixed(0)} MB after the first round; ${hub.usage().anonymousMb.toFixed(0)} MB at most.`,
)
await hub.json('/api/ping')
await hub.stop()
process.exitCode = isClean && growth < MOST_GROWTH_MB ? 0 : 1
