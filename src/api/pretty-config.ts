/** Lays out configuration to be read: indented, well-known properties first, short lists on one line, every digit kept. */

import { entries } from '../model/dict.ts'
import { writeJson } from '../model/json.ts'
import { isDict, isList, type Value } from '../model/value.ts'

/** What a reader looks for first; the rest follows as it was given. */
const FIRST = ['_id', 'type', 'name', 'description', 'comment', 'source', 'transform', 'sink', 'pump']

/** A list or object without anything nested in it stands on one line when it fits. */
const WIDTH = 100
const INDENT = '  '

export const prettyConfig = (value: Value): string => `${lay(value, '', true)}\n`

function lay(value: Value, margin: string, isComponent: boolean): string {
  if (!isDict(value) && !isList(value)) return flat(value)
  const short = flat(value)
  if (isList(value)) {
    if (margin.length + short.length <= WIDTH && !value.some(isDict) && margin !== '') return short
    return block(
      '[',
      ']',
      margin,
      value.map((element) => lay(element, margin + INDENT, margin === '')),
    )
  }
  const all = entries(value)
  if (all.length === 0) return '{}'
  const ordered = isComponent ? byFame(all) : all
  const lines = ordered.map(([name, one]) => `${JSON.stringify(name)}: ${lay(one, margin + INDENT, false)}`)
  return block('{', '}', margin, lines)
}

function block(open: string, close: string, margin: string, lines: readonly string[]): string {
  if (lines.length === 0) return open + close
  return `${open}\n${lines.map((line) => margin + INDENT + line).join(',\n')}\n${margin}${close}`
}

const flat = (value: Value): string => writeJson(value, { transit: false })

function byFame(all: ReturnType<typeof entries>): ReturnType<typeof entries> {
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return [...all].sort(([one], [other]) => place(one) - place(other))
}
