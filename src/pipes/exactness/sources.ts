/** What a source that goes on where it was may leave behind, and which of its ids several entities may share. */

import type { Pipe, PipeSource } from '../pipe.ts'
import { type Inexact, reason } from './reason.ts'

export function ofSource({ source }: Pipe): readonly Inexact[] {
  const { type, config } = source
  const found = [...(byType[type]?.(source) ?? [unknown(source)])]
  if (config.include_replaced === false) {
    const message = 'An entity that is replaced no longer comes, so what was made of it stays.'
    found.push(reason('source', '/source/include_replaced', message))
  }
  if (isSet(config.completeness)) {
    found.push(reason('time', '/source/completeness', 'What it holds back depends on how far others have come.'))
  }
  return found
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false

const byType: Readonly<Record<string, (source: PipeSource) => readonly Inexact[]>> = {
  dataset: () => [],
  merge: ofMerge,
  union_datasets: ofUnion,
}

function unknown({ type, inputs }: PipeSource): Inexact {
  const message =
    inputs.length === 0
      ? 'It reads only what is new: what is gone in the source stays, unless the source says that it is deleted.'
      : `What a source of type '${type}' gives of an entity depends on when its versions came.`
  return reason('source', '/source', message, 'Rescan it each time: "rescan_run_count": 1 in its pump.')
}

function ofMerge({ config, inputs }: PipeSource): readonly Inexact[] {
  const found: Inexact[] = []
  if (config.identity === 'first' && inputs.length > 1) {
    const message = 'Entities of several datasets that are not the same may have the same id.'
    found.push(reason('shared-id', '/source/identity', message, 'Use the identity "composite".'))
  }
  if (config.identity === 'stable') {
    const message = 'The ids that it mints depend on the order in which entities came; all else does not.'
    found.push(reason('history', '/source/identity', message, 'Use the identity "composite".'))
  }
  if (config.include_internal_properties === true) {
    found.push(reason('internal', '/source/include_internal_properties', 'Members keep fields that the hub keeps.'))
  }
  return found
}

/** Without its prefix an id may stand in several datasets, and so it may with one that is the beginning of another. */
function ofUnion({ config, inputs }: PipeSource): readonly Inexact[] {
  const clashes = inputs.some((one) => inputs.some((other) => other !== one && other.startsWith(`${one}:`)))
  if (inputs.length < 2 || (config.prefix_ids !== false && !clashes)) return []
  return [
    reason('shared-id', '/source', 'Entities of several datasets may have the same id.', 'Leave "prefix_ids" on.'),
  ]
}
