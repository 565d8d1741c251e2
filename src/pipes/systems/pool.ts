/** The systems of a configuration, opened when first used and closed together. */

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

export interface SystemPool {
  /** An absent id is the plain web: only absolute addresses. */
  get(id: string | undefined): SystemPort
  close(): Promise<void>
}

export function openSystems(
  systems: ReadonlyMap<string, DeployedSystem>,
  plainWeb: (surroundings: SystemSurroundings) => SystemPort,
  surroundings: SystemSurroundings,
): SystemPool {
  const open = new Map<string, SystemPort>()
  return {
    get(id) {
      const name = id ?? ''
      const former = open.get(name)
      if (former !== undefined) return former
      const port = id === undefined ? plainWeb(surroundings) : openSystem(systems, id, surroundings)
      open.set(name, port)
      return port
    },
    async close() {
      await Promise.all([...open.values()].map((port) => port.close()))
      open.clear()
    },
  }
}

function openSystem(
  systems: ReadonlyMap<string, DeployedSystem>,
  id: string,
  surroundings: SystemSurroundings,
): SystemPort {
  const system = systems.get(id)
  if (system === undefined) throw new PipeError('unknown-system', `There is no system '${id}'.`)
  if (system.open === null) {
    throw new PipeError('invalid-system', `System '${id}' has errors in its configuration and cannot be used.`)
  }
  return system.open(surroundings)
}
