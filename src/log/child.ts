/**
 * Runs a module as a process of its own, alike from the TypeScript sources and from the built program: for reading what may
 * be damaged, since a broken page can end the process that reads it.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { entryUrl, isSource } from './entry.ts'

/** How a child came to its end. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It was ended from here: it had said nothing for too long. */
  readonly isSilent: boolean
  /** The end of what it wrote on standard error. */
  readonly said: string
}

interface ChildOptions<M> {
  readonly args?: readonly string[]
  /** Hears of each message. */
  hear(message: M): void
  /** A child that says nothing for so long hangs, and is ended. */
  readonly silenceMs: number
  readonly signal?: AbortSignal
}

/** Characters kept of what a child wrote on standard error. */
const SAID = 2_000

/**
 * Runs the module `entry`, seen from the module `callerUrl` (its `import.meta.url`), and resolves when the process is gone.
 * `entry` is written with `.ts`; next to a built caller, the built file is taken.
 */
export function runChild<M>(
  callerUrl: string,
  entry: `${string}.ts`,
  { args = [], hear, silenceMs, signal }: ChildOptions<M>,
): Promise<Ended> {
  const url = entryUrl(callerUrl, entry)
  const loader = isSource(url) ? ['--import', pathToFileURL(createRequire(callerUrl).resolve('tsx')).href] : []
  const child = fork(fileURLToPath(url), [...args], { execArgv: loader, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  return ending(child, { hear, silenceMs, ...(signal === undefined ? {} : { signal }) })
}

function ending<M>(child: ChildProcess, { hear, silenceMs, signal }: ChildOptions<M>): Promise<Ended> {
  let said = ''
  let isSilent = false
  const kill = () => void child.kill('SIGKILL')
  const watch = setTimeout(() => {
    isSilent = true
    kill()
  }, silenceMs)
  signal?.addEventListener('abort', kill, { once: true })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-SAID)
  })
  child.on('message', (message: M) => {
    watch.refresh()
    hear(message)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, deathSignal) => {
      clearTimeout(watch)
      signal?.removeEventListener('abort', kill)
      resolve({ code, signal: deathSignal, isSilent, said })
    })
  })
}

/** In the child: sends a message, and resolves when it is on its way, so that it arrives even if the next instruction is fatal. */
export const tell = (message: unknown): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(message, () => resolve())
  })
