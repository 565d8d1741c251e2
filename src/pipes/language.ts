/** What names mean in the expressions of a component's configuration. */

import type { DtlSettings } from '../dtl/contract.ts'
import type { StateSurroundings } from './contract.ts'

export function languageOf({
  language,
  pipe,
  namespacedIdentifiers,
  identityNamespace,
}: Omit<StateSurroundings, 'snapshot'>): DtlSettings {
  const namespaces = { identity: identityNamespace, property: pipe }
  return language ?? { pipe, namespacedIdentifiers, namespaces, prefixes: {} }
}
