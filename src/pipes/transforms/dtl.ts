/** The transform written in the Data Transformation Language (dtl.md §3.1). */

import { compileDtl } from '../../dtl/compile.ts'
import type { DtlProblem, DtlSettings, DtlTransform } from '../../dtl/contract.ts'
import type { Value } from '../../model/value.ts'

/** A transform type compiles its configuration into a program; problems have pointers below the transform. */
export interface TransformType {
  readonly type: string
  readonly summary: string
  compile(
    config: Value,
    settings: DtlSettings,
  ): { readonly transform: DtlTransform | null; readonly problems: readonly DtlProblem[] }
}

export const dtlTransform: TransformType = {
  type: 'dtl',
  summary: 'Rules of the Data Transformation Language build a target entity from each source entity.',
  compile: compileDtl,
}
