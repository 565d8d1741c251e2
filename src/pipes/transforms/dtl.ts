/** The transform written in the Data Transformation Language (dtl.md §3.1). */

import { compileDtl } from '../../dtl/compile.ts'
import type { TransformType } from './contract.ts'

export const dtlTransform: TransformType = {
  type: 'dtl',
  summary: 'Rules of the Data Transformation Language build a target entity from each source entity.',
  compile: compileDtl,
}
