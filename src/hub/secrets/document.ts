/** Sealed secrets as a tenant keeps them in its log: one document of `meta`, global ones and those of systems. */

import type { Snapshot } from '../../log/contract.ts'
import type { Sealed } from './seal.ts'

/** Where the document stands in `meta`. */
export const SECRETS = 'secrets'

/** The system they are of; null: of all. */
export type Scope = string | null

export interface SecretEntry {
  readonly scope: Scope
  readonly name: string
  readonly sealed: Sealed
}

export function entriesOf(text: string | undefined): readonly SecretEntry[] {
  return text === undefined ? [] : (JSON.parse(text) as { readonly secrets: readonly SecretEntry[] }).secrets
}

/** Null where there are none. */
export const documentOf = (secrets: readonly SecretEntry[]): string | null =>
  secrets.length === 0 ? null : JSON.stringify({ format: 1, secrets })

export const storedSecrets = (snapshot: Snapshot): readonly SecretEntry[] => entriesOf(snapshot.meta(SECRETS))

/** Where a secret belongs, as it is authenticated. */
export const placeOf = (tenant: string, { scope, name }: Pick<SecretEntry, 'scope' | 'name'>): string =>
  JSON.stringify([tenant, scope, name])
