/** All sink types. */

import type { SinkType } from '../contract.ts'
import { csvEndpointSink } from './csv-endpoint.ts'
import { datasetSink } from './dataset.ts'
import { httpEndpointSink } from './http-endpoint.ts'
import { jsonSink } from './json.ts'
import { nullSink } from './null.ts'
import { xmlEndpointSink } from './xml-endpoint.ts'

export const sinkTypes = [
  datasetSink,
  jsonSink,
  httpEndpointSink,
  csvEndpointSink,
  xmlEndpointSink,
  nullSink,
] as unknown as readonly SinkType[]

/** Types the specification names and this version does not have. */
export const laterSinkTypes: readonly string[] = [
  'elasticsearch',
  'excel',
  'kafka',
  'mail',
  'replicated_dataset',
  'rest',
  'sdshare',
  'sms',
  'solr',
  'sparql',
  'sql',
]
