/** What sources that read several datasets have in common: their settings, what can be wrong with them, when they are populated. */

import { type Static, Type } from 'typebox'
import { nearest } from '../../config/problems.ts'
import type { Snapshot } from '../../log/contract.ts'
import { errorAt, type Finding, warningAt } from '../finding.ts'
import { ifSourceEmpty } from './empty-source.ts'
import { endOf } from './end-of.ts'

/** Settings about whether the input is there, and when to run. */
export const inputSettings = {
  initial_datasets: Type.Optional(
    Type.Array(Type.String(), { description: 'Those that must be populated before the result is; absent: all.' }),
  ),
  ignore_non_existent_datasets: Type.Boolean({
    default: true,
    description: 'A dataset that does not exist counts as populated.',
  }),
  require_populated_input: Type.Boolean({ default: false, description: 'Wait until the datasets are populated.' }),
  supports_signalling: Type.Optional(
    Type.Boolean({
      description: 'Run as soon as a dataset changes; absent: unless the pump has a short schedule of its own.',
    }),
  ),
  if_source_empty: ifSourceEmpty,
  comment: Type.Optional(Type.Unknown()),
}

export const datasetsSetting = Type.Array(Type.String({ minLength: 1 }), {
  minItems: 1,
  description: 'The datasets to read.',
})

const inputSchema = Type.Object(inputSettings)
type InputSettings = Pick<Static<typeof inputSchema>, 'initial_datasets' | 'ignore_non_existent_datasets'>

/** Such a source always goes on where it left, in each dataset by itself. */
export const ownContinuation = () => ({ supportsSince: true, isSinceComparable: true, isChronological: true })

/** What is the same for all that have their datasets in a list. */
export const overDatasets = {
  addsNamespaces: false,
  continuation: ownContinuation,
  inputs: ({ datasets }: Listed) => datasets,
  end: ({ datasets }: Listed, snapshot: Snapshot) => endOf(datasets, snapshot),
  populated: (config: Listed, snapshot: Snapshot) => arePopulated(config, config.datasets, snapshot),
} as const

type Listed = InputSettings & { readonly datasets: readonly string[] }

export function checkDatasets(config: Listed): readonly Finding[] {
  const twice = config.datasets.flatMap((dataset, at) =>
    config.datasets.indexOf(dataset) === at
      ? []
      : [errorAt(`/datasets/${at}`, `Dataset '${dataset}' is named twice.`, 'Name each dataset once.')],
  )
  return [...twice, ...checkInitial(config, config.datasets)]
}

/** Those that make it populated should be among those that it reads. */
export function checkInitial({ initial_datasets = [] }: InputSettings, inputs: readonly string[]): readonly Finding[] {
  return initial_datasets.flatMap((dataset, at) => {
    if (inputs.includes(dataset)) return []
    const meant = nearest(dataset, inputs)
    const hint = meant === undefined ? `It reads ${inputs.join(', ')}.` : `Did you mean '${meant}'?`
    return [warningAt(`/initial_datasets/${at}`, `Dataset '${dataset}' is not one that the source reads.`, hint)]
  })
}

/** All of them, or all that are named as initial (hub.md §2.4); one that does not exist is as the setting says. */
export const arePopulated = (config: InputSettings, inputs: readonly string[], snapshot: Snapshot): boolean =>
  (config.initial_datasets ?? inputs).every(
    (id) => snapshot.dataset(id)?.document.populated ?? config.ignore_non_existent_datasets,
  )
