/** All source types. */

import type { SourceType } from '../contract.ts'
import { binarySource } from './binary.ts'
import { csvSource } from './csv.ts'
import { datasetSource } from './dataset.ts'
import { diffDatasetsSource } from './diff-datasets.ts'
import { embeddedSource } from './embedded.ts'
import { emptySource } from './empty.ts'
import { httpEndpointSource } from './http-endpoint.ts'
import { jsonSource } from './json.ts'
import { mergeSource } from './merge.ts'
import { mergeDatasetsSource } from './merge-datasets.ts'
import { rdfSource } from './rdf.ts'
import { unionDatasetsSource } from './union-datasets.ts'

export const sourceTypes = [
  datasetSource,
  mergeSource,
  unionDatasetsSource,
  mergeDatasetsSource,
  diffDatasetsSource,
  embeddedSource,
  emptySource,
  httpEndpointSource,
  jsonSource,
  binarySource,
  csvSource,
  rdfSource,
] as unknown as readonly SourceType[]

/** Types the specification names and this version does not have. */
export const laterSourceTypes: readonly string[] = ['kafka', 'ldap', 'rest', 'sdshare', 'sparql', 'sql']
