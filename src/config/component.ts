/** Checks one part of a configuration against the schema of its type: what is missing, wrong, unknown or not done yet. */

import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Static, TSchema } from 'typebox'
import { type Dict, get, has, names } from '../model/dict.ts'
import { toPlain } from '../model/json.ts'
import { isDict, type Value } from '../model/value.ts'
import { didYouMean, type Problem, pointerStep } from './problems.ts'

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

export function checkComponent<T extends TSchema>(schema: T, value: Value, place: Place): Checked<Static<T>> {
  const plain = toPlain(value)
  const validate = validatorOf(schema)
  const problems: Problem[] = []
  if (isDict(value)) problems.push(...unknownNames(schema, value, place), ...unsupportedNames(schema, value, place))
  if (!validate(plain)) problems.push(...messagesOf(validate.errors ?? [], place))
  if (isDict(value)) keepExact(schema, value, plain as Record<string, unknown>)
  return { value: plain as Static<T>, problems }
}

function validatorOf(schema: TSchema): ValidateFunction {
  let validate = validators.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    validators.set(schema, validate)
  }
  return validate
}

type Properties = Readonly<Record<string, TSchema & { readonly default?: unknown }>>
const propertiesOf = (schema: TSchema): Properties => (schema as { properties?: Properties }).properties ?? {}

/** A property that takes any value (`Type.Unsafe`) is handed on as it is in the model: no digit is lost. */
function keepExact(schema: TSchema, value: Dict, plain: Record<string, unknown>): void {
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    if ('~unsafe' in property && has(value, name)) plain[name] = get(value, name)
  }
}

/** A name no specification knows is a warning, is kept, and given back as it came. */
function unknownNames(schema: TSchema, value: Dict, { component, pointer, unsupported }: Place): Problem[] {
  const known = propertiesOf(schema)
  const all = [...Object.keys(known), ...Object.keys(unsupported ?? {})]
  return names(value)
    .filter((name) => !all.includes(name) && name !== 'comment' && !/^[_$]/.test(name))
    .map((name) => {
      const hint = didYouMean(name, all)
      return {
        level: 'warning' as const,
        component,
        pointer: pointer + pointerStep(name),
        message: `Unknown property '${name}'; it has no effect.`,
        ...(hint === undefined ? {} : { hint }),
      }
    })
}

function unsupportedNames(schema: TSchema, value: Dict, { component, pointer, unsupported = {} }: Place): Problem[] {
  const known = propertiesOf(schema)
  return Object.entries(unsupported)
    .filter(([name]) => {
      const given = get(value, name)
      if (given === undefined || given === null) return false
      return JSON.stringify(toPlain(given)) !== JSON.stringify(known[name]?.default)
    })
    .map(([name, what]) => ({
      level: 'error' as const,
      component,
      pointer: pointer + pointerStep(name),
      message: `'${name}' (${what}) is not supported by this version.`,
      hint: 'Remove it, or leave the pipe out until it is.',
    }))
}

function messagesOf(errors: readonly ErrorObject[], { component, pointer }: Place): Problem[] {
  const found = new Map<string, Problem>()
  // An alternative that failed is told by the `anyOf` that holds it, not once more by each of its branches.
  const groups = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  for (const error of errors) {
    const isBranch = groups.some((group) => group !== error && error.schemaPath.startsWith(`${group.schemaPath}/`))
    if (isBranch || error.keyword === 'if') continue
    const at =
      pointer +
      error.instancePath +
      (error.keyword === 'required' ? pointerStep(error.params.missingProperty as string) : '')
    if (!found.has(at)) found.set(at, { level: 'error', component, pointer: at, message: messageOf(error) })
  }
  return [...found.values()]
}

function messageOf({ keyword, params, instancePath, parentSchema, message, data }: ErrorObject): string {
  const name = instancePath === '' ? 'It' : `'${instancePath.split('/').at(-1)}'`
  const given = JSON.stringify(data)?.slice(0, 60)
  switch (keyword) {
    case 'required':
      return `The property '${params.missingProperty}' is missing.`
    case 'type':
      return `${name} must be ${article(String(params.type))}, not ${given}.`
    case 'const':
      return `${name} must be ${JSON.stringify(params.allowedValue)}, not ${given}.`
    case 'enum':
      return `${name} must be one of ${(params.allowedValues as unknown[]).join(', ')}, not ${given}.`
    case 'anyOf': {
      const choices = ((parentSchema as { anyOf?: { const?: unknown; type?: string }[] }).anyOf ?? []).map((one) =>
        one.const === undefined ? article(one.type ?? 'another value') : JSON.stringify(one.const),
      )
      return `${name} must be ${choices.join(' or ')}, not ${given}.`
    }
    default:
      return `${name} ${message ?? 'is not valid'} (it is ${given}).`
  }
}

const article = (type: string): string => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`)
