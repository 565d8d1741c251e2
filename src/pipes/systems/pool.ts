/** The systems of a configuration, opened when first used; those that stay the same stay open under the next one. */

import type { Value } from '../../model/value.ts'
import { PipeError } from '../errors.ts'
import type { RetryStrategy } from '../retries/settings.ts'
import type { SystemPort, SystemSurroundings } from './contract.ts'

export interface DeployedSystem {
  readonly id: string
  readonly effective: Value
  /** What it says of errors to the pumps that use it. */
  readonly retryStrategy: RetryStrategy | null
  /** Opens it; null when its configuration has errors. */
  readonly open: ((surroundings: SystemSurroundings) => SystemPort) | null
}

type Systems = ReadonlyMap<string, DeployedSystem>

/** Opens the plain web, which is there without any configuration: only absolute addresses. */
type OpenWeb = (surroundings: SystemSurroundings) => SystemPort

const WEB = ''

export class SystemPool {
  readonly #systems: Systems
  readonly #openWeb: OpenWeb
  readonly #surroundings: SystemSurroundings
  readonly #open: Map<string, SystemPort>
  /** Those that a successor has taken over. */
  readonly #handedOn = new Set<SystemPort>()

  constructor(
    systems: Systems,
    openWeb: OpenWeb,
    surroundings: SystemSurroundings,
    open: Iterable<readonly [string, SystemPort]> = [],
  ) {
    this.#systems = systems
    this.#openWeb = openWeb
    this.#surroundings = surroundings
    this.#open = new Map(open)
  }

  /** An absent id is the plain web. */
  get(id: string | undefined): SystemPort {
    const name = id ?? WEB
    const former = this.#open.get(name)
    if (former !== undefined) return former
    const port = id === undefined ? this.#openWeb(this.#surroundings) : this.#openSystem(id)
    this.#open.set(name, port)
    return port
  }

  /** The systems from now on; who was given this pool goes on with it. `isSame`: what is open of a system is still right. */
  successor(systems: Systems, surroundings: SystemSurroundings, isSame: (system: string) => boolean): SystemPool {
    const kept = [...this.#open].filter(([name]) => name === WEB || isSame(name))
    for (const [, port] of kept) this.#handedOn.add(port)
    return new SystemPool(systems, this.#openWeb, surroundings, kept)
  }

  /** All but what a successor has. */
  async close(): Promise<void> {
    const own = [...this.#open.values()].filter((port) => !this.#handedOn.has(port))
    this.#open.clear()
    await Promise.all(own.map((port) => port.close()))
  }

  #openSystem(id: string): SystemPort {
    const system = this.#systems.get(id)
    if (system === undefined) throw new PipeError('unknown-system', `There is no system '${id}'.`)
    if (system.open === null) {
      throw new PipeError('invalid-system', `System '${id}' has errors in its configuration and cannot be used.`)
    }
    return system.open(this.#surroundings)
  }
}
