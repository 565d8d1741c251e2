/** The text form of the JSON functions: names sorted, `", "` and `": "` between (dtl.md §9.10). */

import { decimalText } from '../model/decimal.ts'
import { type Dict, getStored, nameOf, storedKeys } from '../model/dict.ts'
import { quoted, writeJson } from '../model/json.ts'
import { compareText } from '../model/order.ts'
import { Decimal, Typed, type Value } from '../model/value.ts'

/** With transit tags, typed scalars keep their type; without, they are their plain text. */
export function jsonText(value: Value, transit: boolean): string {
  if (typeof value !== 'object' || value === null) return writeJson(value)
  if (value instanceof Decimal && !transit) return decimalText(value)
  if (value instanceof Typed) return writeJson(value as Value, { transit })
  if (Array.isArray(value))
    return `[${(value as readonly Value[]).map((element) => jsonText(element, transit)).join(', ')}]`
  const dict = value as Dict
  const keys = storedKeys(dict).sort((a, b) => compareText(nameOf(a), nameOf(b)))
  return `{${keys.map((key) => `${quoted(nameOf(key))}: ${jsonText(getStored(dict, key) as Value, transit)}`).join(', ')}}`
}
