/** URIs (dtl.md §9.20). */

import { URI, type Value } from '../../model/value.ts'
import { firstOf } from '../coerce.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { example, mapping, mappingWith, optional, typeTest, VALUES } from './definition.ts'

export const uris: readonly FunctionDefinition[] = [
  typeTest({
    name: 'is-uri',
    kinds: ['uri'],
    summary: 'Whether the first value is a URI.',
    examples: [example('["is-uri", "~rfoo:bar"]', 'true'), example('["is-uri", "foo:bar"]', 'false')],
  }),
  mapping({
    name: 'uri',
    summary: 'Strings as URIs, unchanged.',
    examples: [example('["uri", ["list", "http://a.no/", 1]]', '["~rhttp://a.no/"]')],
    convert: (value) => (typeof value === 'string' ? new URI(value) : value instanceof URI ? value : undefined),
  }),
  mappingWith({
    name: 'url-quote',
    parameters: [optional('SAFE_CHARS', 'string'), VALUES],
    summary: 'Strings percent-encoded; letters, digits, `_`, `.`, `-`, `~` and SAFE_CHARS are kept.',
    examples: [
      example('["url-quote", "/foo å"]', '"%2Ffoo%20%C3%A5"'),
      example('["url-quote", "/", "/foo bar"]', '"/foo%20bar"'),
    ],
    bind: ([safe]) => {
      const kept = safe === undefined ? '' : firstOf(safe)
      if (kept !== null && typeof kept !== 'string') return null
      const isKept = keptBytes(kept ?? '')
      return (value, frame) => {
        if (typeof value !== 'string') return undefined
        frame.run.spendText(value.length * 3)
        return quote(value, isKept)
      }
    },
  }),
  mapping({
    name: 'url-unquote',
    summary: 'Strings percent-decoded; what is no valid sequence stays.',
    examples: [example('["url-unquote", "%2Ffoo%20b+r%zz%ff"]', '"/foo b+r%zz%ff"')],
    convert: (value: Value) => (typeof value === 'string' ? unquote(value) : undefined),
  }),
]

const ALWAYS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~'

function keptBytes(safe: string): readonly boolean[] {
  const kept: boolean[] = new Array(256).fill(false)
  for (const char of ALWAYS + safe) if (char.charCodeAt(0) < 128) kept[char.charCodeAt(0)] = true
  return kept
}

function quote(text: string, isKept: readonly boolean[]): string {
  let quoted = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    quoted += isKept[byte] ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return quoted
}

const unquote = (text: string): string =>
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
