/** Logs for many trials: each look at a log costs something for every dataset of it, and each log costs memory. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bugs, World } from './world.ts'

/** Trials on one log. */
const ON_ONE = 12
/** Where there is a disk in memory, commits need not wait for the other one. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export class Logs {
  readonly #bugs: Bugs
  #folder: string | null = null
  #world: World | null = null
  #trials = 0

  constructor(bugs: Bugs = {}) {
    this.#bugs = bugs
  }

  /** A world, and a prefix that no other trial on it has. */
  async next(): Promise<{ readonly world: World; readonly prefix: string }> {
    if (this.#trials++ % ON_ONE === 0) await this.close()
    if (this.#world === null) {
      this.#folder = mkdtempSync(join(MEMORY, 'samtale-oracle-'))
      this.#world = await World.open(this.#folder, this.#bugs)
    }
    return { world: this.#world, prefix: `n${this.#trials}_` }
  }

  async close(): Promise<void> {
    // What a trial left behind that failed may not close either.
    await this.#world?.close().catch(() => {})
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
    this.#world = null
    this.#folder = null
  }
}
