/** Percent-encoding of texts in URIs, as UTF-8 (dtl.md §9.20). */

const ALWAYS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~'

/** By byte, whether it stays as it is: letters, digits, `_`, `.`, `-`, `~`, and the ASCII characters among `safe`. */
export function keptBytes(safe: string): readonly boolean[] {
  const kept: boolean[] = new Array(256).fill(false)
  for (const char of ALWAYS + safe) if (char.charCodeAt(0) < 128) kept[char.charCodeAt(0)] = true
  return kept
}

export function quote(text: string, isKept: readonly boolean[]): string {
  let quoted = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    quoted += isKept[byte] ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return quoted
}

const NO_MORE = keptBytes('')

/** Of a text that is one part of a path. */
export const quoteAll = (text: string): string => quote(text, NO_MORE)

/** Broken sequences stay. */
export const unquote = (text: string): string =>
  text.includes('%') ? text.replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => decodeRun(run)) : text

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes the UTF-8 sequences of a run of escapes; bytes that belong to none stay escaped. */
function decodeRun(run: string): string {
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex')
  let text = ''
  let at = 0
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at] as number)
    const decoded = length === 0 ? null : decode(bytes.subarray(at, at + length))
    text += decoded ?? run.slice(at * 3, at * 3 + 3)
    at += decoded === null ? 1 : length
  }
  return text
}

const sequenceLength = (byte: number): number =>
  byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0

function decode(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}
