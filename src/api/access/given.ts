/** What requests about accounts, roles and tokens hold: read from a JSON body, each field by its kind. */

import { HUB_ITSELF, isAdmin, type Principal } from '../../hub/access/permission.ts'
import { type Dict, get, has } from '../../model/dict.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import type { Call } from '../route.ts'

/** The fields of a JSON object. Code: bad-body. */
export class Fields {
  readonly #dict: Dict

  constructor(call: Pick<Call, 'body'>) {
    const value = jsonOf(call)
    if (!isDict(value)) throw new ApiError('bad-body', 'The body must be a JSON object.')
    this.#dict = value
  }

  has(name: string): boolean {
    return has(this.#dict, name)
  }

  value(name: string): Value | undefined {
    return get(this.#dict, name)
  }

  /** Undefined: not given. */
  text(name: string): string | null | undefined {
    const value = get(this.#dict, name)
    if (value === undefined || value === null || typeof value === 'string') return value
    throw bad(name, 'a string or null')
  }

  /** It must be there. */
  given(name: string): string {
    const value = this.text(name)
    if (typeof value === 'string') return value
    throw bad(name, 'a string')
  }

  texts(name: string): readonly string[] | null | undefined {
    const value = get(this.#dict, name)
    if (value === undefined || value === null) return value
    if (isList(value) && value.every((one) => typeof one === 'string')) return value as readonly string[]
    throw bad(name, 'a list of strings')
  }

  flag(name: string): boolean | undefined {
    const value = get(this.#dict, name)
    if (value === undefined || typeof value === 'boolean') return value
    throw bad(name, 'true or false')
  }

  number(name: string): number | null | undefined {
    const value = get(this.#dict, name)
    if (value === undefined || value === null || typeof value === 'number') return value
    throw bad(name, 'a whole number')
  }
}

const bad = (name: string, wanted: string): ApiError =>
  new ApiError('bad-body', `The field '${name}' must be ${wanted}.`, { details: { field: name } })

/** In whose name it is done; who sits at the machine of a hub without authentication is as much as the hub itself. */
export const principalOf = ({ caller }: Pick<Call, 'caller'>): Principal =>
  caller.kind === 'principal' ? caller.principal : HUB_ITSELF

/** An administrator of everything: a token that is limited makes none. */
export function isAdministrator(call: Pick<Call, 'caller'>): boolean {
  const principal = principalOf(call)
  return isAdmin(principal) && !isLimited(principal)
}

export const isLimited = ({ limits: { ids, permissions, tenants } }: Principal): boolean =>
  ids !== null || permissions !== null || tenants !== null

export const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
