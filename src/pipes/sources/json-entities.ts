/** Reads an answer that is a JSON array of entities, or one entity, as a stream of groups. */

import { isUtf8 } from 'node:buffer'
import type { Entity } from '../../model/entity.ts'
import { parseJson } from '../../model/json.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { shown } from '../answers.ts'
import { PipeError } from '../errors.ts'
import type { SystemPort, SystemResponse } from '../systems/contract.ts'
import { type ElementGroup, ElementSplitter } from './json-elements.ts'

/** A group ends at the first entity that takes it beyond this. */
const GROUP_BYTES = 4 * 1024 * 1024
/** The limit that hub.md §15.1 gives for one entity. */
const ENTITY_BYTES = 104_857_600

/** At most `batchSize` entities at a time, those before a broken one included. Throws `bad-json`, `json-truncated`, `bad-entity`, `entity-too-large`. */
export async function* jsonEntities(
  port: SystemPort,
  answer: SystemResponse,
  batchSize: number,
): AsyncIterable<readonly Entity[]> {
  const what = `The answer of ${answer.address}`
  const splitter = new ElementSplitter(what, { elements: batchSize, bytes: GROUP_BYTES, elementBytes: ENTITY_BYTES })
  try {
    for await (const chunk of answer.body) {
      for (const group of splitter.push(chunk)) yield* entitiesOf(group, what)
    }
    splitter.finish()
  } catch (error) {
    throw error instanceof PipeError ? locatedAt(error, port, answer) : error
  }
}

/** What is wrong is known here; where it came from is added, and secrets are taken out of what is quoted. */
function locatedAt(error: PipeError, port: SystemPort, { address, status }: SystemResponse): PipeError {
  return new PipeError(error.code, port.mask(error.message), {
    details: { address, status, ...error.details },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  })
}

function* entitiesOf(group: ElementGroup, what: string): Iterable<readonly Entity[]> {
  const entities = wholeGroup(group)
  if (entities !== undefined) yield entities
  else yield* oneByOne(group, what)
}

/** The usual case: one call for all of them. */
function wholeGroup({ bytes, count }: ElementGroup): readonly Entity[] | undefined {
  if (!isUtf8(bytes)) return undefined
  try {
    const values = parseJson(`[${textOf(bytes)}]`)
    return isList(values) && values.length === count && values.every(isDict) ? (values as readonly Entity[]) : undefined
  } catch {
    return undefined
  }
}

/** Finds the element that is wrong, and gives what comes before it. */
function* oneByOne(group: ElementGroup, what: string): Iterable<readonly Entity[]> {
  const good: Entity[] = []
  const splitter = new ElementSplitter(what, { elements: 1, bytes: 0, elementBytes: ENTITY_BYTES })
  const elements = [...splitter.push(Buffer.concat([Buffer.from('['), group.bytes, Buffer.from(']')]))]
  for (const [place, { bytes }] of elements.entries()) {
    let value: Value
    const name = `Element ${group.first + place} of ${what.replace(/^The/, 'the')}`
    const details = { element: group.first + place, beginning: shown(bytes) }
    try {
      if (!isUtf8(bytes)) throw new Error('it is not UTF-8.')
      value = parseJson(textOf(bytes))
      if (!isDict(value)) {
        throw new PipeError('bad-entity', `${name} is not an object: ${shown(bytes)}`, {
          details,
        })
      }
    } catch (cause) {
      if (good.length > 0) yield good
      if (cause instanceof PipeError) throw cause
      const why = (cause as Error).message.replace(/^Not JSON: /, '')
      throw new PipeError('bad-json', `${name} is not JSON: ${why} It begins with: ${shown(bytes)}`, { details, cause })
    }
    good.push(value as Entity)
  }
  yield good
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
