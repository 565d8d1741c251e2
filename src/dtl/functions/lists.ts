/** Lists (dtl.md §9.11). */

import { keyOf } from '../../model/canonical.ts'
import { dictOf, entries, newDict, set, values as valuesOf } from '../../model/dict.ts'
import { compare } from '../../model/order.ts'
import { isDict, isInteger, isList, isTrue, type Value } from '../../model/value.ts'
import { add, isNumeric } from '../arithmetic.ts'
import { firstOf, listOf } from '../coerce.ts'
import { DtlError } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { jsonText } from '../json-text.ts'
import { inside, integerOf, sliceOf } from '../slicing.ts'
import type { ArgumentNode, FunctionDefinition, Report } from '../syntax.ts'
import { ValueSet } from '../value-set.ts'
import {
  type Apply,
  any,
  applying,
  evaluateOf,
  example,
  mapOver,
  ofList,
  ofListWith,
  ofTwoLists,
  one,
  optional,
  some,
  VALUES,
} from './definition.ts'

const fn = (name: string) => one(name, 'function-expression')

export const lists: readonly FunctionDefinition[] = [
  {
    name: 'combine',
    behaviour: '-',
    parameters: [some('VALUES')],
    summary: 'One list of the values of all arguments; lists are opened by one level.',
    examples: [
      example('["combine", 1, null, ["list", 2, ["list", 3]]]', '[1, 2, [3]]'),
      example('["combine", null]', '[]'),
    ],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      return (frame) => {
        const all: Value[] = []
        for (const part of parts) pushAll(all, part(frame), frame)
        return all
      }
    },
  },
  ofList({
    name: 'count',
    behaviour: 'A',
    summary: 'How many values there are; null is none.',
    examples: [
      example('["count", ["list", null, 1]]', '2'),
      example('["count", "abc"]', '1'),
      example('["count", null]', '0'),
    ],
    result: (values) => values.length,
  }),
  ofListWith({
    name: 'distinct',
    behaviour: 'L',
    isOptional: true,
    summary: 'The first of equal values, or of those for which FUNCTION gives equal results.',
    examples: [
      example('["distinct", ["list", 1, 2, 1.0]]', '[1, 2]'),
      example('["distinct", ["upper", "_."], ["list", "a", "A", "b"]]', '["a", "b"]'),
    ],
    result: (values, apply, frame) => {
      const seen = new ValueSet()
      return values.filter((value) => seen.add(apply(value, frame)))
    },
  }),
  {
    name: 'enumerate',
    behaviour: '-',
    parameters: [optional('START', 'integer-expression'), VALUES],
    summary: 'Values with their numbers, as dicts with `key` and `value`.',
    examples: [
      example('["enumerate", ["list", "a", "b"]]', '[{"key": 0, "value": "a"}, {"key": 1, "value": "b"}]'),
      example('["enumerate", 5, "a"]', '{"key": 5, "value": "a"}'),
    ],
    compile: ([start, values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const first = start === undefined ? 0 : firstOf(start.evaluate(frame))
        const given = evaluate(frame)
        if (given === null || !isInteger(first)) return null
        let key: Value = first
        return mapEvery(given, (value) => {
          const numbered = dictOf({ key, value })
          key = add(key as number, 1)
          return numbered
        })
      }
    },
  },
  ofListWith({
    name: 'filter',
    behaviour: 'L',
    isOptional: false,
    summary: 'The values for which FUNCTION is true.',
    examples: [
      example('["filter", ["gt", "_.", 1], ["list", 1, 2, 3]]', '[2, 3]'),
      example('["filter", ["is-string", "_."], "a"]', '["a"]'),
    ],
    result: (values, apply, frame) => values.filter((value) => isTrue(apply(value, frame))),
  }),
  {
    name: 'first',
    behaviour: '-',
    parameters: [VALUES],
    summary: 'The first value of a list, null when it is empty; anything else as it is.',
    examples: [
      example('["first", ["list", 1, 2]]', '1'),
      example('["first", ["list"]]', 'null'),
      example('["first", 1]', '1'),
    ],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => firstOf(evaluate(frame))
    },
  },
  ofList({
    name: 'flatten',
    behaviour: 'L',
    summary: 'The values with one level of lists opened; nulls are left out.',
    examples: [example('["flatten", ["list", 1, ["list", 2, ["list", 3]], null]]', '[1, 2, [3]]')],
    result: (values, frame) => {
      const all: Value[] = []
      for (const value of values) pushAll(all, value, frame)
      return all
    },
  }),
  {
    name: 'group',
    behaviour: 'L',
    parameters: [fn('KEY_FUNCTION'), fn('VALUE_FUNCTION'), VALUES],
    summary: 'A list of [key, values] pairs, in the order in which the keys first appear.',
    examples: [
      example(
        '["group", ["first", "_."], ["last", "_."], ["list", ["list", 1, "a"], ["list", 2, "b"], ["list", 1, "c"]]]',
        '[[1, ["a", "c"]], [2, ["b"]]]',
      ),
    ],
    compile: ([key, value, values]) => {
      const [keyFor, valueFor, evaluate] = [applying(key), applying(value), evaluateOf(values)]
      return (frame) => {
        const groups = new Map<string, [Value, Value[]]>()
        for (const element of listOf(evaluate(frame))) {
          const key = keyFor(element, frame)
          const name = keyOf(key)
          let group = groups.get(name)
          if (group === undefined) {
            group = [key, []]
            groups.set(name, group)
          }
          group[1].push(valueFor(element, frame))
        }
        return [...groups.values()]
      }
    },
  },
  {
    name: 'group-by',
    behaviour: '-',
    parameters: [fn('KEY_FUNCTION'), optional('STRING_FUNCTION', 'function-expression'), VALUES],
    summary:
      'A dict of the values by the JSON text of their keys, or by the string that STRING_FUNCTION makes of a key.',
    examples: [
      example('["group-by", ["upper", "_."], ["list", "a", "A"]]', '{"\\"A\\"": ["a", "A"]}'),
      example('["group-by", ["length", "_."], ["string", "_."], ["list", "a", "bb"]]', '{"1": ["a"], "2": ["bb"]}'),
    ],
    compile: ([key, text, values]) => {
      const [keyFor, evaluate] = [applying(key), evaluateOf(values)]
      const textFor: Apply = text === undefined ? (key) => jsonText(key, true) : applying(text)
      return (frame) => {
        const groups = new Map<string, Value[]>()
        for (const element of listOf(evaluate(frame))) {
          const name = textFor(keyFor(element, frame), frame)
          if (typeof name !== 'string') continue
          const group = groups.get(name)
          if (group === undefined) groups.set(name, [element])
          else group.push(element)
        }
        return dictOf(groups)
      }
    },
  },
  ofTwoLists({
    name: 'in',
    behaviour: 'A',
    parameters: [VALUES, one('ITEMS')],
    summary: 'Whether there are values, and every one of them is among the items.',
    examples: [
      example('["in", ["list", "a", "c"], ["list", "a", "b", "c"]]', 'true'),
      example('["in", null, ["list", null]]', 'false'),
      example('["in", ["list", null], ["list", 1, null]]', 'true'),
    ],
    result: (values, items) => {
      if (values.length === 0 || items.length === 0) return false
      const among = new ValueSet(items)
      return values.every((value) => among.has(value))
    },
  }),
  {
    name: 'insert',
    behaviour: 'L',
    parameters: [one('INDEX', 'integer-expression'), VALUES, one('OBJECT')],
    summary: 'The values with OBJECT inserted before a position; a negative one counts from the end.',
    examples: [
      example('["insert", 1, ["list", 1, 2], ["list", 3]]', '[1, [3], 2]'),
      example('["insert", -2, ["list", 1, 2, 3], "x"]', '[1, "x", 2, 3]'),
    ],
    compile: ([index, values, object]) => {
      const [evaluateIndex, evaluate, inserted] = [evaluateOf(index), evaluateOf(values), evaluateOf(object)]
      return (frame) => {
        const at = integerOf(evaluateIndex(frame))
        const list = [...listOf(evaluate(frame))]
        const value = inserted(frame)
        if (at === null) return null
        frame.run.spend(list.length)
        list.splice(inside(at, list.length), 0, value)
        return list
      }
    },
  },
  ofList({
    name: 'is-empty',
    behaviour: 'A',
    summary: 'Whether there are no values; an empty string is one.',
    examples: [
      example('["is-empty", null]', 'true'),
      example('["is-empty", ""]', 'false'),
      example('["is-empty", ["list", null]]', 'false'),
    ],
    result: (values) => values.length === 0,
  }),
  {
    name: 'is-list',
    behaviour: '-',
    parameters: [VALUES],
    summary: 'Whether it is a list.',
    examples: [example('["is-list", ["list"]]', 'true'), example('["is-list", null]', 'false')],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => isList(evaluate(frame))
    },
  },
  ofList({
    name: 'is-not-empty',
    behaviour: 'A',
    summary: 'Whether there are values.',
    examples: [example('["is-not-empty", "a"]', 'true'), example('["is-not-empty", ["list"]]', 'false')],
    result: (values) => values.length > 0,
  }),
  {
    name: 'last',
    behaviour: '-',
    parameters: [VALUES],
    summary: 'The last value of a list, null when it is empty; anything else as it is.',
    examples: [example('["last", ["list", 1, 2]]', '2'), example('["last", null]', 'null')],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const given = evaluate(frame)
        return isList(given) ? (given.at(-1) ?? null) : given
      }
    },
  },
  {
    name: 'list',
    behaviour: '-',
    parameters: [any('VALUES')],
    summary: 'A list of the arguments; nulls and lists among them stay.',
    examples: [example('["list"]', '[]'), example('["list", 1, ["list", 2], null]', '[1, [2], null]')],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      return (frame) => {
        const list: Value[] = new Array(parts.length)
        for (let place = 0; place < parts.length; place++) list[place] = parts[place]!(frame)
        return list
      }
    },
  },
  ofListWith({
    name: 'map',
    behaviour: 'L',
    isOptional: false,
    summary: 'The result of FUNCTION for each value; nulls and lists among the results stay.',
    examples: [
      example('["map", ["lower", "_."], ["list", "A", 1]]', '["a", null]'),
      example('["map", ["list", "_."], "a"]', '[["a"]]'),
    ],
    result: (values, apply, frame) => values.map((value) => apply(value, frame)),
  }),
  {
    name: 'map-dict',
    behaviour: 'M',
    parameters: [fn('KEY_FUNCTION'), fn('VALUE_FUNCTION'), VALUES],
    summary: 'Each dict with new keys and values; a key that is no string drops its pair.',
    examples: [
      example('["map-dict", ["upper", "_."], ["list", "_."], {"a": 1}]', '{"A": [1]}'),
      example('["map-dict", 1, "_.", {"a": 1}]', 'null'),
    ],
    compile: ([key, value, values]) => {
      const [keyFor, valueFor, evaluate] = [applying(key), applying(value), evaluateOf(values)]
      const convert = (given: Value, frame: Frame): Value | undefined => {
        if (!isDict(given)) return undefined
        const dict = newDict()
        let isEmpty = true
        for (const [name, property] of entries(given)) {
          const key = keyFor(name, frame)
          const value = valueFor(property, frame)
          if (typeof key !== 'string') continue
          set(dict, key, value)
          isEmpty = false
        }
        return isEmpty ? undefined : dict
      }
      return (frame) => mapOver(evaluate(frame), convert, frame)
    },
  },
  {
    name: 'map-values',
    behaviour: 'L',
    parameters: [fn('VALUE_FUNCTION'), VALUES],
    summary: 'The result of VALUE_FUNCTION for each value of all dicts.',
    examples: [example('["map-values", ["lower", "_."], ["list", {"a": "A"}, 1, {"b": "B"}]]', '["a", "b"]')],
    compile: ([value, values]) => {
      const [valueFor, evaluate] = [applying(value), evaluateOf(values)]
      return (frame) => {
        const results: Value[] = []
        for (const dict of listOf(evaluate(frame))) {
          if (isDict(dict)) for (const property of valuesOf(dict)) results.push(valueFor(property, frame))
        }
        return results
      }
    },
  },
  extreme('max', 'last', 1, ['["max", ["list", 4, "b", null]]', '"b"']),
  extreme('min', 'first', -1, ['["min", ["length", "_."], ["list", "aa", "b"]]', '"b"']),
  {
    name: 'nth',
    behaviour: '-',
    parameters: [one('INDEX', 'integer-expression'), VALUES],
    summary: 'The value at a position, counted from 0, or from the end when negative; null when there is none.',
    examples: [
      example('["nth", 1, ["list", "a", "b"]]', '"b"'),
      example('["nth", -1, ["list", "a", "b"]]', '"b"'),
      example('["nth", 0, "a"]', '"a"'),
      example('["nth", 1, "a"]', 'null'),
    ],
    compile: ([index, values]) => {
      const [evaluateIndex, evaluate] = [evaluateOf(index), evaluateOf(values)]
      return (frame) => {
        const at = integerOf(evaluateIndex(frame))
        const given = evaluate(frame)
        if (at === null) return null
        if (isList(given)) return given.at(at) ?? null
        return at === 0 ? given : null
      }
    },
  },
  {
    name: 'range',
    behaviour: '-',
    parameters: [
      one('START', 'integer-expression'),
      one('STOP', 'integer-expression'),
      optional('STEP', 'integer-expression'),
    ],
    summary: 'The integers from START to before STOP, by STEP.',
    examples: [example('["range", 0, 3]', '[0, 1, 2]'), example('["range", 4, 0, -2]', '[4, 2]')],
    check: ([start, stop, step], report) => {
      for (const argument of [start, stop, step]) mustBeInteger('range', argument, report)
      mustNotBeZero('STEP of range', step, report)
    },
    compile: ([start, stop, step]) => {
      const [first, end] = [evaluateOf(start), evaluateOf(stop)]
      return (frame) => {
        const parts = [first(frame), end(frame), step === undefined ? 1 : step.evaluate(frame)].map(firstOf)
        if (!parts.every(isInteger))
          throw new DtlError('bad-argument', 'The arguments of range must be integers.', {
            hint: 'Convert them with integer, or give a value for null.',
          })
        return range(parts.map(BigInt) as [bigint, bigint, bigint], frame)
      }
    },
  },
  {
    name: 'reversed',
    behaviour: '-',
    parameters: [VALUES],
    summary: 'A list backwards; anything else as it is.',
    examples: [example('["reversed", ["list", 1, 3, 2]]', '[2, 3, 1]'), example('["reversed", "ab"]', '"ab"')],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const given = evaluate(frame)
        return isList(given) ? given.toReversed() : given
      }
    },
  },
  {
    name: 'slice',
    behaviour: 'L',
    parameters: [
      one('START', 'integer-expression'),
      optional('END', 'integer-expression'),
      optional('STRIDE', 'integer-expression'),
      VALUES,
    ],
    summary: 'The values from START to before END, every STRIDE-th; negative positions count from the end.',
    examples: [
      example('["slice", 1, ["list", 0, 1, 2]]', '[1, 2]'),
      example('["slice", 2, -2, 2, ["list", 0, 1, 2, 3, 4, 5, 6]]', '[2, 4]'),
      example('["slice", null, null, -1, ["list", 0, 1, 2]]', '[2, 1, 0]'),
    ],
    check: ([, , stride], report) => mustNotBeZero('STRIDE of slice', stride, report),
    compile: ([start, end, stride, values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const [from, to, step] = [start, end, stride].map((argument) =>
          argument === undefined ? null : firstOf(argument.evaluate(frame)),
        )
        const list = listOf(evaluate(frame))
        const positions = [from, to, step].map((position) => (position === null ? null : integerOf(position as Value)))
        if (positions.some((position, place) => position === null && [from, to, step][place] !== null)) return null
        if (positions[2] === 0) throw new DtlError('bad-argument', 'STRIDE of slice is 0.', { hint: 'Use 1 or -1.' })
        return sliceOf(
          list,
          positions[0] as number | null,
          positions[1] as number | null,
          (positions[2] ?? 1) as number,
        )
      }
    },
  },
  sorting('sorted', 'ascending', 1, ['["sorted", ["list", "b", 2, "a", null]]', '[null, 2, "a", "b"]']),
  sorting('sorted-descending', 'descending', -1, [
    '["sorted-descending", "_.n", ["list", {"n": 1}, {"n": 2}]]',
    '[{"n": 2}, {"n": 1}]',
  ]),
  ofList({
    name: 'sum',
    behaviour: 'A',
    summary: 'The sum of the numbers; of none it is 0.',
    examples: [example('["sum", ["list", 1, "2", 2.5]]', '3.5'), example('["sum", null]', '0')],
    result: (values) => {
      let total: Value = 0
      for (const value of values) {
        if (!isNumeric(value)) continue
        total = add(total as number, value)
        if (total === null) return null
      }
      return total
    },
  }),
]

