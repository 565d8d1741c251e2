/** How functions are written down: one helper for each behaviour class, so that a function says only what is its own (dtl.md §6.2). */

import { isList, type Kind, kindOf, type Value } from '../../model/value.ts'
import { firstOf, listOf } from '../coerce.ts'
import type { Frame } from '../frame.ts'
import type { Argument, Evaluate, Example, FunctionDefinition, Parameter, ParameterKind, Tools } from '../syntax.ts'

export const one = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({ name, kind, count: '1' })
export const optional = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({
  name,
  kind,
  count: '0|1',
})
export const some = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({
  name,
  kind,
  count: '>=1',
})
export const any = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({ name, kind, count: '>=0' })
/** A member of a group that repeats. */
export const each = (name: string, kind: ParameterKind = 'value-expression'): Parameter => ({ name, kind, count: '+' })

export const VALUES = one('VALUES')

/** An example: an expression and its result as JSON, and what it needs besides. */
export const example = (dtl: string, gives: string, more: Partial<Example> = {}): Example => ({ dtl, gives, ...more })

interface Named {
  readonly name: string
  readonly summary: string
  readonly examples: readonly Example[]
  readonly check?: NonNullable<FunctionDefinition['check']>
  readonly reads?: NonNullable<FunctionDefinition['reads']>
  readonly deprecated?: string
}

/** What a value becomes; undefined: it is not accepted. */
export type Convert = (value: Value, frame: Frame) => Value | undefined

/** Class M of VALUES alone. */
export function mapping(given: Named & { readonly convert: Convert }): FunctionDefinition {
  const { convert, ...named } = given
  return { ...named, behaviour: 'M', parameters: [VALUES], compile: ([values]) => mapped(evaluateOf(values), convert) }
}

/**
 * Class M with arguments before VALUES: `bind` gets what they evaluated to (undefined when absent) and gives the
 * conversion, or null when they fit nothing and the result is null. Constant arguments are bound once.
 */
export function mappingWith(
  given: Named & {
    readonly parameters: readonly Parameter[]
    readonly otherForms?: readonly (readonly Parameter[])[]
    readonly bind: (args: readonly (Value | undefined)[], tools: Tools) => Convert | null
  },
): FunctionDefinition {
  const { bind, ...named } = given
  return {
    ...named,
    behaviour: 'M',
    compile: (args, tools) => {
      const values = evaluateOf(args.at(-1))
      const leading = args.slice(0, -1)
      if (leading.every((argument) => argument === undefined || argument.constant !== undefined)) {
        const convert = bind(
          leading.map((argument) => argument?.constant),
          tools,
        )
        if (convert !== null) return mapped(values, convert)
        // VALUES is evaluated all the same: it may fail (dtl.md §6.3).
        return (frame) => {
          values(frame)
          return null
        }
      }
      let last: { readonly bound: readonly (Value | undefined)[]; readonly convert: Convert | null } | null = null
      return (frame) => {
        const bound = leading.map((argument) => argument?.evaluate(frame))
        const given = values(frame)
        // A key, say, is the same for one entity after the other, and takes time to be read.
        if (last === null || !isSame(last.bound, bound)) last = { bound, convert: bind(bound, tools) }
        return last.convert === null ? null : mapOver(given, last.convert, frame)
      }
    },
  }
}

/** Only of texts: other values may be changed by whoever holds them. */
const isSame = (former: readonly (Value | undefined)[], bound: readonly (Value | undefined)[]): boolean =>
  bound.every((value, place) => typeof value === 'string' && value === former[place])

/** Class MD: VALUES with a DEFAULT before it, evaluated for what is not accepted. */
export function casting(given: Named & { readonly convert: Convert }): FunctionDefinition {
  const { convert, ...named } = given
  return {
    ...named,
    behaviour: 'MD',
    parameters: [optional('DEFAULT', 'default-value-expression'), VALUES],
    compile: ([fallback, values]) => {
      if (fallback === undefined) return mapped(evaluateOf(values), convert)
      const orElse = fallback.evaluate
      return mapped(evaluateOf(values), (value, frame) => {
        const converted = convert(value, frame)
        return converted === undefined ? withCurrent(frame, value, orElse) : converted
      })
    },
  }
}

