/** All source types. */

import type { SourceType } from '../contract.ts'
import { csvSource } from './csv.ts'
import { datasetSource } from './dataset.ts'
import { embeddedSource } from './embedded.ts'
import { emptySource } from './empty.ts'
import { httpEndpointSource } from './http-endpoint.ts'
import { jsonSource } from './json.ts'
import { mergeSource } from './merge.ts'
import { rdfSource } from './rdf.ts'

export const sourceTypes = [
  datasetSource,
  mergeSource,
  embeddedSource,
  emptySource,
  httpEndpointSource,
  jsonSource,
  csvSource,
  rdfSource,
] as unknown as readonly SourceType[]

/** Types the specification names and this version does not have. */
export const laterSourceTypes: readonly string[] = [
  'binary',
  'conditional',
  'diff_datasets',
  'kafka',
  'ldap',
  'merge_datasets',
  'rest',
  'sdshare',
  'sparql',
  'sql',
  'union_datasets',
]
