/** Counts open connections, in all and of each address, and says which are too many. */

export interface ConnectionLimits {
  readonly connections: number
  readonly 'connections-per-address': number
}

export type Admission = 'open' | 'connections' | 'connections-of-address'

export class Connections {
  readonly #limits: ConnectionLimits
  readonly #ofAddress = new Map<string, number>()
  #open = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  get open(): number {
    return this.#open
  }

  /** Counts one in, whatever it says: those that are too many are answered, too. `address` null: not counted by address. */
  add(address: string | null): Admission {
    this.#open++
    const own = address === null ? 0 : (this.#ofAddress.get(address) ?? 0) + 1
    if (address !== null) this.#ofAddress.set(address, own)
    if (this.#open > this.#limits.connections) return 'connections'
    return own > this.#limits['connections-per-address'] ? 'connections-of-address' : 'open'
  }

  remove(address: string | null): void {
    this.#open--
    if (address === null) return
    const left = (this.#ofAddress.get(address) ?? 1) - 1
    if (left === 0) this.#ofAddress.delete(address)
    else this.#ofAddress.set(address, left)
  }
}
