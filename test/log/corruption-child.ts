/** A process that reads damaged logs, one after the other, until one of them is its end: `corruption-child`. */

import { createHash } from 'node:crypto'
import type { DatasetView, Snapshot, Version } from '../../src/log/contract.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { verifyLog } from '../../src/log/verify/verify.ts'
import { get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'

export interface Job {
  readonly path: string
  readonly verifies: boolean
}

export interface Outcome {
  /** What verify found; null when it was not asked. */
  readonly findings: readonly string[] | null
  /** Each thing that was read, and what came: a hash, or an error. */
  readonly reads: Readonly<Record<string, string>>
}

const IDS = [...Array.from({ length: 40 }, (_, i) => `id${i * 7}`), 'absent']
const KEYS = ['p0', 'p1', 'p2', 'p3', 'value'.repeat(200)]

process.on('message', async (job: Job) => {
  const findings = job.verifies ? await verified(job.path) : null
  process.send?.({ findings, reads: readAll(job.path) } satisfies Outcome)
})

async function verified(path: string): Promise<string[]> {
  const findings: string[] = []
  const keysOf = (_: string, __: string, entity: Entity) => [Buffer.from(get(entity, 'p') as string)]
  try {
    await verifyLog(path, { keysOf, found: ({ law, message }) => void findings.push(`${law}: ${message}`) })
  } catch (error) {
    findings.push(`refused: ${(error as Error).message}`)
  }
  return findings
}

function readAll(path: string): Record<string, string> {
  const reads: Record<string, string> = {}
  const read = (name: string, action: () => unknown) => {
    try {
      reads[name] = hashOf(action())
    } catch (error) {
      reads[name] = `error ${(error as { code?: string }).code ?? (error as Error).message}`
    }
  }
  let log: LogReader | undefined
  read('open', () => {
    log = openLog(path)
    return 'opened'
  })
  if (log === undefined) return reads
  let snapshot: Snapshot | undefined
  read('snapshot', () => {
    snapshot = log?.snapshot()
    return 'opened'
  })
  if (snapshot !== undefined) readSnapshot(snapshot, read)
  try {
    log.close()
  } catch {
    // It was read.
  }
  return reads
}

function readSnapshot(snapshot: Snapshot, read: (name: string, action: () => unknown) => void): void {
  read('datasets', () => snapshot.datasets())
  read('offsets', () => snapshot.offsets(''))
  read('states', () =>
    [...snapshot.states(new Uint8Array(0))].map((one) => one.map((part) => Buffer.from(part).toString('hex'))),
  )
  for (const id of ['d', 'e', 'f']) {
    let view: DatasetView | undefined
    read(`${id} view`, () => {
      view = snapshot.dataset(id)
      return view === undefined ? 'none' : 'there'
    })
    const there = view
    if (there === undefined) continue
    read(`${id} counts`, () => there.counts())
    // Each version by itself, so that one that is wrong is not hidden by another that is refused.
    let count = 0
    try {
      for (const version of there.changes(null)) {
        count++
        read(`${id} version ${version.sequence}`, () => plain(version))
      }
    } catch (error) {
      read(`${id} changes`, () => {
        throw error
      })
    }
    read(`${id} number of versions`, () => count)
    read(`${id} ids`, () => [...there.entities()].map(({ id: one, sequence }) => [one, sequence]))
    for (const one of IDS) read(`${id} latest ${one}`, () => plain(there.latest(one)))
    for (const key of KEYS)
      read(`${id} lookup ${key.slice(0, 8)}`, () => there.lookup(0, Buffer.from(key), { deleted: true }))
  }
}

const plain = (version: Version | undefined) =>
  version && { ...version, body: Buffer.from(version.body).toString('hex') }

const hashOf = (value: unknown): string =>
  createHash('md5')
    .update(JSON.stringify(value) ?? 'undefined')
    .digest('hex')
