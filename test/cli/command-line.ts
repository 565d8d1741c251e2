/** The command line as a user types it: the program in a process of its own, and what it printed. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll } from 'vitest'
import { DIST, isBuilt, SRC } from '../built.ts'

export interface Typed {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Hears of the process when it begins. */
  readonly began?: (child: ChildProcess) => void
}

/** A hub that serves. */
export interface Serving {
  readonly url: string
  readonly process: ChildProcess
  out(): string
  err(): string
  /** Sends the signal and waits for the end, if it has not ended yet. */
  end(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<{ code: number | null; ms: number }>
}

/** The program as it was built, which starts in half the time, unless a source is newer: then the sources. */
const program = isBuilt()
  ? [join(DIST, 'main.js')]
  : ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href, join(SRC, 'main.ts')]

const living = new Set<ChildProcess>()
afterAll(() => {
  for (const child of living) child.kill('SIGKILL')
})

/** Types a command and waits for its end. */
export async function samtale(typed: readonly string[], surroundings: Surroundings = {}): Promise<Typed> {
  const { child, out, err } = start(typed, surroundings)
  surroundings.began?.(child)
  // 'close': all that it printed has been read.
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: out(), err: err() }
}

/** Starts a hub on a free port and waits until it says where it listens. */
export async function serve(typed: readonly string[], surroundings: Surroundings = {}): Promise<Serving> {
  const { child, out, err } = start(['serve', ...typed], {
    ...surroundings,
    // On this machine, and without tokens; tests that are about those say so.
    env: { SAMTALE_PORT: '0', SAMTALE_DEVELOPER: '1', ...surroundings.env },
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`The hub ended with ${code}: ${out()}${err()}`)))
    child.stdout?.on('data', () => {
      const found = /listening on (https?:\S+)\n/.exec(out())?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return {
    url,
    process: child,
    out,
    err,
    async end(signal = 'SIGTERM') {
      if (!living.has(child)) return { code: child.exitCode, ms: 0 }
      const startedAt = performance.now()
      const closed = once(child, 'close')
      child.kill(signal)
      const [code] = (await closed) as [number | null]
      return { code, ms: performance.now() - startedAt }
    },
  }
}

function start(typed: readonly string[], { cwd, env = {} }: Surroundings) {
  const { PATH = '', HOME = '', TMPDIR } = process.env
  const child = spawn(process.execPath, [...program, ...typed], {
    // Nothing of the surroundings that could change what the program does or prints.
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  living.add(child)
  child.once('close', () => living.delete(child))
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return { child, out: () => out, err: () => err }
}
