/** Strings, counted in characters, not in UTF-16 units (dtl.md §9.19). */

import { datetimeText } from '../../model/datetime.ts'
import { decimalText } from '../../model/decimal.ts'
import { entries } from '../../model/dict.ts'
import { floatText } from '../../model/transit.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  Float,
  isDict,
  isInteger,
  isList,
  LocalDate,
  NI,
  URI,
  UUID,
  type Value,
} from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { Frame } from '../frame.ts'
import { jsonText } from '../json-text.ts'
import { integerOf, sliceOf } from '../slicing.ts'
import type { FunctionDefinition, Parameter } from '../syntax.ts'
import { splitter } from '../text-search.ts'
import { wildcard } from '../wildcard.ts'
import {
  type Convert,
  evaluateOf,
  example,
  mapping,
  mappingWith,
  one,
  optional,
  some,
  typeTest,
  VALUES,
} from './definition.ts'

const isText = (value: Value): value is string => typeof value === 'string'

export const strings: readonly FunctionDefinition[] = [
  {
    name: 'concat',
    behaviour: '-',
    parameters: [some('VALUES')],
    summary: 'All strings of all arguments in one; other values are ignored.',
    examples: [example('["concat", "a", ["list", "b", 1], null, "c"]', '"abc"'), example('["concat", 1]', '""')],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      return (frame) => {
        let text = ''
        for (const part of parts) {
          const value = part(frame)
          if (typeof value === 'string') text += value
          else if (isList(value)) for (const one of value) if (typeof one === 'string') text += one
        }
        if (text.length > 8) frame.run.spendText(text.length)
        return text
      }
    },
  },
  typeTest({
    name: 'is-string',
    kinds: ['string'],
    summary: 'Whether the first value is a string.',
    examples: [example('["is-string", ["list", "a", 1]]', 'true'), example('["is-string", ["uri", "a:b"]]', 'false')],
  }),
  {
    name: 'join',
    behaviour: 'A',
    parameters: [one('SEPARATOR', 'string'), VALUES],
    summary: 'The strings among the values, with SEPARATOR between them.',
    examples: [example('["join", "-", ["list", "a", 1, "b"]]', '"a-b"'), example('["join", "-", null]', '""')],
    compile: ([separator, values]) => {
      const [between, evaluate] = [evaluateOf(separator), evaluateOf(values)]
      return (frame) => {
        const glue = firstOf(between(frame))
        const texts = listOf(evaluate(frame)).filter(isText)
        if (typeof glue !== 'string') return null
        frame.run.spendText(texts.reduce((sum, text) => sum + text.length + glue.length, 0))
        return texts.join(glue)
      }
    },
  },
  mapping({
    name: 'length',
    summary: 'The number of characters of strings.',
    examples: [example('["length", ["list", "", "abc", "😀", 12]]', '[0, 3, 1]')],
    convert: (value) => (typeof value === 'string' ? lengthOf(value) : undefined),
  }),
  justify('ljust', 'right', (text, fill) => text + fill, '"ab.."'),
  justify('rjust', 'left', (text, fill) => fill + text, '"..ab"'),
  mapping({
    name: 'lower',
    summary: 'Strings in lower case.',
    examples: [example('["lower", ["list", "ÅB", 1]]', '["åb"]')],
    convert: (value) => (typeof value === 'string' ? value.toLowerCase() : undefined),
  }),
  mapping({
    name: 'upper',
    summary: 'Strings in upper case.',
    examples: [example('["upper", "straße"]', '"STRASSE"'), example('["upper", 1]', 'null')],
    convert: (value) => (typeof value === 'string' ? value.toUpperCase() : undefined),
  }),
  stripping('strip', 'both ends', { left: true, right: true }, '"b"'),
  stripping('lstrip', 'the left', { left: true, right: false }, '"ba"'),
  stripping('rstrip', 'the right', { left: false, right: true }, '"ab"'),
  {
    name: 'matches',
    behaviour: 'A',
    parameters: [one('PATTERN', 'string'), VALUES],
    summary:
      'Whether there are values and all are strings that match the whole PATTERN; `*` is any run, `?` one character.',
    examples: [
      example('["matches", "a*?a", ["list", "alpha", "abba"]]', 'true'),
      example('["matches", "*", null]', 'false'),
      example('["matches", "a.c", "abc"]', 'false'),
    ],
    compile: ([pattern, values]) => {
      const [patternFor, evaluate] = [evaluateOf(pattern), evaluateOf(values)]
      const fixed = pattern?.constant === undefined ? null : testOf(firstOf(pattern.constant))
      return (frame) => {
        const test = fixed ?? testOf(firstOf(patternFor(frame)))
        const given = evaluate(frame)
        if (typeof given === 'string') return test(given, frame)
        return isList(given) && given.length > 0 && given.every((one) => typeof one === 'string' && test(one, frame))
      }
    },
  },
  mappingWith({
    name: 'replace',
    parameters: [one('OLD_STRING', 'string'), one('NEW_STRING', 'string'), VALUES],
    otherForms: [[one('REPLACEMENTS'), VALUES]],
    summary: 'Strings with every occurrence replaced; with a dict all its keys at once, longer ones first.',
    examples: [
      example('["replace", ":", ".", "12:30:00"]', '"12.30.00"'),
      example('["replace", {"a": "b", "b": "a", "ab": "-"}, "abba"]', '"-ab"'),
    ],
    bind: (args) => {
      const [old, replacement] = args.map((value) => firstOf(value as Value))
      if (args.length === 1) return isDict(old as Value) ? replaceAllOf(old as Value) : null
      if (typeof old !== 'string' || typeof replacement !== 'string') return null
      if (old === '') return (value) => (typeof value === 'string' ? value : undefined)
      const parts = splitter(old)
      return (value, frame) => {
        if (typeof value !== 'string') return undefined
        const kept = parts(value)
        if (kept.length === 1) return value
        frame.run.spendText(kept.length * replacement.length)
        return kept.join(replacement)
      }
    },
  }),
  {
    name: 'split',
    behaviour: 'L',
    parameters: [optional('SEPARATOR', 'string'), VALUES],
    summary: 'The parts of all strings in one list; at an empty SEPARATOR the characters, without one the words.',
    examples: [
      example('["split", "-", ["list", "a-b", 1, "c"]]', '["a", "b", "c"]'),
      example('["split", "", "a😀"]', '["a", "😀"]'),
      example('["split", " a  b "]', '["a", "b"]'),
      example('["split", "-", null]', 'null'),
    ],
    compile: ([separator, values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const between = separator === undefined ? undefined : firstOf(separator.evaluate(frame))
        const given = evaluate(frame)
        if (given === null || (between !== undefined && typeof between !== 'string')) return null
        const parts: Value[] = []
        for (const text of listOf(given)) {
          if (typeof text !== 'string') continue
          const found = between === undefined ? words(text) : between === '' ? [...text] : splitter(between)(text)
          frame.run.spend(found.length)
          for (const part of found) parts.push(part)
        }
        return parts
      }
    },
  },
  mapping({
    name: 'string',
    summary: 'Values as text.',
    examples: [
      example('["string", ["list", "a", 1, 1.0, "~f1.50", true, "~:a:b"]]', '["a", "1", "1.0", "1.50", "true", "a:b"]'),
      example(
        '["string", ["list", ["list", 1, "x"], {"b": 2, "a": null}]]',
        '["[1, \\"x\\"]", "{\\"a\\": null, \\"b\\": 2}"]',
      ),
    ],
    convert: (value, frame) => textOf(value, frame),
  }),
  mappingWith({
    name: 'substring',
    parameters: [one('START_INDEX', 'integer-expression'), optional('END_INDEX', 'integer-expression'), VALUES],
    summary: 'The characters from START_INDEX to before END_INDEX; negative positions count from the end.',
    examples: [
      example('["substring", 1, 3, "abcd"]', '"bc"'),
      example('["substring", -2, "abcd"]', '"cd"'),
      example('["substring", 1, 9, ["list", "a😀b", 1]]', '["😀b"]'),
    ],
    bind: ([start, end]) => {
      const from = integerOf(start as Value)
      const to = end === undefined || firstOf(end) === null ? null : integerOf(end)
      if (from === null || (to === null && end !== undefined && firstOf(end) !== null)) return null
      return (value) => {
        if (typeof value !== 'string') return undefined
        return hasSurrogates(value) ? sliceOf([...value], from, to, 1).join('') : value.slice(from, to ?? undefined)
      }
    },
  }),
]

