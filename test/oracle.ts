/**
 * `npm run test:oracle [-- runs]`: the oracle over thousands of random networks, some hundred in each process: what
 * a log and its networks take of memory is given back by the end of their process only.
 */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const EACH = 200
const runs = Number(process.argv[2] ?? 5_000)
const root = join(import.meta.dirname, '..')
const vitest = join(root, 'node_modules/vitest/vitest.mjs')

for (let done = 0; done < runs; done += EACH) {
  const count = Math.min(EACH, runs - done)
  console.log(`\n${(done + count).toLocaleString('en')} of ${runs.toLocaleString('en')} networks`)
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/laws/oracle.test.ts'], {
    cwd: root,
    env: { ...process.env, ORACLE_RUNS: String(count), ORACLE_LENGTH: '30' },
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
}
