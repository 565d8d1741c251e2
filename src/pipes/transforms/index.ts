/** All transform types. */

import type { TransformType } from './contract.ts'
import { dtlTransform } from './dtl.ts'
import { httpTransform } from './http.ts'
import { xmlTransform } from './xml.ts'

export const transformTypes: readonly TransformType[] = [dtlTransform, httpTransform, xmlTransform]

/** Types the specification names and this version does not have. */
export const laterTransformTypes: readonly string[] = [
  'chained',
  'emit_children',
  'json_schema',
  'lower_keys',
  'properties_to_curies',
  'rdf',
  'rest',
  'template',
  'undirected_graph',
  'upper_keys',
  'uris_to_curies',
]
