/** `npm run demo`: three business systems become one graph. With `--check` it proves it, and ends. */

import { check } from './run/check.ts'
import { demo } from './run/demo.ts'
import { heading, line } from './run/paper.ts'

const unknown = process.argv.slice(2).filter((argument) => argument !== '--check')
if (unknown.length > 0) {
  line(`The demo knows --check, and not ${unknown.join(' ')}.`)
  process.exit(2)
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort())

try {
  if (process.argv.includes('--check')) {
    await check(interrupted.signal)
    heading('All as it should be.')
  } else await demo(interrupted.signal)
} catch (error) {
  heading(`Not as it should be: ${(error as Error).message}`)
  process.exitCode = 1
}
