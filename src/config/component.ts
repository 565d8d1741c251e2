/** Checks one part of a configuration against the schema of its type: what is missing, wrong, unknown or not done yet. */

import { Ajv, type ValidateFunction } from 'ajv'
import type { Static, TSchema } from 'typebox'
import { type Dict, entries, get, has, names } from '../model/dict.ts'
import { fromPlain, toPlain } from '../model/json.ts'
import { equals } from '../model/order.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { didYouMean, type Problem, pointerStep } from './problems.ts'
import { messagesOf } from './schema-messages.ts'

export interface Place {
  readonly component: string
  /** JSON pointer of the part inside the component. */
  readonly pointer: string
  /** Properties the specification names and this version does not do: name → what it is. */
  readonly unsupported?: Readonly<Record<string, string>>
}

export interface Checked<T> {
  /** With defaults filled in; only to be used when there is no error. */
  readonly value: T
  readonly problems: readonly Problem[]
}

const ajv = new Ajv({ allErrors: true, strict: false, useDefaults: true, verbose: true })
const validators = new WeakMap<TSchema, ValidateFunction>()

/** Finds everything that is wrong with a part, and gives it as ordinary data; what the schema calls unsafe stays a Value. */
export function checkComponent<T extends TSchema>(schema: T, value: Value, place: Place): Checked<Static<T>> {
  const plain = toPlain(value)
  const later = unsupportedNames(schema, value, place)
  const isLater = (pointer: string) => later.some((one) => `${pointer}/`.startsWith(`${one.pointer}/`))
  const validate = validatorOf(schema)
  const wrong = validate(plain) ? [] : messagesOf(validate.errors ?? [], place).filter((one) => !isLater(one.pointer))
  const problems = [...unknownNames(schema, value, place, place.pointer), ...later, ...wrong]
  return { value: exact(schema, value, plain) as Static<T>, problems }
}

function validatorOf(schema: TSchema): ValidateFunction {
  let validate = validators.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    validators.set(schema, validate)
  }
  return validate
}

interface Described {
  readonly properties?: Readonly<Record<string, Described>>
  readonly items?: Described
  readonly default?: unknown
}

const propertiesOf = (schema: TSchema | Described): readonly (readonly [string, Described])[] =>
  Object.entries((schema as Described).properties ?? {})

/** What takes any value (`Type.Unsafe`) is handed on as it is in the model: no digit is lost, no name reordered. */
function exact(schema: TSchema | Described, value: Value, plain: unknown): unknown {
  if ('~unsafe' in schema) return value
  const { items } = schema as Described
  if (items !== undefined && isList(value) && Array.isArray(plain)) {
    return plain.map((one, place) => exact(items, value[place] as Value, one))
  }
  if (isDict(value) && typeof plain === 'object' && plain !== null) {
    for (const [name, property] of propertiesOf(schema)) {
      const given = get(value, name)
      if (given === undefined) continue
      const target = plain as Record<string, unknown>
      target[name] = exact(property, given, target[name])
    }
  }
  return plain
}

/** A name no specification knows is a warning; it is kept, and given back as it came (hub.md §20.2). */
function unknownNames(schema: TSchema | Described, value: Value, place: Place, pointer: string): Problem[] {
  const { items } = schema as Described
  if (items !== undefined && isList(value)) {
    return value.flatMap((one, at) => unknownNames(items, one, place, pointer + pointerStep(at)))
  }
  const known = propertiesOf(schema)
  if (!isDict(value) || known.length === 0) return []
  const all = [
    ...known.map(([name]) => name),
    ...(pointer === place.pointer ? Object.keys(place.unsupported ?? {}) : []),
  ]
  const unknown = names(value).filter((name) => !all.includes(name) && !isRemark(name))
  return [
    ...unknown.map((name) => {
      const hint = didYouMean(name, all)
      return {
        level: 'warning' as const,
        component: place.component,
        pointer: pointer + pointerStep(name),
        message: `Unknown property '${name}'; it has no effect.`,
        ...(hint === undefined ? {} : { hint }),
      }
    }),
    ...known.flatMap(([name, property]) => {
      const given = get(value, name)
      return given === undefined ? [] : unknownNames(property, given, place, pointer + pointerStep(name))
    }),
  ]
}

/** Comments may stand everywhere, and names with such a beginning are somebody's own. */
const isRemark = (name: string): boolean => name === 'comment' || name.startsWith('_') || name.startsWith('$')

function unsupportedNames(schema: TSchema, value: Value, { component, pointer, unsupported = {} }: Place): Problem[] {
  if (!isDict(value)) return []
  const defaults = new Map(propertiesOf(schema).map(([name, property]) => [name, property.default]))
  return Object.entries(unsupported)
    .filter(([name]) => has(value, name) && !isDefault(get(value, name) as Value, fromPlain(defaults.get(name))))
    .map(([name, what]) => ({
      level: 'error' as const,
      component,
      pointer: pointer + pointerStep(name),
      message: `'${name}' (${what}) is not supported by this version.`,
      hint: 'Remove it.',
    }))
}

/** Null is as good as nothing; of a dict, each property that is given must be the default. */
function isDefault(given: Value, known: Value): boolean {
  if (given === null || equals(given, known)) return true
  return isDict(given) && isDict(known) && entries(given).every(([name, one]) => isDefault(one, knownOf(known, name)))
}

const knownOf = (known: Dict, name: string): Value => get(known, name) ?? null