/** Whether a text matches a pattern; where that has `?`, each character takes a step for each 32 of the pattern. */
function testOf(pattern: Value): (text: string, frame: Frame) => boolean {
  if (typeof pattern !== 'string') return () => false
  const matches = wildcard(pattern)
  if (!pattern.includes('?')) return matches
  const steps = Math.ceil(pattern.length / 32)
  return (text, { run }) => {
    run.spendText(text.length * steps)
    return matches(text)
  }
}

const hasSurrogates = (text: string): boolean => /[\ud800-\udfff]/.test(text)

function lengthOf(text: string): number {
  if (!hasSurrogates(text)) return text.length
  let length = 0
  for (const _ of text) length++
  return length
}

const words = (text: string): string[] => {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(/\s+/)
}

function justify(
  name: string,
  side: string,
  pad: (text: string, fill: string) => string,
  gives: string,
): FunctionDefinition {
  const parameters: Parameter[] = [
    one('WIDTH', 'integer-expression'),
    one('FILL_CHARACTER', 'character-expression'),
    VALUES,
  ]
  return mappingWith({
    name,
    parameters,
    summary: `Strings filled up on the ${side} to WIDTH characters.`,
    examples: [
      example(`["${name}", 4, ".", ["list", "ab"]]`, `[${gives}]`),
      example(`["${name}", 4, "..", "ab"]`, 'null'),
    ],
    bind: ([width, fill]) => {
      const wanted = integerOf(width as Value)
      const character = firstOf(fill as Value)
      if (wanted === null || typeof character !== 'string' || lengthOf(character) !== 1) return null
      return (value, frame) => {
        if (typeof value !== 'string') return undefined
        const missing = wanted - lengthOf(value)
        if (missing <= 0) return value
        frame.run.spendText(missing)
        return pad(value, character.repeat(missing))
      }
    },
  })
}

