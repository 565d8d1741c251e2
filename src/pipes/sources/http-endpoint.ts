/** The source of a receiver pipe: its entities come when somebody posts them (rest-api.md §7). */

import { isUtf8 } from 'node:buffer'
import { Type } from 'typebox'
import { getStored, setStored, storedKeys } from '../../model/dict.ts'
import { type Entity, idOf, isEntity } from '../../model/entity.ts'
import { ValueError } from '../../model/errors.ts'
import { JsonError, parseJson, writeJson } from '../../model/json.ts'
import type { TextForm } from '../../model/text-form.ts'
import { TransitReader } from '../../model/transit-reader.ts'
import { Float, integer, isDict, isList, type Value } from '../../model/value.ts'
import { shown } from '../answers.ts'
import { defineSource } from '../contract.ts'
import { PipeError } from '../errors.ts'

/** `http_endpoint` (hub.md §14.7). */
export const httpEndpointSource = defineSource({
  type: 'http_endpoint',
  summary: 'Entities that others post to the hub.',
  config: Type.Object({
    type: Type.Literal('http_endpoint'),
    auto_populate_dataset: Type.Boolean({
      default: true,
      description: 'The sink dataset counts as populated from the start.',
    }),
    do_float_as_decimal: Type.Boolean({
      default: true,
      description: 'Numbers with a point become decimals, digit by digit.',
    }),
    do_float_as_int: Type.Boolean({ default: true, description: 'Numbers such as 3.0 become integers.' }),
    trace: Type.Unknown({ default: false, description: 'Log each request.' }),
    validation_expression: Type.Optional(Type.String({ description: 'Says by a template why a request is refused.' })),
    system: Type.Optional(Type.String({ description: 'The system whose secrets the validation may use.' })),
    comment: Type.Optional(Type.Unknown()),
  }),
  unsupported: {
    trace: 'logging of requests',
    validation_expression: 'validation by a template',
    system: 'secrets of a system in the validation',
  },
  examples: [{ type: 'http_endpoint' }, { type: 'http_endpoint', do_float_as_decimal: false }],
  addsNamespaces: true,
  continuation: () => ({ supportsSince: false, isSinceComparable: true, isChronological: false }),
  inputs: () => [],
  populated: ({ auto_populate_dataset }) => auto_populate_dataset,
  open: () => ({
    async *read() {},
  }),
})

/** How the numbers of a posted body are read: the source's configuration. */
export type PushReading = Readonly<Record<string, unknown>>

/** The entities of a posted body: an array of them, or one. Throws `bad-json` and `bad-entity`. */
export function parsePush(body: Uint8Array, config: PushReading, form: TextForm = 'json'): Entity[] {
  return entitiesIn(
    parsed(body, (text) => (form === 'json' ? fromJson(text, config) : new TransitReader().read(text))),
    body,
  )
}

/** A function that reads the groups of one long body, each a list of its own; in transit codes go on from group to group. */
export function groupReader(config: PushReading, form: TextForm = 'json'): (group: Uint8Array) => Entity[] {
  if (form === 'json') return (group) => parsePush(group, config)
  const reader = new TransitReader()
  return (group) =>
    entitiesIn(
      parsed(group, (text) => reader.read(text)),
      group,
    )
}

function entitiesIn(value: Value, body: Uint8Array): Entity[] {
  if (isDict(value)) return [entityAt(value, 'The entity')]
  if (!isList(value)) {
    throw new PipeError('bad-json', `The body is not an array of entities: ${shown(body)}`)
  }
  return value.map((element, place) => entityAt(element, `Entity ${place + 1} of ${value.length}`, place))
}

function fromJson(text: string, config: PushReading): Value {
  const asInteger = config.do_float_as_int !== false
  if (config.do_float_as_decimal !== false) {
    return parseJson(text, { fractions: 'decimal', whole: asInteger ? 'integer' : 'float' })
  }
  return asInteger ? withIntegers(parseJson(text)) : parseJson(text)
}

function parsed(body: Uint8Array, read: (text: string) => Value): Value {
  if (!isUtf8(body)) throw new PipeError('bad-json', 'The body is not UTF-8 text.')
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  try {
    return read(text)
  } catch (cause) {
    if (cause instanceof ValueError) throw new PipeError('bad-json', cause.message, { hint: cause.hint, cause })
    const why = (cause as Error).message.replace(/^Not JSON: /, '')
    throw new PipeError(
      'bad-json',
      `The body is not JSON: ${why} ${body.length === 0 ? 'It is empty.' : `It begins with: ${shown(body)}`}`,
      {
        ...(cause instanceof JsonError ? { details: cause.details } : {}),
        cause,
      },
    )
  }
}

function entityAt(value: Value, name: string, place?: number): Entity {
  if (isEntity(value) && idOf(value) !== '') return value
  const why = isEntity(value) ? 'has an empty _id' : isDict(value) ? 'has no string _id' : 'is not an object'
  throw new PipeError('bad-entity', `${name} ${why}: ${shown(writeJson(value))}`, {
    details: place === undefined ? {} : { position: place },
    hint: 'Nothing of this request was kept.',
  })
}

/** Floats such as 3.0 as integers, in place: nobody else has seen this value. */
function withIntegers(value: Value): Value {
  if (value instanceof Float) return integer(BigInt(value.value))
  if (isList(value)) return value.map(withIntegers)
  if (isDict(value))
    for (const key of storedKeys(value)) setStored(value, key, withIntegers(getStored(value, key) as Value))
  return value
}
