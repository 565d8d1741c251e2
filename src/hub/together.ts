/** What only shows when pipes are seen together: who writes what, who reads what nobody writes, and which are exact. */

import type { Component } from '../config/files.ts'
import { didYouMean, type Problem } from '../config/problems.ts'
import { type Dict, get } from '../model/dict.ts'
import type { Inexact } from '../pipes/exactness/reason.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { type DeployedPipe, hasErrors, located, part } from './deployed.ts'
import { NetworkExactness } from './exactness.ts'

/** What only shows when pipes are seen together: two writers of one dataset, and reads of datasets that nobody writes. */
export function* checkTogether(pipes: ReadonlyMap<string, DeployedPipe>): Generator<readonly [string, DeployedPipe]> {
  const writers = writersOf(pipes)
  const exactness = new NetworkExactness([...pipes.values()].flatMap(({ pipe }) => pipe ?? []))
  for (const [id, deployed] of pipes) {
    const { pipe } = deployed
    if (pipe === null) {
      yield [id, new Together(deployed, null, exactness)]
      continue
    }
    const found: Problem[] = []
    const report = (level: Problem['level'], pointer: string, message: string, hint?: string) =>
      found.push({ level, component: id, pointer, message, ...(hint === undefined ? {} : { hint }) })
    if (pipe.sink.kind === 'dataset' && writers.get(pipe.sink.dataset) !== id) {
      const other = writers.get(pipe.sink.dataset)
      report('error', '/sink/dataset', `The dataset '${pipe.sink.dataset}' is written by pipe '${other}' already.`)
    }
    const letters = pipe.errors.deadLetters?.dataset
    if (letters !== undefined) {
      const isOwnSink = pipe.sink.kind === 'dataset' && pipe.sink.dataset === letters
      const other = writers.get(letters)
      const hint = 'Dead letters have a dataset of their own for each pipe.'
      if (isOwnSink) report('error', '/pump/dead_letter_dataset', 'Dead letters and entities are one dataset.', hint)
      else if (other !== undefined && other !== id) {
        report(
          'error',
          '/pump/dead_letter_dataset',
          `The dataset '${letters}' is written by pipe '${other}' already.`,
          hint,
        )
      }
    }
    for (const dataset of pipe.source.inputs) {
      if (!writers.has(dataset)) {
        report('warning', '/source', `No pipe writes the dataset '${dataset}'.`, didYouMean(dataset, writers.keys()))
      }
    }
    for (const [pointer, dataset] of completenessNames(pipe)) {
      if (writers.has(dataset)) continue
      report('warning', pointer, `No pipe writes the dataset '${dataset}'.`, didYouMean(dataset, writers.keys()))
    }
    for (const dataset of pipe.reads) {
      if (!writers.has(dataset)) {
        const hint = didYouMean(dataset, writers.keys()) ?? 'The pipe waits until the dataset is there and populated.'
        report('warning', '/transform', `It hops to the dataset '${dataset}', which no pipe writes.`, hint)
      }
    }
    if (id.startsWith('global-') && !pipe.isGlobal) {
      report(
        'warning',
        '/_id',
        "Its name says global, but 'metadata.global' is not true: it is not in the default graph.",
      )
    }
    yield [id, new Together(deployed, hasErrors(found) ? null : pipe, exactness, found)]
  }
}

/** A pipe among the others. */
class Together implements DeployedPipe {
  readonly component: Component
  readonly effective: Dict
  readonly problems: readonly Problem[]
  readonly pipe: Pipe | null
  readonly #exactness: NetworkExactness
  #inexact: readonly Inexact[] | null = null

  constructor(alone: DeployedPipe, pipe: Pipe | null, exactness: NetworkExactness, found: readonly Problem[] = []) {
    this.component = alone.component
    this.effective = alone.effective
    this.problems = located([...alone.problems, ...found], alone.component)
    this.pipe = pipe
    this.#exactness = exactness
  }

  /** Found out when somebody wants to know: with many pipes it takes a while. */
  get inexact(): readonly Inexact[] {
    this.#inexact ??= this.pipe === null ? [] : this.#exactness.of(this.pipe)
    return this.#inexact
  }
}

/** The first writer of each dataset, those of dead letters included. A pipe with errors counts too: what it would write is not unknown. */
export function writersOf(pipes: ReadonlyMap<string, DeployedPipe>): ReadonlyMap<string, string> {
  const writers = new Map<string, string>()
  for (const [id, { effective }] of pipes) {
    const dataset = get(part(effective, 'sink'), 'dataset')
    if (typeof dataset === 'string' && !writers.has(dataset)) writers.set(dataset, id)
  }
  for (const [id, { effective }] of pipes) {
    const letters = get(part(effective, 'pump'), 'dead_letter_dataset')
    if (typeof letters === 'string' && !writers.has(letters)) writers.set(letters, id)
  }
  return writers
}

/** Datasets that are named for their completeness, but for those that the pipe reads, with where. */
function completenessNames({ source, completeness, reads }: Pipe): readonly (readonly [string, string])[] {
  const { initial, rule } = source.holding
  const at = (pointer: string, ids: readonly string[]) => ids.map((id, place) => [`${pointer}/${place}`, id] as const)
  const named = [
    ...at('/source/initial_completeness', initial),
    ...(rule?.kind === 'datasets' ? at('/source/completeness', rule.ids) : []),
    ...at('/include_completeness', completeness.include ?? []),
    ...at('/exclude_completeness', completeness.exclude),
  ]
  return named.filter(([, id]) => !source.inputs.includes(id) && !reads.includes(id))
}
