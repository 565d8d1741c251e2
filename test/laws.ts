/**
 * `npm run test:laws [-- programs]`: the laws of the log over thousands of random programs, some hundreds in each process:
 * every log that was opened costs its process memory that only its end gives back.
 */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const EACH = 500
const programs = Number(process.argv[2] ?? 10_000)
const root = join(import.meta.dirname, '..')
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const files = ['test/log/law.test.ts', 'test/log/compaction-law.test.ts']

for (let done = 0; done < programs; done += EACH) {
  const count = Math.min(EACH, programs - done)
  console.log(`\n${(done + count).toLocaleString('en')} of ${programs.toLocaleString('en')} programs`)
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'vitest.long.config.ts', ...files], {
    cwd: root,
    env: { ...process.env, LAW_PROGRAMS: String(count) },
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(1)
}
