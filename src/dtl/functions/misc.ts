/** What fits no other chapter (dtl.md §9.13). */

import { type Entity, isDeleted } from '../../model/entity.ts'
import { equals } from '../../model/order.ts'
import { Bytes, Datetime, integer, type Value } from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { Frame } from '../frame.ts'
import { murmur3 } from '../murmur3.ts'
import type { ArgumentNode, FunctionDefinition, Report } from '../syntax.ts'
import { any, applying, evaluateOf, example, mappingWith, one, optional, VALUES } from './definition.ts'

export const misc: readonly FunctionDefinition[] = [
  {
    name: 'completeness',
    behaviour: '-',
    reads: 'datasets',
    parameters: [one('VIA_DATASET_ID', 'constant-string'), one('DATASET_ID', 'constant-string')],
    summary: 'Up to when all changes of a dataset have been processed, as far as another dataset knows.',
    examples: [example('["completeness", "orders", "customers"]', 'null')],
    compile: ([via, dataset]) => {
      const [through, wanted] = [via?.constant as string, dataset?.constant as string]
      return (frame) => {
        const value = frame.run.context.completeness?.(through, wanted) ?? null
        return value === null ? null : new Datetime(value)
      }
    },
  },
  mappingWith({
    name: 'hash128',
    parameters: [one('ALGORITHM', 'constant-string'), optional('SEED', 'integer-expression'), VALUES],
    summary: 'The 128-bit hash of strings and bytes as an integer; the algorithm is `murmur3`.',
    check: checkHash,
    examples: [
      example('["hash128", "murmur3", "abc"]', '79267961763742113019008347020647561319'),
      example('["hash128", "murmur3", 0, ["list", "~bZGVm", 5]]', '[114697464648834432121201791580882983835]'),
    ],
    bind: ([, given]) => {
      const seed = given === undefined ? 0 : seedIn(given)
      if (seed === null) return null
      return (value, frame) => {
        const data = typeof value === 'string' ? Buffer.from(value, 'utf8') : value instanceof Bytes ? value.data : null
        if (data === null) return undefined
        frame.run.spendText(data.length)
        return integer(murmur3(data, seed))
      }
    },
  }),
  {
    name: 'is-changed',
    behaviour: '-',
    reads: 'versions',
    parameters: [one('FUNCTION', 'function-expression')],
    summary:
      'Whether FUNCTION gives something else for the source entity than for the version before it; true where either is deleted, null without a version before.',
    examples: [example('["is-changed", "_.name"]', 'null')],
    compile: ([fn]) => {
      const apply = applying(fn)
      return (frame) => {
        const source = frame.root.source as Entity
        const before = frame.run.context.previous?.(source) ?? null
        if (before === null) return null
        if (isDeleted(source) || isDeleted(before)) return true
        const now = apply(source, frame)
        return !equals(now, apply(before, frame))
      }
    },
  },
  {
    name: 'literal',
    behaviour: '-',
    parameters: [one('VALUE', 'any')],
    summary: 'Its argument as it is: a string that looks like a path, or a list, without being one.',
    examples: [
      example('["literal", "_S.a"]', '"_S.a"'),
      example('["literal", [1, ["upper", "a"]]]', '[1, ["upper", "a"]]'),
    ],
    compile: ([value]) => evaluateOf(value),
  },
  {
    name: 'tuples',
    behaviour: '-',
    parameters: [any('VALUES')],
    summary: 'All combinations of one value of each argument, nulls left out: for joins on several properties.',
    examples: [
      example('["tuples", ["list", 1, 2], ["list", "a", null, "b"]]', '[[1, "a"], [1, "b"], [2, "a"], [2, "b"]]'),
      example('["tuples", 1, null]', '[]'),
    ],
    compile: (args) => {
      const parts = args.map(evaluateOf)
      return (frame) =>
        crossProduct(
          parts.map((part) => listOf(part(frame)).filter((value) => value !== null)),
          frame,
        )
    },
  },
]

/** A seed has 32 bits, without a sign; any other gives null for everything. */
function seedIn(given: Value): number | null {
  const seed = firstOf(given)
  return typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32 ? seed : null
}

function checkHash([algorithm]: readonly (ArgumentNode | undefined)[], report: Report): void {
  if (algorithm?.kind === 'constant' && algorithm.value !== 'murmur3')
    report(algorithm, `There is no hash algorithm '${String(algorithm.value)}'.`, "Write 'murmur3'.")
}

function crossProduct(lists: readonly (readonly Value[])[], frame: Frame): Value[] {
  if (lists.length === 0) return []
  let tuples: Value[][] = [[]]
  for (const list of lists) {
    frame.run.spend(tuples.length * list.length)
    const longer: Value[][] = []
    for (const tuple of tuples) for (const value of list) longer.push([...tuple, value])
    tuples = longer
  }
  return tuples
}
