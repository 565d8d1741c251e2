/**
 * What a run with a circuit breaker wrote and nobody sees yet (hub.md §13).
 *
 * It lies in a hidden dataset of its own, whose number is that of the real one plus 2^31. Its sequences go on where the
 * real one's end, and its versions are compared with its own `latest` first, then with the real one's. It holds no index
 * keys: whoever exposes it computes them, and writes each version to the real dataset under the sequence, the previous
 * sequence, the time and the hash that it has already. How far that came, the end of the real dataset says.
 */

import type { RunToken, Staging } from './contract.ts'
import { numberKey, readText, readTexts, writeText } from './documents.ts'
import type { ReadTransaction, Table } from './environment.ts'

/** As it is stored, with the number of the real dataset. */
export interface StoredStaging extends Staging {
  readonly dataset: number
  /** What its run learned of the dataset's completeness: true once what is staged is part of it. */
  readonly learned?: Learned
}

/** See `Completeness` of the contract; the moment is fixed. */
export interface Learned {
  readonly completeness?: number
  readonly upstream?: Readonly<Record<string, number>>
}

/** The hidden dataset beside a real one. */
export const stagingNumber = (dataset: number): number => dataset + 0x8000_0000

export const isStaging = (number: number): boolean => number >= 0x8000_0000

export function readStaging(meta: Table, dataset: number, transaction?: ReadTransaction): StoredStaging | undefined {
  const text = readText(meta, numberKey('s', dataset), transaction)
  return text === undefined ? undefined : (JSON.parse(text) as StoredStaging)
}

export const readStagings = (meta: Table, transaction?: ReadTransaction): StoredStaging[] =>
  readTexts(meta, Buffer.from('s'), transaction).map(([, text]) => JSON.parse(text) as StoredStaging)

export const writeStaging = (meta: Table, staging: StoredStaging): unknown =>
  writeText(meta, numberKey('s', staging.dataset), JSON.stringify(staging))

export const removeStaging = (meta: Table, dataset: number): unknown => meta.remove(numberKey('s', dataset))

export const isRunOf = (staging: Staging, run: RunToken | undefined): boolean =>
  run !== undefined && staging.pipe === run.pipe && staging.run === run.number

export const isOpenFor = (staging: Staging, run: RunToken | undefined): boolean =>
  staging.state === 'open' && isRunOf(staging, run)

/** Its own run may decide while it goes on; a trip is for others to decide; and a decision stays. */
export function isDecidable(staging: Staging, run: RunToken | undefined): boolean {
  if (staging.state === 'exposing') return true
  return run === undefined ? staging.state === 'tripped' : isOpenFor(staging, run)
}
