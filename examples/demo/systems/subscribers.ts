/** Whom a system tells that something changed, and how it does not give up at once. */

import { setTimeout as pause } from 'node:timers/promises'

/** What a subscriber is sent; the receiver of the demo takes it as an order to start a pump. */
const MESSAGE = 'operation=start'
const ATTEMPTS = 40
const PAUSE_MS = 100

export class Subscribers {
  readonly #urls = new Map<string, Set<string>>()
  /** Those being told, and whether there is more news since. */
  readonly #busy = new Map<string, boolean>()

  add(kind: string, url: string): void {
    this.#urls.set(kind, new Set([...(this.#urls.get(kind) ?? []), url]))
  }

  /** Returns at once; several changes in a row become one or two messages. */
  tell(kind: string): void {
    for (const url of this.#urls.get(kind) ?? []) {
      const isBusy = this.#busy.has(url)
      this.#busy.set(url, isBusy)
      if (!isBusy) void this.#deliver(url)
    }
  }

  async #deliver(url: string): Promise<void> {
    do {
      this.#busy.set(url, false)
      for (let attempt = 0; attempt < ATTEMPTS && !(await accepted(url)); attempt++) await pause(PAUSE_MS)
    } while (this.#busy.get(url) === true)
    this.#busy.delete(url)
  }
}

/** 409 means that it is at work already, perhaps past what is new: it has to be told again. */
async function accepted(url: string): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { status } = await fetch(url, { method: 'POST', headers, body: MESSAGE, signal: AbortSignal.timeout(5000) })
    return status !== 409 && status < 500
  } catch {
    return false
  }
}
