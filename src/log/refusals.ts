/** Why a dataset does not take a write. */

import type { BatchReader } from './batch.ts'
import type { DatasetDocument, Staging } from './contract.ts'
import { LogError } from './errors.ts'
import { decodeId } from './ids.ts'

/** It takes nothing but what its circuit breaker lets through. */
export function heldBack({ id }: DatasetDocument, { pipe, state, limit }: Staging): LogError {
  const details = { dataset: id, pipe, state, limit }
  if (state === 'tripped') {
    return new LogError(
      'breaker-tripped',
      `The circuit breaker of dataset '${id}' tripped; nothing is written to it.`,
      {
        details,
        hint: 'Look at what it holds back (uncommitted=true), then commit it or roll it back.',
      },
    )
  }
  const why = {
    open: `a run of pipe '${pipe}' writes to it behind its circuit breaker`,
    exposing: 'what its circuit breaker held back is being committed',
    undoing: 'what its circuit breaker held back is being rolled back',
  }[state]
  return new LogError('breaker-open', `Dataset '${id}' takes no other writes now: ${why}.`, {
    details,
    hint: 'Try again when that is done.',
  })
}

/** Its versions are numbered here, or elsewhere. */
export function wrongKind({ id, kind }: DatasetDocument): LogError {
  const what =
    kind === 'replicated'
      ? `Dataset '${id}' is replicated: it takes only versions that another log has numbered, as they are.`
      : `Dataset '${id}' is not replicated: it numbers its versions itself.`
  return new LogError('wrong-kind', what, { details: { dataset: id, kind }, hint: 'Write to another dataset.' })
}

/** The first entity of the batch that is greater than the limit, by name. */
export function tooLarge(dataset: string, batch: BatchReader, limit: number): LogError {
  batch.rewind()
  while (batch.next() && batch.bodyLength <= limit);
  const [entity, bytes] = [decodeId(batch.id), batch.bodyLength]
  return new LogError('entity-too-large', `Entity '${entity}' for dataset '${dataset}' has ${bytes} bytes.`, {
    details: { dataset, entity, bytes, limit },
    hint: `The most is ${limit} bytes, of the JSON that is stored of it.`,
  })
}
