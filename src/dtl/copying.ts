/** Copying a whole source: the transform that nearly every program starts with. */

import { copyOf, getStored, setStored, size, storedKey, storedKeys } from '../model/dict.ts'
import { isDict, type Value } from '../model/value.ts'
import type { Frame } from './frame.ts'

const ID = storedKey('_id')

/** Puts all properties of the source on the target. */
export function copyAll(frame: Frame): void {
  const { source, target } = frame
  if (!isDict(source)) return
  const keys = storedKeys(source)
  // A target with nothing but the id the source starts with becomes a copy: the engine clones much faster than it adds.
  const before = size(target)
  if (before === 0 || (before === 1 && keys[0] === ID && getStored(target, ID) !== undefined)) {
    frame.target = copyOf(source)
    return
  }
  for (const key of keys) setStored(target, key, getStored(source, key) as Value)
}
