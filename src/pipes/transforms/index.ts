/** All transform types. */

import { dtlTransform, type TransformType } from './dtl.ts'

export const transformTypes: readonly TransformType[] = [dtlTransform]

/** Types the specification names and this version does not have. */
export const laterTransformTypes: readonly string[] = [
  'chained',
  'emit_children',
  'http',
  'json_schema',
  'lower_keys',
  'properties_to_curies',
  'rdf',
  'rest',
  'template',
  'undirected_graph',
  'upper_keys',
  'uris_to_curies',
  'xml',
]
