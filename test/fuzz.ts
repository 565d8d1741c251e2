/**
 * `npm run test:fuzz [-- --seconds 60] [--seed N]`: asks a hub in a process of its own for everything it has, in every wrong
 * way. What it should not have answered is printed with the seed, and the exit code is 1.
 */

import { parseArgs } from 'node:util'
import { startHub } from './bench/hub.ts'
import { fuzz, told } from './fuzz/fuzz.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
console.log(`Seed ${seed}, ${values.seconds} s`)
const hub = await startHub({ authenticates: true })
const before = hub.memoryMb()
const fuzzed = await fuzz(hub.url, seed, Number(values.seconds), hub.headers)
console.log(told(fuzzed))
console.log(
  `Memory ${before.toFixed(0)} MB before, ${hub.memoryMb().toFixed(0)} MB after, ${hub.usage().anonymousMb.toFixed(0)} MB at most.`,
)
await hub.json('/api/ping')
await hub.stop()
process.exitCode = fuzzed.findings.length > 0 ? 1 : 0
