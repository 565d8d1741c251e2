/** URIs (dtl.md §9.20). */

import { URI, type Value } from '../../model/value.ts'
import { firstOf } from '../coerce.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { keptBytes, quote, unquote } from '../url-quote.ts'
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
