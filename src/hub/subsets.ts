/** The subset that a request names, found among the indexes of the dataset (rest-api.md §5.2). */

import { readIndexText } from '../dtl/index-text.ts'
import { compileSubset } from '../dtl/subset.ts'
import type { DatasetDocument, IndexDocument } from '../log/contract.ts'
import { parseJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'
import { type Direction, SubsetFeed } from '../pipes/subset.ts'
import { HubError } from './errors.ts'

export interface FoundSubset {
  /** Complete. */
  readonly index: IndexDocument
  readonly value: Value
}

/** `text` is the JSON of `["eq", expression, literal]`. Codes: bad-request, unknown-subset, index-not-ready. */
export function foundSubset(document: DatasetDocument, text: string): FoundSubset {
  const subset = parsed(text)
  // What the expression means depends on the settings of the pipe that needed the index, which the index knows.
  const candidates = document.indexes.map((index) => {
    const { settings } = readIndexText(index.expression)
    return { index, compiled: compileSubset(subset, settings) }
  })
  const known = candidates.filter(({ index, compiled }) => compiled.index === index.expression)
  const found = known.find(({ index }) => index.state === 'ready') ?? known[0]
  if (found === undefined) throw unknown(document, text)
  if (found.index.state !== 'ready') {
    throw new HubError(
      'index-not-ready',
      `The index of the subset ${text} of dataset '${document.id}' is being filled.`,
    )
  }
  return { index: found.index, value: found.compiled.value }
}

export const subsetFeed = ({ index, value }: FoundSubset, direction: Direction): SubsetFeed =>
  new SubsetFeed(index.expression, value, direction)

/** Whether all who left after `since` (null: there was nobody before) are known. */
export const isFedSince = ({ feedsSince }: IndexDocument, since: number | null): boolean =>
  since === null || since < 0 || (feedsSince !== null && since >= feedsSince - 1)

export const sinceTooOld = ({ id }: DatasetDocument, text: string, since: number): HubError =>
  new HubError('since-too-old', `Who left the subset ${text} of dataset '${id}' after ${since} was not noted.`, {
    details: { dataset: id, since },
    hint: "Read it all once, without 'since', and go on from the _updated of what came last.",
  })

const PLAIN = { pipe: '', namespacedIdentifiers: false, namespaces: { identity: '', property: '' }, prefixes: {} }

function parsed(text: string): Value {
  let subset: Value
  try {
    subset = parseJson(text)
  } catch (error) {
    throw malformed(text, `It is not JSON: ${(error as Error).message}`)
  }
  const mistake = compileSubset(subset, PLAIN).problems.find(({ level }) => level === 'error')
  if (mistake !== undefined) throw malformed(text, mistake.message, mistake.pointer, mistake.hint)
  return subset
}

const malformed = (text: string, why: string, pointer = '', hint?: string): HubError =>
  new HubError('bad-request', `The subset ${text} cannot be read. ${why}`, {
    details: { parameter: 'subset', pointer },
    hint: hint ?? 'For example subset=["eq","_S.type","person"].',
  })

const unknown = ({ id, indexes }: DatasetDocument, text: string): HubError =>
  new HubError('unknown-subset', `The dataset '${id}' has no index for the subset ${text}.`, {
    details: { dataset: id, indexes: indexes.length },
    hint: "Name the expression in the 'indexes' of the sink that writes the dataset, or read one of those that GET …/indexes lists.",
  })
