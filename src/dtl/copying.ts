/** Copying a whole source: the transform that nearly every program starts with. */

import { getStored, setStored, storedKeys } from '../model/dict.ts'
import { isDict, type Value } from '../model/value.ts'
import type { Frame } from './frame.ts'

/**
 * Puts all properties of the source on the target, one by one: the engine clones an object faster, but then takes about a
 * microsecond for every property added to the clone, and most programs add some.
 */
export function copyAll({ source, target }: Frame): void {
  if (!isDict(source)) return
  for (const key of storedKeys(source)) setStored(target, key, getStored(source, key) as Value)
}
