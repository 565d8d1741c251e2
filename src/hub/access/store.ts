/** Accounts, roles, tokens and revocations of a node: one file that only its owner may read, shared by the hub and the command line. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { HubError } from '../errors.ts'

export interface StoredUser {
  readonly id: string
  readonly email: string
  readonly name: string | null
  readonly roles: readonly string[]
  /** Null: all. */
  readonly tenants: readonly string[] | null
  /** Null: nobody can log in. */
  readonly password: string | null
  readonly isDisabled: boolean
  /** Milliseconds since 1970, as all times here. */
  readonly created: number
  /** Tokens that were issued before are void: the password changed, or somebody revoked them. */
  readonly validAfter: number
}

export interface StoredRole {
  readonly id: string
  readonly name: string
  readonly description: string | null
  /** Roles whose rights it brings along. */
  readonly children: readonly string[]
}

export interface StoredToken {
  readonly id: string
  readonly name: string
  readonly description: string | null
  /** The account it acts for; null: it was made on the command line. */
  readonly owner: string | null
  readonly roles: readonly string[]
  readonly ids: readonly string[] | null
  readonly permissions: readonly string[] | null
  readonly tenants: readonly string[] | null
  readonly created: number
  readonly expires: number | null
}

export interface StoredRevocation {
  /** `jti` or `api_token_id`. */
  readonly id: string
  readonly revoked: number
  readonly reason: string | null
  /** When the token ends by itself, and this need not be remembered any longer; null: never. */
  readonly until: number | null
}

export interface AccessDocument {
  readonly users: readonly StoredUser[]
  readonly roles: readonly StoredRole[]
  readonly tokens: readonly StoredToken[]
  readonly revoked: readonly StoredRevocation[]
}

const EMPTY: AccessDocument = { users: [], roles: [], tokens: [], revoked: [] }
const FILE = 'access.json'
/** What the command line changes a running hub knows after this long. */
const LOOK_MS = 1_000
const LOCK_MS = 5_000
/** Nobody holds it longer, unless they died. */
const STALE_MS = 20_000

export class AccessStore {
  readonly #path: string
  readonly #now: () => number
  #document: AccessDocument = EMPTY
  #seen = ''
  #lookedAt = Number.NEGATIVE_INFINITY
  #version = 0

  constructor(folder: string, now: () => number = Date.now) {
    this.#path = join(folder, FILE)
    this.#now = now
  }

  /** As it is, at most a second old. Code: bad-data. */
  get document(): AccessDocument {
    const now = this.#now()
    if (now - this.#lookedAt >= LOOK_MS || now < this.#lookedAt) {
      this.#lookedAt = now
      this.#load()
    }
    return this.#document
  }

  /** Another number whenever the document is another. */
  get version(): number {
    void this.document
    return this.#version
  }

  /** Whole or not at all, and on disk when it resolves; two writers at once wait for one another. */
  async change<T>(
    edit: (document: AccessDocument) => { readonly next: AccessDocument; readonly result: T },
  ): Promise<T> {
    const unlock = await this.#lock()
    try {
      this.#load()
      const { next, result } = edit(this.#document)
      this.#write(next)
      return result
    } finally {
      unlock()
    }
  }

  #load(): void {
    const stat = statSync(this.#path, { throwIfNoEntry: false })
    const seen = stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`
    if (seen === this.#seen) return
    this.#document = stat === undefined ? EMPTY : this.#read()
    this.#seen = seen
    this.#version++
  }

  #read(): AccessDocument {
    try {
      return { ...EMPTY, ...(JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<AccessDocument>) }
    } catch (cause) {
      throw new HubError('bad-data', `${this.#path} is not what the hub wrote there.`, {
        hint: 'Restore it from a copy, or take it away: then all accounts and tokens are gone.',
        cause,
      })
    }
  }

  #write(document: AccessDocument): void {
    const part = `${this.#path}.part`
    rmSync(part, { force: true })
    const file = openSync(part, 'wx', 0o600)
    try {
      writeSync(file, `${JSON.stringify(document, null, 2)}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(part, this.#path)
    this.#load()
  }

  async #lock(): Promise<() => void> {
    const path = `${this.#path}.lock`
    for (const end = Date.now() + LOCK_MS; ; ) {
      try {
        closeSync(openSync(path, 'wx', 0o600))
        return () => rmSync(path, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const held = existsSync(path)
        ? Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
        : 0
      if (held > STALE_MS) rmSync(path, { force: true })
      if (Date.now() > end) {
        throw new HubError('access-busy', `Another process is changing ${this.#path}.`, {
          hint: `Try again. If no other process is at it, remove ${path}.`,
        })
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
