/** Reads some properties out of the bytes of a stored entity, without looking at the others. */

import type { Dict } from './dict.ts'
import { ANY_FORM, parseStored, type StoredForm } from './json.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_DICT = 0x7b
const CLOSE_DICT = 0x7d

/** Names of properties as they stand in stored text: what {@link pickStored} looks for. */
export const picks = (names: readonly string[]): readonly Buffer[] =>
  names.map((name) => Buffer.from(JSON.stringify(name)))

/**
 * A dict with those of the properties that are there; null when that takes a closer look: where dicts lie within the
 * entity, or characters are escaped, a name may stand in another place or be spelled otherwise.
 */
export function pickStored(body: Uint8Array, form: StoredForm | undefined, names: readonly Buffer[]): Dict | null {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (form === undefined || form === ANY_FORM) return null
  if (text.includes(BACKSLASH) || text.indexOf(OPEN_DICT, 1) >= 0) return null
  let picked = ''
  for (const name of names) {
    const start = placeOf(text, name)
    if (start < 0) continue
    const end = endOfValue(text, afterSpace(text, start + name.length) + 1)
    picked += `${picked === '' ? '' : ','}${text.toString('utf8', start, end)}`
  }
  return parseStored(`{${picked}}`, form) as Dict
}

/** The last one wins, as it does for those who read all of it. */
function placeOf(text: Buffer, name: Buffer): number {
  for (let at = text.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(name, at - 1)) {
    // The same text may be a value.
    if (text[afterSpace(text, at + name.length)] === COLON) return at
  }
  return -1
}

function afterSpace(text: Buffer, at: number): number {
  let place = at
  while (text[place] === 0x20 || text[place] === 0x0a || text[place] === 0x0d || text[place] === 0x09) place++
  return place
}

/** Behind a string, a list, or what ends before the next comma or bracket. */
function endOfValue(text: Buffer, start: number): number {
  let at = afterSpace(text, start)
  if (text[at] === QUOTE) return text.indexOf(QUOTE, at + 1) + 1
  let depth = 0
  for (; at < text.length; at++) {
    const byte = text[at]
    if (byte === QUOTE) at = text.indexOf(QUOTE, at + 1)
    else if (byte === OPEN_LIST) depth++
    else if (byte === CLOSE_LIST && --depth === 0) return at + 1
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_DICT)) return at
  }
  return at
}
