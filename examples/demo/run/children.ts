/** Processes that the demo starts, and ends. */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SystemsOrder, SystemUrls } from '../systems/main.ts'

export interface Stoppable {
  stop(): Promise<void>
}

export interface Systems extends Stoppable {
  readonly urls: SystemUrls
}

/** Resolves when the process is gone. */
export function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((done) => {
    child.once('exit', () => done())
    child.kill(signal)
  })
}

/** The three business systems, in a process of their own. */
export function startSystems(order: SystemsOrder): Promise<Systems> {
  const script = fileURLToPath(new URL('../systems/main.ts', import.meta.url))
  const child = fork(script, [JSON.stringify(order)], { execArgv: ['--import', 'tsx'] })
  return new Promise((done, fail) => {
    child.once('message', (urls) => done({ urls: urls as SystemUrls, stop: () => stopped(child, 'SIGTERM') }))
    child.once('error', fail)
    child.once('exit', (code) => fail(new Error(`The systems ended at once (${code}).`)))
  })
}
