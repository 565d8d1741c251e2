/** Made-up values for parameters and bodies: what a schema asks for, and what nobody should send. */

import { random } from '../bench/data.ts'

/** Chance that can be repeated: the same seed, the same requests. */
export class Dice {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = random(seed)
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit)
  }

  chance(share: number): boolean {
    return this.#next() < share
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }
}

/** Texts that have broken programs before. */
export const NASTY: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ufeff',
  '\ud800',
  'a\udfffb',
  '\u202egnp.exe',
  'é́̂̃',
  '😀'.repeat(50),
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%',
  '%00',
  '%ED%A0%80',
  '/',
  '//',
  '.',
  '..',
  '\\',
  'C:\\x',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'system:config',
  'system:pump_execution:in',
  '$ENV(x)',
  '$SECRET(x)',
  '{{ 7*7 }}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant as it stands
  '${7*7}',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '\r\nX-Injected: 1',
  'a\nb',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '1e-999',
  '0x10',
  '9007199254740993',
  '-9223372036854775809',
  '340282366920938463463374607431768211456',
  'null',
  'undefined',
  'true',
  'True',
  '[]',
  '{}',
  '[[]]',
  '["eq","_id","a"]',
  '["eq",["concat","a"],null]',
  '["matches","(a+)+$","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"]',
  '~t2020-13-45T99:99:99Z',
  '~t1-01-01',
  '~:a:b',
  '~:::',
  '~f1e400',
  '~b!!!',
  '~u123',
  '~rhttp://[',
  '~',
  '~~',
  'http://169.254.169.254/latest/meta-data',
  'http://127.0.0.1:1/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'x'.repeat(5_000),
  '('.repeat(500),
  '['.repeat(500),
]

const NASTY_NUMBERS = [0, -0, -1, 1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e21, 255, 65536]

export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
}

/** A value as the schema asks for it; what it leaves open is anything. */
export function valueFor(schema: Schema, dice: Dice, depth = 0): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return dice.of(schema.enum)
  if (schema.anyOf !== undefined) return valueFor(dice.of(schema.anyOf), dice, depth)
  const type = typeof schema.type === 'string' ? schema.type : dice.of(schema.type ?? ['any'])
  switch (type) {
    case 'object':
      return dictOf(schema, dice, depth)
    case 'array':
      return Array.from({ length: dice.below(4) }, () => valueFor(schema.items ?? {}, dice, depth + 1))
    case 'string':
      return dice.chance(0.3) ? dice.of(NASTY) : dice.of(['a', 'in', 'people', 'p1', 'x-1', 'default', 'start', 'eq'])
    case 'integer':
      return dice.below(1_000)
    case 'number':
      return dice.below(1_000) / 8
    case 'boolean':
      return dice.chance(0.5)
    case 'null':
      return null
    default:
      return anything(dice, depth)
  }
}

function dictOf({ properties = {}, required = [], additionalProperties }: Schema, dice: Dice, depth: number): unknown {
  const entries = Object.entries(properties)
    .filter(([name]) => required.includes(name) || dice.chance(0.7))
    .map(([name, property]): [string, unknown] => [name, valueFor(property, dice, depth + 1)])
  if (additionalProperties !== false && (entries.length === 0 || dice.chance(0.3))) {
    entries.push([dice.chance(0.5) ? dice.of(NASTY) : 'operation', anything(dice, depth + 1)])
  }
  return Object.fromEntries(entries)
}

export function anything(dice: Dice, depth = 0): unknown {
  switch (dice.below(depth > 4 ? 5 : 7)) {
    case 0:
      return null
    case 1:
      return dice.chance(0.5)
    case 2:
      return dice.of(NASTY_NUMBERS)
    case 5:
      return Array.from({ length: dice.below(5) }, () => anything(dice, depth + 1))
    case 6:
      return Object.fromEntries(
        Array.from({ length: dice.below(4) }, () => [dice.of(NASTY).slice(0, 50), anything(dice, depth + 1)]),
      )
    default:
      return dice.of(NASTY)
  }
}

/** The same value with something in it, anywhere, that is not what it was. */
export function mutated(value: unknown, dice: Dice): unknown {
  const isList = Array.isArray(value)
  if (typeof value !== 'object' || value === null || dice.chance(0.15)) return anything(dice)
  const names = Object.keys(value)
  if (names.length === 0 || dice.chance(0.1))
    return isList ? [...value, anything(dice)] : { ...value, [dice.of(NASTY)]: anything(dice) }
  const name = dice.of(names)
  const given = (value as Record<string, unknown>)[name]
  if (isList) {
    const list = [...value]
    const place = Number(name)
    list.splice(place, 1, ...dice.of([[], [given, given], [mutated(given, dice)], [mutated(given, dice)]]))
    return list
  }
  const { [name]: _, ...rest } = value as Record<string, unknown>
  return dice.chance(0.15) ? rest : { ...rest, [name]: mutated(given, dice) }
}

/** A text with a piece of it taken away, doubled, moved or replaced. */
export function mutatedText(text: string, dice: Dice): string {
  const [from, length] = [dice.below(text.length + 1), dice.below(12)]
  const [before, piece, after] = [text.slice(0, from), text.slice(from, from + length), text.slice(from + length)]
  switch (dice.below(4)) {
    case 0:
      return before + after
    case 1:
      return before + piece + piece + after
    case 2:
      return before + dice.of(NASTY).slice(0, 200) + after
    default:
      return (
        before +
        dice.of(['{', '}', '(', ')', '"', '\\', '<', '#', '@', '$', '*', '\u0000', '\ud83d', '.', ';']) +
        piece +
        after
      )
  }
}