function stripping(
  name: string,
  where: string,
  ends: { readonly left: boolean; readonly right: boolean },
  gives: string,
): FunctionDefinition {
  return mappingWith({
    name,
    parameters: [optional('CHARACTERS', 'string'), VALUES],
    summary: `Strings without the white space, or the CHARACTERS, at ${where}.`,
    examples: [example(`["${name}", "a", "aba"]`, gives), example(`["${name}", ["list", "x", 1]]`, '["x"]')],
    bind: ([characters]) => {
      const set = characters === undefined ? null : firstOf(characters)
      if (set === null) return (value) => (typeof value === 'string' ? trimmed(value, ends) : undefined)
      if (typeof set !== 'string') return null
      const stripped = new Set(set)
      return (value) => (typeof value === 'string' ? without(value, stripped, ends) : undefined)
    },
  })
}

const trimmed = (text: string, { left, right }: { left: boolean; right: boolean }): string =>
  left && right ? text.trim() : left ? text.trimStart() : text.trimEnd()

function without(
  text: string,
  stripped: ReadonlySet<string>,
  { left, right }: { left: boolean; right: boolean },
): string {
  const characters = [...text]
  let [start, end] = [0, characters.length]
  while (left && start < end && stripped.has(characters[start] as string)) start++
  while (right && end > start && stripped.has(characters[end - 1] as string)) end--
  return characters.slice(start, end).join('')
}

const NO_PAIRS: readonly [string, string][] = []

/** All keys in one pass from left to right, the longest that fits; what was put in is not looked at again. */
function replaceAllOf(replacements: Value): Convert {
  const byFirst = new Map<string, [string, string][]>()
  /** By first letter: one for each key that has to be tried, and what comparing long ones takes. */
  const costs = new Map<string, number>()
  if (isDict(replacements)) {
    const usable = entries(replacements).filter(
      (pair): pair is [string, string] => pair[0] !== '' && typeof pair[1] === 'string',
    )
    for (const pair of usable.sort(([a], [b]) => b.length - a.length)) {
      const first = pair[0].charAt(0)
      const sharing = byFirst.get(first)
      if (sharing === undefined) byFirst.set(first, [pair])
      else sharing.push(pair)
      costs.set(first, (costs.get(first) ?? 0) + 1 + (pair[0].length > 64 ? pair[0].length >> 3 : 0))
    }
  }
  return (value, frame) => {
    if (typeof value !== 'string') return undefined
    let text = ''
    let at = 0
    while (at < value.length) {
      const candidates = byFirst.get(value.charAt(at)) ?? NO_PAIRS
      frame.run.spend(costs.get(value.charAt(at)) ?? 0)
      const found = candidates.find(([old]) => value.startsWith(old, at))
      text += found === undefined ? value.charAt(at) : found[1]
      at += found === undefined ? 1 : found[0].length
    }
    frame.run.spendText(text.length)
    return text
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of one value; undefined: bytes that are not UTF-8. */
function textOf(value: Value, frame: Frame): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || isInteger(value)) return String(value)
  if (typeof value === 'number') return floatText(value)
  if (value instanceof Float) return floatText(value.value)
  if (value instanceof Decimal) return decimalText(value)
  if (value instanceof NI || value instanceof URI || value instanceof UUID) return value.text
  if (value instanceof Datetime || value instanceof LocalDate) return datetimeText(value)
  if (value instanceof Bytes) {
    try {
      return utf8.decode(value.data)
    } catch {
      return undefined
    }
  }
  const text = jsonText(value, false)
  frame.run.spendText(text.length)
  return text
}