/** One value gives one result, a list a list. */
const mapEvery = (given: Value, make: (value: Value) => Value): Value => (isList(given) ? given.map(make) : make(given))

function pushAll(all: Value[], value: Value, frame: Frame): void {
  if (isList(value)) {
    frame.run.spend(value.length)
    for (const one of value) all.push(one)
  } else if (value !== null) all.push(value)
}

function extreme(name: string, place: string, sign: 1 | -1, [dtl, gives]: [string, string]): FunctionDefinition {
  return ofListWith({
    name,
    behaviour: 'A',
    isOptional: true,
    summary: `The value that comes ${place} in the mixed order, or whose FUNCTION result does; of equal ones the first.`,
    examples: [example(dtl, gives), example(`["${name}", null]`, 'null')],
    result: (values, apply, frame) => {
      let best: Value = null
      let bestKey: Value | undefined
      for (const value of values) {
        const key = apply(value, frame)
        if (bestKey !== undefined && compare(key, bestKey) * sign <= 0) continue
        best = value
        bestKey = key
      }
      return best
    },
  })
}

function sorting(name: string, way: string, sign: 1 | -1, [dtl, gives]: [string, string]): FunctionDefinition {
  return {
    name,
    behaviour: '-',
    parameters: [optional('FUNCTION', 'function-expression'), VALUES],
    summary: `A list in ${way} mixed order of its values, or of what FUNCTION gives for them; anything else as it is.`,
    examples: [example(dtl, gives), example(`["${name}", "b"]`, '"b"')],
    compile: ([fn, values]) => {
      const evaluate = evaluateOf(values)
      const keyFor = fn === undefined ? null : applying(fn)
      return (frame) => {
        const given = evaluate(frame)
        if (!isList(given)) return given
        frame.run.spend(given.length)
        if (keyFor === null) return given.toSorted((a, b) => sign * compare(a, b))
        return given
          .map((value) => ({ value, key: keyFor(value, frame) }))
          .sort((a, b) => sign * compare(a.key, b.key))
          .map(({ value }) => value)
      }
    },
  }
}

function range([start, stop, step]: [bigint, bigint, bigint], frame: Frame): Value[] {
  if (step === 0n) throw new DtlError('bad-argument', 'STEP of range is 0.', { hint: 'Use 1 or -1.' })
  const span = step > 0n ? stop - start : start - stop
  const stride = step > 0n ? step : -step
  const count = span <= 0n ? 0 : Number((span + stride - 1n) / stride)
  frame.run.spend(count)
  const numbers: Value[] = []
  let next: Value = add(Number.isSafeInteger(Number(start)) ? Number(start) : start, 0)
  for (let place = 0; place < count; place++) {
    numbers.push(next)
    next = add(next as number, Number.isSafeInteger(Number(step)) ? Number(step) : step)
  }
  return numbers
}

function mustBeInteger(name: string, node: ArgumentNode | undefined, report: Report): void {
  if (node?.kind === 'constant' && !isInteger(node.value))
    report(node, `The arguments of ${name} must be integers.`, 'Write whole numbers, without a point.')
}

function mustNotBeZero(name: string, node: ArgumentNode | undefined, report: Report): void {
  if (node?.kind === 'constant' && node.value === 0) report(node, `${name} must not be 0.`, 'Use 1 or -1.')
}
