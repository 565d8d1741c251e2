/** Secrets in a configuration: `$SECRET(name)`, which stands for a value that the configuration never holds (hub.md §20.7). */

import { entries } from '../model/dict.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { pointerStep } from './problems.ts'

const SECRET = /\$SECRET\(([^()]*)\)/g

/** Names that a text asks for. */
export const secretsIn = (text: string): readonly string[] =>
  text.includes('$SECRET(') ? [...text.matchAll(SECRET)].map(([, name]) => name as string) : []

export interface SecretPlace {
  readonly name: string
  /** JSON pointer of the string. */
  readonly pointer: string
}

/** All secrets that a part of a configuration asks for; comments ask for none. */
export function secretPlaces(value: Value, pointer = ''): readonly SecretPlace[] {
  if (typeof value === 'string') return secretsIn(value).map((name) => ({ name, pointer }))
  if (isList(value)) {
    if (value[0] === 'comment') return []
    return value.flatMap((one, place) => secretPlaces(one, pointer + pointerStep(place)))
  }
  if (!isDict(value)) return []
  const places = entries(value).filter(([name]) => name !== 'comment')
  return places.flatMap(([name, one]) => secretPlaces(one, pointer + pointerStep(name)))
}

/** The name, when the text is one secret and nothing else. */
export const wholeSecret = (text: string): string | null => /^\$SECRET\(([^()]*)\)$/.exec(text)?.[1] ?? null

export const WHERE_SECRETS_STAND =
  'Secrets may stand in strings of systems, as the password of the mail server of notifications, and as the whole key or password of the encryption functions of DTL.'

/** Plain data with each secret in its strings replaced by what `resolve` gives. */
export function withSecrets<T>(data: T, resolve: (name: string) => string): T {
  if (typeof data === 'string') {
    return (data.includes('$SECRET(') ? data.replace(SECRET, (_, name: string) => resolve(name)) : data) as T
  }
  if (Array.isArray(data)) return data.map((one) => withSecrets(one, resolve)) as T
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return data
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, withSecrets(value, resolve)])) as T
}
