/** What a pipe will do and through which indexes, as data for people and programs. */

import { explain, shownExpression } from '../dtl/compile.ts'
import type { IndexSpec, Purity, RuleLineage } from '../dtl/contract.ts'
import type { Explanation } from '../dtl/explain.ts'
import { type Exactness, exactnessOf } from '../pipes/exactness/exactness.ts'
import type { Inexact } from '../pipes/exactness/reason.ts'
import type { Pipe } from '../pipes/pipe.ts'

export interface PipeExplanation {
  readonly pipe: string
  readonly source: { readonly type: string; readonly datasets: readonly string[] }
  readonly sink: { readonly type: string; readonly dataset: string | null }
  /** Datasets that its programs read: they must be populated before it runs. */
  readonly reads: readonly string[]
  /** Indexes that must be complete before it runs, expressions as people write them. */
  readonly indexes: readonly IndexSpec[]
  readonly deterministic: boolean
  readonly exactness: Exactness
  readonly transforms: readonly TransformExplanation[]
}

export interface TransformExplanation extends Explanation {
  /** Below the pipe; all other pointers are below this one. */
  readonly pointer: string
  readonly purity: Purity
  readonly lineage: readonly RuleLineage[]
  /** Why no change of what it hops to can be followed back to the source of the pipe; null: see each alias. */
  readonly obstacle: string | null
}

export function explainPipe(pipe: Pipe, inexact: readonly Inexact[]): PipeExplanation {
  const { sink, source } = pipe
  return {
    pipe: pipe.id,
    source: { type: source.type, datasets: source.inputs },
    sink: { type: sink.type, dataset: sink.kind === 'dataset' ? sink.dataset : null },
    reads: pipe.reads,
    indexes: pipe.indexes.map(shown),
    deterministic: pipe.transforms.every(({ analysis }) => analysis.deterministic),
    exactness: exactnessOf(inexact),
    transforms: pipe.transforms.map((transform, place) => ({
      pointer: pipe.transformPointers[place] as string,
      ...readable(explain(transform)),
      purity: transform.analysis.purity,
      lineage: transform.lineage,
      obstacle: obstacleOf(pipe, place),
    })),
  }
}

function obstacleOf({ source, transforms }: Pipe, place: number): string | null {
  if ((transforms[place]?.analysis.tracked.length ?? 0) === 0) return null
  return source.type === 'dataset'
    ? null
    : `the source of the pipe is of type '${source.type}': dependencies are followed back to the dataset of a 'dataset' source only`
}

const shown = ({ dataset, expression }: IndexSpec): IndexSpec => ({ dataset, expression: shownExpression(expression) })

/** Index texts without the settings they are compiled with. */
const readable = ({ hops, folded }: Explanation): Explanation => ({
  folded,
  hops: hops.map(({ specs, ...rest }) => ({
    ...rest,
    specs: specs.map((spec) => ({
      ...spec,
      steps: spec.steps.map((step) => ({
        ...step,
        lookups: step.lookups.map((lookup) => ({ ...lookup, index: shown(lookup.index) })),
      })),
      back: spec.back.map(({ chain, ...back }) => ({
        ...back,
        chain: chain.map(({ dataset, lookups }) => ({
          dataset,
          lookups: lookups.map(({ key, index }) => ({ key: shownExpression(key), index: shownExpression(index) })),
        })),
      })),
    })),
  })),
})
