/** A real hub in a process of its own, on a fresh folder, for the benchmarks. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface Hub {
  readonly url: string
  readonly data: string
  /** By which it knows its administrator, where it asks who calls. */
  readonly headers: Readonly<Record<string, string>>
  request(method: string, path: string, body?: string, type?: string): Promise<Response>
  json<T>(path: string): Promise<T>
  /** Anonymous memory in MB now. */
  memoryMb(): number
  /** Peak of anonymous memory in MB so far, and CPU seconds used. */
  usage(): { readonly anonymousMb: number; readonly cpuSeconds: number }
  diskBytes(): Promise<number>
  stop(): Promise<void>
}

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface HubOptions {
  /** A folder that is there and stays; otherwise a fresh one. */
  readonly data?: string
  readonly withGraph?: boolean
  /** Threads that run pipes. */
  readonly threads?: number
  /** It asks who calls, as it would in earnest. */
  readonly authenticates?: boolean
}

export async function startHub({
  data: folder,
  withGraph = true,
  threads,
  authenticates = false,
}: HubOptions = {}): Promise<Hub> {
  const data = folder ?? (await mkdtemp(join(tmpdir(), 'samtale-bench-')))
  const child = spawn(
    process.execPath,
    withGraph
      ? [MAIN, 'serve', authenticates ? '--auth=on' : '--developer', '--port', '0', '--data', data]
      : withoutGraph(data),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...(threads === undefined ? {} : { SAMTALE_THREADS: String(threads) }) },
    },
  )
  const url = await listening(child)
  const headers = authenticates ? adminOf(data) : {}
  let peak = 0
  const memoryMb = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
  }
  const anonymousMb = () => {
    peak = Math.max(peak, memoryMb())
    return peak
  }
  const sampler = setInterval(anonymousMb, 100)
  const request: Hub['request'] = async (method, path, body, type = 'application/json') => {
    const answer = await fetch(`${url}${path}`, {
      method,
      // Not compressed: that would measure zlib.
      headers: { ...headers, 'accept-encoding': 'identity', ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  return {
    url,
    data,
    headers,
    request,
    json: async <T>(path: string) => (await (await request('GET', path)).json()) as T,
    memoryMb,
    usage: () => ({ anonymousMb: anonymousMb(), cpuSeconds: cpuSeconds(child.pid as number) }),
    diskBytes: () => sizeOf(data),
    async stop() {
      clearInterval(sampler)
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      if (folder === undefined) await rm(data, { recursive: true, force: true })
    },
  }
}

/** A hub that asks who calls has left a token for its administrator. */
const adminOf = (data: string): Record<string, string> => ({
  authorization: `Bearer ${readFileSync(join(data, 'admin.jwt'), 'utf8').trim()}`,
})

/** The same hub without its graph, which the command line does not offer. */
const withoutGraph = (data: string): string[] => [
  '--eval',
  `(async () => {
    const [{ HubNode }, { openServer }, { doors }] = await Promise.all(
      ['hub/node.js', 'api/server.js', 'hub/doors.js'].map((file) => import(new URL(file, ${JSON.stringify(pathToFileURL(MAIN).href)}))))
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const onFatal = (error) => { throw error }
    const data = ${JSON.stringify(data)}
    const node = await HubNode.open({ data, developer: false, version: 'bench', logger, withGraph: false, onFatal, ...(process.env.SAMTALE_THREADS === undefined ? {} : { threads: Number(process.env.SAMTALE_THREADS) }) })
    const server = await openServer(node, { host: '127.0.0.1', port: 0, doors })
    node.startPumps()
    process.once('SIGTERM', async () => { await server.close(); await node.close(); process.exit() })
    console.log('Samtale is listening on ' + server.url)
  })()`,
]

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const url = /Samtale is listening on (\S+)/.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (code) => reject(new Error(`The hub ended with code ${code}: ${text}`)))
  })
}

const TICKS_PER_SECOND = 100

function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** What the files take on disk, not how long they say they are. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    bytes += entry.isDirectory() ? await sizeOf(path) : (await stat(path)).blocks * 512
  }
  return bytes
}
