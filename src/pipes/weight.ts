/** What it takes to write an entity: a program that puts one list into another many times makes little, which is long once it is written out. */

import { getStored, storedKeys } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { Typed, type Value } from '../model/value.ts'

/** Bytes of memory for each value while its text is put together. */
const VALUE_BYTES = 80
/** Beyond so many values no text of an entity is short enough to be stored. */
const MOST = 50_000_000

/** Bytes that are taken while its text is made, about. */
export function writingBytes(entity: Entity): number {
  return weight(entity, 0)
}

function weight(value: Value, before: number): number {
  if (typeof value === 'string') return before + VALUE_BYTES + value.length
  let bytes = before + VALUE_BYTES
  if (typeof value !== 'object' || value === null || value instanceof Typed) return bytes
  if (Array.isArray(value)) {
    const list = value as readonly Value[]
    for (let place = 0; place < list.length && bytes < MOST * VALUE_BYTES; place++) {
      bytes = weight(list[place] as Value, bytes)
    }
    return bytes
  }
  const dict = value as Entity
  for (const key of storedKeys(dict)) {
    if (bytes >= MOST * VALUE_BYTES) return bytes
    bytes = weight(getStored(dict, key) as Value, bytes)
  }
  return bytes
}
