/** `npm run bench [-- --floor 0.33] [-- --only w1]`: prints each figure with its ratio and target; below the floor it exits 1. */

import { availableParallelism, cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { api } from './api.ts'
import { chain } from './chain.ts'
import { dtl } from './dtl.ts'
import { idle } from './idle.ts'
import { log } from './log.ts'
import { achieved, describe, type Figure } from './measure.ts'
import { publishers } from './publisher.ts'
import { threads } from './threads.ts'
import { upload } from './upload.ts'
import { ingest } from './w1-ingest.ts'
import { changes } from './w2-changes.ts'
import { transform } from './w3-transform.ts'
import { dependencies } from './w4-dependencies.ts'
import { merge } from './w5-merge.ts'
import { graph } from './w6-graph.ts'
import { start } from './w10-start.ts'
import { replace } from './w11-replace.ts'
import { world } from './world.ts'

const benchmarks: Readonly<Record<string, (rounds: number) => Promise<Figure[]>>> = {
  api,
  dtl,
  idle,
  log,
  publisher: publishers,
  threads,
  upload,
  w1: ingest,
  w2: changes,
  w3: transform,
  w4: dependencies,
  w5: merge,
  w6: graph,
  w10: start,
  w11: replace,
  chain,
  world,
}

const { values: given } = parseArgs({
  options: {
    floor: { type: 'string' },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})
const floor = given.floor === undefined ? 0 : Number(given.floor)
const rounds = Number(given.rounds)
const names = given.only ?? Object.keys(benchmarks)
const unknown = names.filter((name) => !(name in benchmarks))
if (unknown.length > 0 || !(floor >= 0) || !(rounds >= 1)) {
  console.error(`Known are ${Object.keys(benchmarks).join(', ')}; --floor and --rounds are numbers.`)
  process.exit(2)
}

if (!given.json) {
  const memory = Math.round(totalmem() / 2 ** 30)
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? '?'}), ${memory} GB; ${rounds} counted rounds.`,
  )
}
const figures: Figure[] = []
for (const name of names) {
  for (const figure of (await benchmarks[name]?.(rounds)) ?? []) {
    figures.push(figure)
    if (!given.json) console.log(describe(figure).join('\n'))
  }
}
if (given.json) console.log(JSON.stringify(figures, null, 2))
const below = figures.filter((figure) => achieved(figure) < floor)
for (const figure of below) console.error(`Below ${floor} of its target: ${figure.name}.`)
process.exitCode = below.length > 0 ? 1 : 0
