/** What a pipe does with entities, in one short text: another one where its output may be another one (hub.md §12). */

import type { DtlSettings } from '../dtl/contract.ts'
import { canonicalText, hash128 } from '../model/canonical.ts'
import { copyOf, type Dict, dictOf, get, remove } from '../model/dict.ts'
import { isDict, isList, type Value } from '../model/value.ts'

/** Properties that say when and how something is done, and not what comes out. */
const MANNER: Readonly<Record<string, readonly string[]>> = {
  source: [
    'comment',
    'supports_signalling',
    'if_source_empty',
    'require_populated_input',
    'completeness',
    'initial_completeness',
    'initial_datasets',
    'ignore_non_existent_datasets',
    'page_size',
    'auto_populate_dataset',
    'trace',
  ],
  transform: ['comment'],
  sink: [
    'comment',
    'indexes',
    'bitset_commit_interval',
    'circuit_breaker_threshold_factor',
    'circuit_breaker_threshold_count',
    'max_entity_bytes_size',
    'set_initial_offset',
  ],
}

/** Neither order nor layout of the configuration counts. */
export function fingerprintOf(pipe: Dict, settings: DtlSettings, { withSource = true } = {}): string {
  const parts = ['source', 'transform', 'sink'].map((name) =>
    name === 'source' && !withSource ? null : substance(get(pipe, name) ?? null, MANNER[name] as readonly string[]),
  )
  const { namespacedIdentifiers, namespaces, prefixes } = settings
  const names = [
    get(pipe, 'add_namespaces') ?? null,
    get(pipe, 'remove_namespaces') ?? null,
    get(pipe, 'trace_output') ?? null,
    namespacedIdentifiers,
    namespaces.identity,
    namespaces.property,
    dictOf(prefixes),
  ]
  return hash128(canonicalText([parts, names]))
}

function substance(value: Value, manner: readonly string[]): Value {
  if (isList(value)) return value.map((element) => (isDict(element) ? substance(element, manner) : element))
  if (!isDict(value)) return value
  const rest = copyOf(value)
  for (const name of manner) remove(rest, name)
  return rest
}
