/** `$SECRET(name)` as a key or a password: looked up when the program runs, so that no program holds it (dtl.md §9.8). */

import { secretPlaces, WHERE_SECRETS_STAND, wholeSecret } from '../config/secret-names.ts'
import type { Value } from '../model/value.ts'
import { DtlError } from './errors.ts'
import type { Problems } from './scope.ts'
import type { CallNode, FunctionDefinition, Parameter } from './syntax.ts'

/** No program can call it by a name: an argument that is a secret becomes such a call. */
const secret: FunctionDefinition = {
  name: '$SECRET',
  behaviour: '-',
  reads: 'secret',
  parameters: [{ name: 'NAME', kind: 'constant-string', count: '1' }],
  summary: 'The value of a secret.',
  examples: [],
  compile: ([name]) => {
    const wanted = name?.constant as string
    return ({ run }) => {
      const value = run.context.secret?.(wanted)
      if (value !== undefined) return value
      throw new DtlError('missing-secret', `The secret '${wanted}' is not defined.`, {
        hint: 'Set it with PUT or POST /api/secrets; the programs of pipes use the global ones.',
      })
    }
  },
}

export const isSecret = ({ definition }: CallNode): boolean => definition === secret

/** The call that an argument stands for; null: it is none, or the parameter takes none. */
export function secretCall(value: Value, pointer: string, { takesSecret = false }: Parameter): CallNode | null {
  const name = takesSecret && typeof value === 'string' ? wholeSecret(value) : null
  if (name === null) return null
  const constant = Object.freeze({ kind: 'constant' as const, pointer, value: name })
  return Object.freeze({
    kind: 'call',
    pointer,
    definition: secret,
    arguments: Object.freeze([constant]),
    parameters: secret.parameters,
  })
}

export const secretText = ({ arguments: [name] }: CallNode): string =>
  `$SECRET(${name?.kind === 'constant' ? (name.value as string) : ''})`

/** Reports secrets that stand where none may: they would be taken for text. `placed` are those that became calls. */
export function checkSecrets(transform: Value, placed: ReadonlySet<string>, problems: Problems): void {
  for (const { name, pointer } of secretPlaces(transform)) {
    if (placed.has(pointer)) continue
    problems.error(pointer, `The secret '${name}' cannot stand here.`, WHERE_SECRETS_STAND)
  }
}
