/** The two texts that entities have at the doors: JSON, with tags in strings, and transit+json. */

import { writeJson } from './json-writer.ts'
import { TransitWriter } from './transit-writer.ts'
import type { Value } from './value.ts'

export type TextForm = 'json' | 'transit'

/** Writes values that are to stand in one list, one after the other. */
export function textWriter(form: TextForm): (value: Value) => string {
  if (form === 'json') return (value) => writeJson(value)
  const writer = new TransitWriter()
  return (value) => writer.write(value)
}
