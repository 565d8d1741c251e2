/** Values as JSON text, and back (dtl.md §9.10). */

import { parseJson } from '../../model/json.ts'
import { isList, type Value } from '../../model/value.ts'
import type { Frame } from '../frame.ts'
import { jsonText } from '../json-text.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { casting, evaluateOf, example, VALUES } from './definition.ts'

export const json: readonly FunctionDefinition[] = [
  writing('json', false, 'Values as JSON text, typed ones as their plain text.', '["\\"http://a.no/\\"", "1"]'),
  writing(
    'json-transit',
    true,
    'Values as JSON text in which typed ones keep their type.',
    '["\\"~rhttp://a.no/\\"", "1"]',
  ),
  parsing('json-parse', false, 'Strings of JSON as values, tagged strings left as they are.', '["~:a:b", 1]'),
  parsing(
    'json-transit-parse',
    true,
    'Strings of JSON as values, tagged strings as what they stand for.',
    '["~:a:b", 1]',
  ),
]

function writing(name: string, transit: boolean, summary: string, gives: string): FunctionDefinition {
  const write = (value: Value, frame: Frame): string => {
    const text = jsonText(value, transit)
    frame.run.spendText(text.length)
    return text
  }
  return {
    name,
    behaviour: 'M',
    parameters: [VALUES],
    summary,
    examples: [
      example(`["${name}", ["list", "~rhttp://a.no/", 1]]`, gives),
      example(`["${name}", {"b": [1.0, null], "a": "å"}]`, '"{\\"a\\": \\"å\\", \\"b\\": [1.0, null]}"'),
    ],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const given = evaluate(frame)
        // A null in a list is a value like any other here; alone it stays null.
        if (given === null) return null
        return isList(given) ? given.map((value) => write(value, frame)) : write(given, frame)
      }
    },
  }
}

function parsing(name: string, transit: boolean, summary: string, gives: string): FunctionDefinition {
  return casting({
    name,
    summary,
    examples: [
      transit
        ? example(`["${name}", ["list", "\\"~:a:b\\"", "1", "x"]]`, gives)
        : example(`["string", ["${name}", ["list", "\\"~:a:b\\"", "x"]]]`, '["~:a:b"]'),
      example(`["${name}", ["list", "null", "{"]]`, '[null]'),
    ],
    convert: (value, frame) => {
      if (typeof value !== 'string') return undefined
      frame.run.spendText(value.length)
      try {
        return parseJson(value, { transit })
      } catch {
        return undefined
      }
    },
  })
}
