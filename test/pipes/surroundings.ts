/** What tests give a component in place of the engine. */

import type { Static, TObject } from 'typebox'
import { Value as Schema } from 'typebox/value'
import type { Entity } from '../../src/model/entity.ts'
import type { Batch, Surroundings } from '../../src/pipes/contract.ts'
import { PipeError } from '../../src/pipes/errors.ts'
import { silent } from '../../src/pipes/logger.ts'
import type { SystemPort } from '../../src/pipes/systems/contract.ts'
import { urlSystem } from '../../src/pipes/systems/url.ts'

/** A configuration as a component gets it: checked, defaults filled in. Lists and dicts in it stay the same objects. */
export function configured<S extends TObject>(schema: S, config: Record<string, unknown>): Static<S> {
  const filled = Schema.Default(schema, { ...config })
  const [wrong] = Schema.Errors(schema, filled)
  if (wrong !== undefined) throw new Error(`${wrong.instancePath} ${wrong.message}`)
  return filled as Static<S>
}

export function openUrlSystem(config: Record<string, unknown>, folder: string | null = null): SystemPort {
  return urlSystem.open('crm', configured(urlSystem.config, { type: 'system:url', ...config }), { folder })
}

export function surroundings(
  systems: Record<string, SystemPort> = {},
  changes: Partial<Surroundings> = {},
): Surroundings {
  return {
    pipe: 'test',
    batchSize: 100,
    system(id) {
      const port = systems[id ?? '']
      if (port === undefined) throw new PipeError('unknown-system', `There is no system '${id}'.`)
      return port
    },
    snapshot: () => {
      throw new Error('this component reads no datasets')
    },
    namespacedIdentifiers: false,
    identityNamespace: 'test',
    log: silent,
    now: () => 0,
    ...changes,
  }
}

export interface ReadOutcome {
  readonly batches: readonly Batch[]
  readonly entities: readonly Entity[]
  /** The last bookmark. */
  readonly offset: string | null
  readonly error: unknown
}

/** Reads to the end, or to the error. */
export async function readAll(batches: AsyncIterable<Batch>): Promise<ReadOutcome> {
  const read: Batch[] = []
  let error: unknown
  try {
    for await (const batch of batches) read.push(batch)
  } catch (thrown) {
    error = thrown
  }
  const offset = read.reduce<string | null>((last, batch) => batch.offset ?? last, null)
  return { batches: read, entities: read.flatMap((batch) => batch.entities), offset, error }
}

/** The error a promise ends with; fails when it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<PipeError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof PipeError) return error
    throw error
  }
  throw new Error('no error was thrown')
}
