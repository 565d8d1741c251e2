/** `retry_strategy` of a system: settings by the status of its answers, as codes, ranges, lists of both, or `default` (hub.md §8). */

import { type Static, Type } from 'typebox'
import { retryProperties, retrySchema } from '../../config/retry.ts'
import { errorAt, type Finding, warningAt } from '../finding.ts'
import { patienceOf, type RetryStrategy } from './settings.ts'

export const retryStrategySchema = Type.Record(Type.String(), retrySchema, {
  description: 'Retry settings by status: "429", "400-428", "500,502,504", or "default". Those of a pump go first.',
})

type Given = Static<typeof retryStrategySchema>

const OTHERWISE = 'default'

interface Range {
  readonly from: number
  readonly to: number
}

export function retryStrategyOf(given: Given | undefined): RetryStrategy | null {
  if (given === undefined) return null
  const byStatus = Object.entries(given).flatMap(([key, settings]) =>
    key === OTHERWISE ? [] : (rangesOf(key) ?? []).map((range) => ({ ...range, patience: patienceOf(settings) })),
  )
  return { byStatus, otherwise: patienceOf(given[OTHERWISE] ?? {}) }
}

/** `pointer`: where the strategy stands in its component. */
export function* checkRetryStrategy(given: Given | undefined, pointer: string): Iterable<Finding> {
  const named = new Map<string, string>()
  for (const [key, settings] of Object.entries(given ?? {})) {
    const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    for (const name of Object.keys(settings)) {
      if (!(name in retryProperties))
        yield warningAt(`${place}/${name}`, `Unknown property '${name}'; it has no effect.`)
    }
    if (key === OTHERWISE) continue
    const ranges = rangesOf(key)
    if (ranges === null) {
      yield errorAt(
        place,
        `'${key}' names no statuses.`,
        'Write a code ("429"), a range ("500-599"), a list of them ("429,500-504"), or "default".',
      )
    }
    for (const { from, to } of ranges ?? []) {
      const name = `${from}-${to}`
      const other = named.get(name)
      if (other !== undefined) yield errorAt(place, `The statuses ${name} are named by '${other}' already.`)
      named.set(name, key)
    }
  }
}

/** Null when it is none. */
function rangesOf(key: string): readonly Range[] | null {
  const ranges = key.split(',').map((part) => {
    const [, from, to = from] = /^\s*(\d{3})\s*(?:-\s*(\d{3})\s*)?$/.exec(part) ?? []
    return { from: Number(from), to: Number(to) }
  })
  return ranges.every(({ from, to }) => from >= 100 && from <= to) ? ranges : null
}
