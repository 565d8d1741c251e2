/** The backups of a running hub: started by its clock or by hand, listed, and pruned. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../pipes/logger.ts'
import { HubError } from '../errors.ts'
import { backupId, makeBackup } from './make.ts'
import { type Manifest, readManifests, tenantFolder } from './manifest.ts'
import { DEFAULT_RETENTION, type Retention, retained } from './retention.ts'

export interface BackupSettings {
  /** Folder of all backups. */
  readonly folder: string
  /** Milliseconds between two backups of a tenant. */
  readonly intervalMs?: number
  readonly keep?: Retention
}

/** What backups need to know of a tenant. */
export interface BackupSubject {
  readonly name: string
  /** Folder of its log. */
  readonly log: string
  /** Keeps a note of a backup; it is not to fail because of that. */
  note(entry: BackupEntry): Promise<void>
}

/** One backup as its keepers see it. */
export interface BackupEntry {
  readonly id: string
  readonly status: 'running' | 'completed' | 'failed'
  readonly kind: 'full' | 'incremental' | null
  /** ISO 8601. */
  readonly started: string
  readonly ended: string | null
  readonly bytes: number | null
  readonly message: string | null
}

const DAY_MS = 86_400_000
/** How often the clock is looked at. */
const LOOK_MS = 60_000
/** Failed ones that are remembered until the hub ends. */
const REMEMBERED = 20

export class Backups {
  readonly #settings: BackupSettings | null
  readonly #node: Manifest['node']
  readonly #subjects: () => readonly BackupSubject[]
  readonly #logger: Logger
  readonly #now: () => number
  readonly #running = new Map<string, { readonly entry: BackupEntry; readonly done: Promise<void> }>()
  readonly #failed = new Map<string, BackupEntry[]>()
  readonly #tried = new Map<string, number>()
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(
    settings: BackupSettings | null,
    node: Manifest['node'],
    subjects: () => readonly BackupSubject[],
    logger: Logger,
    now: () => number = Date.now,
  ) {
    this.#settings = settings
    this.#node = node
    this.#subjects = subjects
    this.#logger = logger
    this.#now = now
  }

  /** Backups are made by the clock from now on. */
  start(): void {
    if (this.#settings === null || this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
    this.#look()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort()
    await Promise.allSettled([...this.#running.values()].map(({ done }) => done))
  }

  /** Null: there are none. */
  get folder(): string | null {
    return this.#settings?.folder ?? null
  }

  /** Newest first. */
  list(tenant: string): readonly BackupEntry[] {
    const running = this.#running.get(tenant)
    const whole = this.#settings === null ? [] : readManifests(this.#settings.folder, tenant).map(entryOf)
    const all = [...whole, ...(this.#failed.get(tenant) ?? [])].sort((a, b) => (a.started < b.started ? 1 : -1))
    return running === undefined ? all : [running.entry, ...all]
  }

  /** Begins one and gives it at once. Codes: no-backup-folder, backup-running. */
  begin(subject: BackupSubject, isFull: boolean): BackupEntry {
    const { name } = subject
    const settings = this.#settings
    if (settings === null) {
      throw new HubError('no-backup-folder', 'This hub has no folder for backups.', {
        hint: 'Start it with --backup-dir DIR.',
      })
    }
    if (this.#running.has(name)) {
      throw new HubError('backup-running', `A backup of the tenant '${name}' is being made already.`)
    }
    const now = this.#now()
    const started = new Date(now).toISOString()
    const entry: BackupEntry = {
      id: backupId(now),
      status: 'running',
      kind: null,
      started,
      ended: null,
      bytes: null,
      message: null,
    }
    this.#tried.set(name, now)
    const done = this.#make(settings, subject, isFull, now, entry).finally(() => this.#running.delete(name))
    this.#running.set(name, { entry, done })
    return entry
  }

  /** Whether the newest one went well and is not too old; unknown without a folder for backups, or before the first. */
  health(tenant: string): 'healthy' | 'unhealthy' | 'unknown' {
    const newest = this.list(tenant).find(({ status }) => status !== 'running')
    if (newest === undefined || this.#settings === null) return 'unknown'
    const isOld = this.#now() - Date.parse(newest.started) > 2 * this.#intervalMs
    return newest.status === 'failed' || isOld ? 'unhealthy' : 'healthy'
  }

  /** What is wrong with them, for whoever is to mend it; null: nothing. */
  trouble(tenant: string): string | null {
    if (this.health(tenant) !== 'unhealthy') return null
    const newest = this.list(tenant).find(({ status }) => status !== 'running')
    if (newest?.status === 'failed') return `the last one, at ${newest.started}, failed: ${newest.message}`
    return `the newest is of ${newest?.started}, and there is to be one each ${Math.round(this.#intervalMs / 3_600_000)} hours.`
  }

  get #intervalMs(): number {
    return this.#settings?.intervalMs ?? DAY_MS
  }

  #look(): void {
    if (this.#settings === null || this.#closing.signal.aborted) return
    for (const subject of this.#subjects()) {
      const { name } = subject
      const last = Math.max(this.#tried.get(name) ?? 0, this.#newestTime(this.#settings, name))
      if (this.#running.has(name) || this.#now() - last < this.#intervalMs) continue
      this.begin(subject, false)
    }
  }

  #newestTime({ folder }: BackupSettings, tenant: string): number {
    return Date.parse(readManifests(folder, tenant).at(-1)?.time ?? '1970-01-01')
  }

  async #make(
    { folder: repository, keep = DEFAULT_RETENTION }: BackupSettings,
    { name: tenant, log, note }: BackupSubject,
    isFull: boolean,
    now: number,
    begun: BackupEntry,
  ): Promise<void> {
    let entry: BackupEntry
    try {
      const { signal } = this.#closing
      const manifest = await makeBackup({ repository, tenant, log, node: this.#node, isFull, now, signal })
      entry = { ...entryOf(manifest), ended: new Date(this.#now()).toISOString() }
      prune(repository, tenant, keep)
      this.#logger.info(`A ${manifest.kind} backup of tenant '${tenant}' was made.`, { id: manifest.id })
    } catch (error) {
      if (this.#closing.signal.aborted) return
      const { message } = error as Error
      entry = { ...begun, status: 'failed', ended: new Date(this.#now()).toISOString(), message }
      this.#failed.set(tenant, [...(this.#failed.get(tenant) ?? []), entry].slice(-REMEMBERED))
      this.#logger.error(`The backup of tenant '${tenant}' failed: ${message}`, { tenant })
    }
    await note(entry).catch((error) =>
      this.#logger.warn(`The note of a backup was not stored: ${(error as Error).message}`, { tenant }),
    )
  }
}

function prune(repository: string, tenant: string, keep: Retention): void {
  const manifests = readManifests(repository, tenant)
  const kept = retained(
    manifests.map(({ id, parent, time }) => ({ id, parent, time: Date.parse(time) })),
    keep,
  )
  for (const { id } of manifests) {
    if (!kept.has(id)) rmSync(join(tenantFolder(repository, tenant), id), { recursive: true, force: true })
  }
}

const entryOf = ({ id, kind, time, file }: Manifest): BackupEntry => ({
  id,
  status: 'completed',
  kind,
  started: time,
  ended: time,
  bytes: file.bytes,
  message: null,
})
