/** The hub of the demo, started as anybody would start it: a process with a data folder and a configuration. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Stoppable, stopped } from './children.ts'

export interface HubOptions {
  /** 0: any free port. */
  readonly port: number
  readonly data: string
  readonly config: string
}

export interface Hub extends Stoppable {
  readonly url: string
  /** As `kill -9` does: without a word. */
  kill(): Promise<void>
  /** Throws when the process is no more. */
  checkAlive(): void
  /** Resolves when the process is no more, for whatever reason. */
  readonly ended: Promise<void>
}

const program = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
const LISTENING = /^Samtale is listening on (\S+)$/m
const START_MS = 60_000

export async function startHub({ port, data, config }: HubOptions): Promise<Hub> {
  if (!existsSync(program)) throw new Error(`There is no ${program}: run npm run build first.`)
  const child = spawn(
    process.execPath,
    [program, 'serve', '--developer', '--port', String(port), '--data', data, '--config', config],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000)
    })
  }
  const hub = {
    ended: new Promise<void>((done) => void child.once('exit', () => done())),
    stop: () => stopped(child, 'SIGTERM'),
    kill: () => stopped(child, 'SIGKILL'),
    checkAlive() {
      if (hasEnded(child)) throw new Error(`The hub has ended.\n${said.trim()}`)
    },
  }
  const url = await listening(child, () => said).catch(async (error: Error) => {
    await hub.kill()
    throw error
  })
  return { url, ...hub }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

function listening(child: ChildProcess, said: () => string): Promise<string> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`The hub does not start.\n${said()}`)), START_MS)
    const look = () => {
      const url = LISTENING.exec(said())?.[1]
      if (url === undefined) return
      clearTimeout(timer)
      child.stdout?.off('data', look)
      done(url)
    }
    child.stdout?.on('data', look)
    child.once('error', fail)
    child.once('close', () => {
      clearTimeout(timer)
      fail(new Error(`The hub does not start.\n${said().trim()}`))
    })
  })
}
