/** What a pipe gives its programs while they run: other datasets, the time, former versions. */

import { randomUUID } from 'node:crypto'
import type { HopsMeter, RunContext } from '../dtl/contract.ts'
import { addNamespaces } from '../dtl/namespaces.ts'
import { entityOf } from '../log/stored.ts'
import { type Dict, get, newDict } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { completenessAt } from './completeness.ts'
import { RunHopsMeter } from './hops-meter.ts'
import { type Logger, silent } from './logger.ts'
import { type FoundBefore, lookupAt } from './lookup.ts'
import { openPgp } from './open-pgp.ts'
import type { Pipe } from './pipe.ts'
import type { ReadPosition } from './position.ts'
import { noSecrets, type Secrets } from './secrets.ts'

export interface ContextPorts {
  readonly found: FoundBefore
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly uuid?: () => string
  readonly bound?: Dict
  /** Hears of hops that collect much. */
  readonly logger?: Logger
  readonly meter?: HopsMeter
  readonly cardinality?: (trace: string, rows: number) => void
  readonly secrets?: Secrets
}

/** For a run, a request or a preview, which is one moment to its programs: `now` does not move. */
export function runContext(
  pipe: Pipe,
  position: ReadPosition,
  {
    found,
    now,
    uuid = randomUUID,
    bound = newDict(),
    cardinality,
    logger = silent,
    meter,
    secrets = noSecrets,
  }: ContextPorts,
): RunContext {
  const startedAt = BigInt(now()) * 1_000_000n
  const dataset = datasetOf(pipe)
  return {
    lookup: lookupAt(position, found),
    now: () => startedAt,
    uuid,
    bound,
    meter: meter ?? new RunHopsMeter(pipe.hopsThresholds, logger),
    completeness: (via, of) => nanosecondsAt(position, via, of),
    openPgp,
    secret: (name) => secrets.valueOf(name, null),
    mask: (text) => secrets.mask(text),
    ...(dataset === null ? {} : { dataset, previous: (source: Entity) => previousOf(pipe, position, dataset, source) }),
    ...(cardinality === undefined ? {} : { cardinality }),
  }
}

function datasetOf({ source }: Pipe): string | null {
  const { dataset } = source.config
  return source.type === 'dataset' && typeof dataset === 'string' ? dataset : null
}

/** The version that the entity names as the one before, as the program would have seen it. */
function previousOf(pipe: Pipe, { snapshot }: ReadPosition, dataset: string, source: Entity): Entity | null {
  const sequence = get(source, '_previous')
  if (typeof sequence !== 'number') return null
  const version = snapshot.dataset(dataset)?.version(sequence)
  if (version === undefined) return null
  const entity = entityOf(version, { internal: true })
  return pipe.addNamespaces ? addNamespaces(entity, pipe.settings) : entity
}

function nanosecondsAt({ snapshot }: ReadPosition, via: string, of: string): bigint | null {
  const microseconds = completenessAt(snapshot, via, of)
  return microseconds === null ? null : BigInt(microseconds) * 1_000n
}
