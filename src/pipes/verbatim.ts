/** Entities that go from a posted body into the log as they are: their bytes are moved, and no value is built of them. */

import { EntityPacker } from '../log/batch.ts'
import { LogError } from '../log/errors.ts'
import type { Entity } from '../model/entity.ts'
import { EntityBytes, NotEntities } from '../model/entity-bytes.ts'
import { encodeEntity } from '../model/entity-encoder.ts'
import type { Pipe } from './pipe.ts'
import { type PushReading, parsePush } from './sources/http-endpoint.ts'
import { isFiltered } from './transform-batch.ts'

/** A pipe that changes nothing of what it is sent, and compares nothing but its hash. */
export const isVerbatim = ({ transforms, addNamespaces, removeNamespaces, sink }: Pipe): boolean =>
  transforms.length === 0 &&
  !addNamespaces &&
  !removeNamespaces &&
  sink.kind === 'dataset' &&
  !sink.tracksChildren &&
  !sink.rules.isLocked &&
  sink.breaker === null

/**
 * The body's entities as a batch for the log, without index keys. Null when the body has to be read as values: to say what
 * is wrong with it, or because it holds entities that are not simply stored.
 */
export function packVerbatim(body: Uint8Array, reading: PushReading): ArrayBuffer | null {
  try {
    const entities = new EntityBytes(body, { decimals: reading.do_float_as_decimal !== false })
    const packer = new EntityPacker(body.length + (body.length >> 2))
    for (let found = entities.next(); found !== 'end'; found = entities.next()) {
      if (found === 'plain') packer.addText(entities.entity)
      else if (!packOther(packer, body.subarray(entities.start, entities.end), reading)) return null
    }
    return packer.finish()
  } catch (error) {
    if (error instanceof NotEntities || (error instanceof LogError && error.code === 'bad-id')) return null
    throw error
  }
}

/** An entity that is not plain is read by itself; false when it is wrong or not simply stored. */
function packOther(packer: EntityPacker, text: Uint8Array, reading: PushReading): boolean {
  let entities: readonly Entity[]
  try {
    entities = parsePush(text, reading)
  } catch {
    // Read with all of the body, it gets an error that names its place.
    return false
  }
  if (entities.some(isFiltered)) return false
  for (const entity of entities) packer.add(encodeEntity(entity))
  return true
}
