/** Query parameters: read by their schema, forgiving about spelling, strict about meaning (rest-api.md §1.3). */

import { type TObject, type TSchema, Type } from 'typebox'
import { ApiError } from './errors.ts'

export type Given = Readonly<Record<string, string | readonly string[]>>

/** Unknown parameters are ignored; of repeated ones the last counts unless a list is asked for. */
export function readParameters(schema: TObject, given: Given): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(schema.properties)) {
    const value = readParameter(name, property as Described, given[name])
    if (value !== undefined) read[name] = value
  }
  return read
}

export const flag = (description: string, byDefault = false) => Type.Boolean({ default: byDefault, description })
export const count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))
export const whole = (description: string) => Type.Optional(Type.Integer({ description }))
export const text = (description: string) => Type.Optional(Type.String({ description }))
export const texts = (description: string) => Type.Optional(Type.Array(Type.String(), { description }))

/** For what the protocol knows and this version does not do: better refused than ignored. */
export const unsupported = (description: string) => Type.Optional(Type.String({ description, 'x-unsupported': true }))

type Described = TSchema & {
  readonly type?: string
  readonly default?: unknown
  readonly minimum?: number
  readonly 'x-unsupported'?: boolean
}

function readParameter(name: string, schema: Described, given: string | readonly string[] | undefined): unknown {
  if (given === undefined) return schema.default
  if (schema['x-unsupported'] === true) {
    if (isOff(given)) return undefined
    throw new ApiError('not-supported', `The parameter '${name}' is not supported by this version.`, {
      hint: `Leave '${name}' out.`,
      details: { parameter: name },
    })
  }
  if (schema.type === 'array') return [given].flat()
  const value = (typeof given === 'string' ? given : given.at(-1)) ?? ''
  switch (schema.type) {
    case 'boolean':
      return readBoolean(name, value)
    case 'integer':
      // An empty value is as good as none: clients send `since=` for 'from the start'.
      return value === '' ? schema.default : readInteger(name, value, schema.minimum)
    case 'number':
      return value === '' ? schema.default : readNumber(name, value)
    default:
      return value
  }
}

/** `uncommitted=False` asks for nothing that we do not do. */
const isOff = (given: string | readonly string[]): boolean =>
  [given].flat().every((value) => value === '' || /^(?:false|0)$/i.test(value))

function readBoolean(name: string, value: string): boolean {
  // Python's str(True) arrives as `True`.
  if (/^(?:true|1)$/i.test(value)) return true
  if (/^(?:false|0)$/i.test(value)) return false
  throw bad(name, value, 'true or false')
}

function readInteger(name: string, value: string, minimum = Number.NEGATIVE_INFINITY): number {
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN
  if (Number.isSafeInteger(number) && number >= minimum) return number
  throw bad(name, value, minimum === 0 ? 'a whole number from 0' : 'a whole number')
}

function readNumber(name: string, value: string): number {
  const number = Number(value)
  if (Number.isFinite(number) && number > 0) return number
  throw bad(name, value, 'a number above 0')
}

const bad = (name: string, value: string, wanted: string): ApiError =>
  new ApiError('bad-parameter', `The parameter '${name}' must be ${wanted}, not '${value}'.`, {
    details: { parameter: name },
  })