/** Class T: whether the first value is of one of the kinds. */
export function typeTest(given: Named & { readonly kinds: readonly Kind[] }): FunctionDefinition {
  const { kinds, ...named } = given
  const accepted = new Set(kinds)
  return {
    ...named,
    behaviour: 'T',
    parameters: [VALUES],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => accepted.has(kindOf(firstOf(evaluate(frame))))
    },
  }
}

/** Class F: of the first value of each argument. */
export function ofFirsts(
  given: Named & {
    readonly parameters: readonly Parameter[]
    readonly result: (a: Value, b: Value, frame: Frame) => Value
  },
): FunctionDefinition {
  const { result, ...named } = given
  return {
    ...named,
    behaviour: 'F',
    compile: ([a, b]) => {
      const [left, right] = [evaluateOf(a), evaluateOf(b)]
      return (frame) => {
        const first = left(frame)
        return result(firstOf(first), firstOf(right(frame)), frame)
      }
    },
  }
}

/** Classes A and L of VALUES alone: of its list. */
export function ofList(
  given: Named & { readonly behaviour: 'A' | 'L'; readonly result: (values: readonly Value[], frame: Frame) => Value },
): FunctionDefinition {
  const { result, ...named } = given
  return {
    ...named,
    parameters: [VALUES],
    compile: ([values]) => {
      const evaluate = evaluateOf(values)
      return (frame) => result(listOf(evaluate(frame)), frame)
    },
  }
}

/** What a FUNCTION argument gives for a value; without one, the value itself. */
export type Apply = (value: Value, frame: Frame) => Value

/** A FUNCTION and VALUES, its list. */
export function ofListWith(
  given: Named & {
    readonly behaviour: 'A' | 'L' | '-'
    readonly isOptional: boolean
    readonly result: (values: readonly Value[], apply: Apply, frame: Frame) => Value
  },
): FunctionDefinition {
  const { result, isOptional, ...named } = given
  return {
    ...named,
    parameters: [(isOptional ? optional : one)('FUNCTION', 'function-expression'), VALUES],
    compile: ([fn, values]) => {
      const evaluate = evaluateOf(values)
      const apply = fn === undefined ? (value: Value) => value : applying(fn)
      return (frame) => result(listOf(evaluate(frame)), apply, frame)
    },
  }
}

/** Calls a function-expression with `_` bound to the value. */
export function applying(fn: Argument | undefined): Apply {
  const evaluate = evaluateOf(fn)
  return (value, frame) => withCurrent(frame, value, evaluate)
}

/** Two arguments, as their lists. */
export function ofTwoLists(
  given: Named & {
    readonly behaviour: 'A' | 'L' | '-'
    readonly parameters: readonly Parameter[]
    readonly result: (a: readonly Value[], b: readonly Value[], frame: Frame) => Value
  },
): FunctionDefinition {
  const { result, ...named } = given
  return {
    ...named,
    compile: ([a, b]) => {
      const [left, right] = [evaluateOf(a), evaluateOf(b)]
      return (frame) => {
        const first = left(frame)
        return result(listOf(first), listOf(right(frame)), frame)
      }
    },
  }
}

/** Evaluates with `_` bound; the `_` around it comes back afterwards. */
export function withCurrent(frame: Frame, value: Value, evaluate: Evaluate): Value {
  frame.run.spend(1)
  const outer = frame.current
  frame.current = value
  const result = evaluate(frame)
  frame.current = outer
  return result
}

const mapped =
  (values: Evaluate, convert: Convert): Evaluate =>
  (frame) =>
    mapOver(values(frame), convert, frame)

/** Null as null, one value as its conversion, a list as the list of those accepted; nulls are left out. */
export function mapOver(values: Value, convert: Convert, frame: Frame): Value {
  if (values === null) return null
  if (!isList(values)) return convert(values, frame) ?? null
  const results: Value[] = []
  for (const value of values) {
    if (value === null) continue
    const converted = convert(value, frame)
    if (converted !== undefined) results.push(converted)
  }
  return results
}

/** The closure of an argument that is there by the arity check. */
export const evaluateOf = (argument: Argument | undefined): Evaluate => (argument as Argument).evaluate
