/** Bytes (dtl.md §9.3). */

import { decodeTransit } from '../../model/transit.ts'
import { Bytes } from '../../model/value.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { example, mapping, typeTest } from './definition.ts'

const utf8 = new TextEncoder()

export const bytes: readonly FunctionDefinition[] = [
  mapping({
    name: 'base64-decode',
    summary: 'Strings in base64 as bytes.',
    examples: [example('["base64-decode", ["list", 1, "YWJj", "?"]]', '["~bYWJj"]')],
    convert: (value) => {
      const decoded = typeof value === 'string' ? decodeTransit(`~b${value}`) : undefined
      return decoded instanceof Bytes ? decoded : undefined
    },
  }),
  mapping({
    name: 'base64-encode',
    summary: 'Bytes as strings in base64.',
    examples: [example('["base64-encode", ["list", "~bYWJj", "abc"]]', '["YWJj"]')],
    convert: (value) =>
      value instanceof Bytes
        ? Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength).toString('base64')
        : undefined,
  }),
  mapping({
    name: 'bytes',
    summary: 'Strings as bytes in UTF-8.',
    examples: [example('["bytes", "å"]', '"~bw6U="')],
    convert: (value) =>
      typeof value === 'string' ? new Bytes(utf8.encode(value)) : value instanceof Bytes ? value : undefined,
  }),
  typeTest({
    name: 'is-bytes',
    kinds: ['bytes'],
    summary: 'Whether the first value is bytes.',
    examples: [example('["is-bytes", "~bYWJj"]', 'true'), example('["is-bytes", "YWJj"]', 'false')],
  }),
]
