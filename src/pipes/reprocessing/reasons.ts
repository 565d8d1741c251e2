/** Why what a pipe made may be other than what it would make now, and what heals it (hub.md §12). Pure. */

import type { DatasetFacts, Facts } from './facts.ts'

export type ReasonCode =
  | 'config-changed'
  | 'new-dataset'
  | 'dataset-recreated'
  | 'dataset-restored'
  | 'dataset-deleted'
  | 'source-truncated'
  | 'sink-recreated'
  | 'sink-restored'
  | 'offset-set'
  | 'tracking-reset'
  | 'rescan-given-up'

export interface Reason {
  readonly code: ReasonCode
  readonly dataset: string | null
  readonly message: string
  /**
   * `reset`: everything is to be read again. `rewind`: what follows `to` is; what was lost besides, only a full run finds.
   * `none`: nothing heals it but a full run that somebody asks for, or that comes by schedule.
   */
  readonly action: 'reset' | 'rewind' | 'none'
  /** Where in its dataset the pipe has to go on. */
  readonly to?: number
}

/**
 * What happened since the former facts. `reached`: the last sequence the pipe has read of an input, null when it has read
 * nothing of it or that is no number; for what is outside the name is `null`.
 */
export function reasonsBetween(
  former: Facts,
  present: Facts,
  reached: (dataset: string | null) => number | null,
): readonly Reason[] {
  return [
    ...(former.fingerprint === present.fingerprint ? [] : [CONFIG_CHANGED]),
    ...each(former.inputs, present.inputs, (id, before, now) => ofInput(id, before, now, reached(id))),
    ...each(former.hops, present.hops, ofHop),
    ...ofSink(former.sink, present.sink),
    ...(former.outside === null || present.outside === null
      ? []
      : ofInput(null, former.outside, present.outside, reached(null))),
  ]
}

const CONFIG_CHANGED: Reason = {
  code: 'config-changed',
  dataset: null,
  message: 'Its source, transforms, sink or namespaces are others than those that its output was made with.',
  action: 'reset',
}

type Compare = (id: string, before: DatasetFacts | null, now: DatasetFacts | null) => readonly Reason[]

function each(before: Facts['inputs'], now: Facts['inputs'], compare: Compare): readonly Reason[] {
  return Object.entries(now).flatMap(([id, facts]) => {
    const former = before[id]
    if (former !== undefined) return compare(id, former, facts)
    return [reason('new-dataset', id, `It reads ${named(id)}, which it did not before.`, 'reset')]
  })
}

function ofInput(
  id: string | null,
  before: DatasetFacts | null,
  now: DatasetFacts | null,
  reached: number | null,
): readonly Reason[] {
  // Of what was not there nothing was read.
  if (before === null) return []
  if (now === null) return [deleted(id)]
  if (isRestored(before, now)) {
    const to = now.restore?.offset ?? -1
    if (reached !== null && to >= reached) return []
    const message = `${subject(id)} was restored from a backup, to a state before what was read of it.`
    return [{ ...reason('dataset-restored', id, message, reached === null ? 'reset' : 'rewind'), to }]
  }
  if (before.generation !== now.generation) return [recreated(id)]
  if (reached === null || now.end === null || reached < now.end) return []
  const message = `${subject(id)} ends before what was read of it, ${reached}.`
  return [reason('source-truncated', id, message, 'reset')]
}

function ofHop(id: string, before: DatasetFacts | null, now: DatasetFacts | null): readonly Reason[] {
  if (before === null) return []
  if (now === null) return [deleted(id)]
  if (!isRestored(before, now)) return before.generation === now.generation ? [] : [recreated(id)]
  if (isAsLong(before, now)) return []
  const message = `${subject(id)} was restored from a backup, to a state before what was looked up in it.`
  return [reason('dataset-restored', id, message, 'reset')]
}

function ofSink(before: Facts['sink'], now: Facts['sink']): readonly Reason[] {
  if (before === null || now === null) return []
  const { dataset } = now
  if (before.dataset !== dataset || (before.generation !== now.generation && !isRestored(before, now))) {
    const message = `What it had written to dataset '${before.dataset}' is not in dataset '${dataset}'.`
    return [reason('sink-recreated', dataset, message, 'reset')]
  }
  if (!isRestored(before, now) || isAsLong(before, now)) return []
  const message = `${subject(dataset)} was restored from a backup, to a state before what the pipe had written.`
  return [reason('sink-restored', dataset, message, 'reset')]
}

/** Another restore than before, of the data that was known. */
function isRestored(before: DatasetFacts, now: DatasetFacts): boolean {
  const { restore } = now
  if (restore === null || restore.uuid === before.restore?.uuid) return false
  return now.generation === before.generation || restore.generation === before.generation
}

/** All that was there before came with the restored data. */
const isAsLong = (before: DatasetFacts, now: DatasetFacts): boolean =>
  before.end !== null && (now.restore?.offset ?? -1) >= before.end - 1

const deleted = (id: string | null): Reason =>
  reason('dataset-deleted', id, `${subject(id)} is not there any more.`, 'none')

const recreated = (id: string | null): Reason =>
  reason('dataset-recreated', id, `${subject(id)} was deleted and made again.`, 'reset')

const reason = (code: ReasonCode, dataset: string | null, message: string, action: Reason['action']): Reason => ({
  code,
  dataset,
  message,
  action,
})

const named = (id: string | null): string => (id === null ? 'what it reads' : `dataset '${id}'`)
const subject = (id: string | null): string => (id === null ? 'What it reads' : `Dataset '${id}'`)
