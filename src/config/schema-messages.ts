/** What a schema check found, in sentences. */

import type { ErrorObject } from 'ajv'
import { type Problem, pointerStep } from './problems.ts'

export function messagesOf(
  errors: readonly ErrorObject[],
  { component, pointer }: { readonly component: string; readonly pointer: string },
): Problem[] {
  const found = new Map<string, Problem>()
  // An alternative that failed is told by the `anyOf` that holds it, not once more by each of its branches.
  const groups = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')
  for (const error of errors) {
    const isBranch = groups.some((group) => group !== error && error.schemaPath.startsWith(`${group.schemaPath}/`))
    if (isBranch || error.keyword === 'if') continue
    const missing = error.keyword === 'required' ? pointerStep(error.params.missingProperty as string) : ''
    const at = pointer + error.instancePath + missing
    if (found.has(at)) continue
    const hint = hintOf(error)
    found.set(at, {
      level: 'error',
      component,
      pointer: at,
      message: messageOf(error),
      ...(hint === undefined ? {} : { hint }),
    })
  }
  return [...found.values()]
}

function messageOf({ keyword, params, instancePath, parentSchema, message, data }: ErrorObject): string {
  const name = instancePath === '' ? 'It' : `'${stepOf(instancePath)}'`
  const given = shown(data)
  switch (keyword) {
    case 'required':
      return `The property '${params.missingProperty}' is missing.`
    case 'type':
      return `${name} must be ${[params.type].flat().map(article).join(' or ')}, not ${given}.`
    case 'const':
      return `${name} must be ${JSON.stringify(params.allowedValue)}, not ${given}.`
    case 'enum':
      return `${name} must be ${list(params.allowedValues as unknown[])}, not ${given}.`
    case 'anyOf':
      return `${name} must be ${alternatives(parentSchema as Alternatives)}, not ${given}.`
    case 'minimum':
      return `${name} must be at least ${params.limit}, not ${given}.`
    case 'exclusiveMinimum':
      return `${name} must be more than ${params.limit}, not ${given}.`
    case 'maximum':
      return `${name} must be at most ${params.limit}, not ${given}.`
    case 'minLength':
    case 'minItems':
      return params.limit === 1 ? `${name} must not be empty.` : `${name} ${message}.`
    case 'pattern':
      return `${name} cannot be ${given}.`
    default:
      return `${name} ${message ?? 'is not valid'}, and is ${given}.`
  }
}

/** What a pattern means is said by the description beside it. */
function hintOf({ keyword, parentSchema }: ErrorObject): string | undefined {
  const { description } = (parentSchema ?? {}) as { readonly description?: string }
  return keyword === 'pattern' ? description : undefined
}

interface Alternatives {
  readonly anyOf?: readonly { readonly const?: unknown; readonly type?: string }[]
}

const alternatives = ({ anyOf = [] }: Alternatives): string =>
  anyOf
    .map((one) => (one.const === undefined ? article(one.type ?? 'another value') : JSON.stringify(one.const)))
    .join(' or ')

const list = (values: readonly unknown[]): string => values.map((one) => JSON.stringify(one)).join(' or ')

const stepOf = (pointer: string): string =>
  (pointer.split('/').at(-1) as string).replaceAll('~1', '/').replaceAll('~0', '~')

const shown = (data: unknown): string => {
  const text = JSON.stringify(data) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const article = (type: unknown): string => (/^[aeio]/.test(String(type)) ? `an ${type}` : `a ${type}`)
