/** Which parameter each argument belongs to, by their number alone (dtl.md §3.4). */

import type { FunctionDefinition, Parameter, TransformDefinition } from './syntax.ts'

export interface Bound {
  /** The parameter of each argument given. */
  readonly parameters: readonly Parameter[]
  /** The place of each argument among all parameters, absent optional ones counted. */
  readonly places: readonly number[]
  /** Places in all. */
  readonly size: number
}

type Definition = FunctionDefinition | TransformDefinition

/** By definition and number: programs ask the same over and over. */
const known = new WeakMap<Definition, (Bound | null)[]>()
/** More arguments than this are rare, and there is no end of numbers. */
const FEW = 16

/** Null: no form takes that many. */
export function bind(definition: Definition, count: number): Bound | null {
  if (count > FEW) return findForm(definition, count)
  let bounds = known.get(definition)
  if (bounds === undefined) {
    bounds = Array.from({ length: FEW + 1 }, (_, each) => findForm(definition, each))
    known.set(definition, bounds)
  }
  return bounds[count] as Bound | null
}

function findForm(definition: Definition, count: number): Bound | null {
  for (const form of formsOf(definition)) {
    const bound = bindForm(form, count)
    if (bound !== null) return bound
  }
  return null
}

export const formsOf = (definition: Definition): readonly (readonly Parameter[])[] => [
  definition.parameters,
  ...(definition.otherForms ?? []),
]

function bindForm(form: readonly Parameter[], count: number): Bound | null {
  const group = form.filter((parameter) => parameter.count === '+')
  const variadic = form.find((parameter) => parameter.count === '>=0' || parameter.count === '>=1')
  if (group.length > 0) return bindGroup(form, group, count)
  if (variadic !== undefined) return bindVariadic(form, variadic, count)
  const required = form.filter((parameter) => parameter.count === '1').length
  let spare = count - required
  if (spare < 0 || count > form.length) return null
  const places: number[] = []
  // Optional ones are filled from the left, as far as the number goes.
  form.forEach((parameter, place) => {
    if (parameter.count === '1' || spare-- > 0) places.push(place)
  })
  return { parameters: places.map((place) => form[place]!), places, size: form.length }
}

function bindVariadic(form: readonly Parameter[], variadic: Parameter, count: number): Bound | null {
  const leading = form.slice(0, form.indexOf(variadic))
  const least = leading.length + (variadic.count === '>=1' ? 1 : 0)
  return count < least ? null : inOrder(count, (place) => leading[place] ?? variadic)
}

function bindGroup(form: readonly Parameter[], group: readonly Parameter[], count: number): Bound | null {
  const leading = form.slice(0, form.indexOf(group[0]!))
  const trailing = form.slice(leading.length + group.length)
  const repeated = count - leading.length
  const rest = repeated % group.length
  if (repeated < group.length || rest > trailing.length) return null
  return inOrder(count, (place) => {
    const within = place - leading.length
    if (within < 0) return leading[place]!
    return within < repeated - rest ? group[within % group.length]! : trailing[0]!
  })
}

function inOrder(count: number, parameterAt: (place: number) => Parameter): Bound {
  const places = Array.from({ length: count }, (_, place) => place)
  return { parameters: places.map(parameterAt), places, size: count }
}

/** Smallest and largest number of arguments. */
export function arityOf(definition: Definition): readonly [least: number, most: number] {
  const least = Math.min(
    ...formsOf(definition).map(
      (form) => form.filter(({ count }) => count === '1' || count === '>=1' || count === '+').length,
    ),
  )
  const most = Math.max(
    ...formsOf(definition).map((form) =>
      form.some(({ count }) => count !== '1' && count !== '0|1') ? Number.POSITIVE_INFINITY : form.length,
    ),
  )
  return [least, most]
}

/** In words, for the message about a wrong number: `takes 1 or 2 arguments`. */
export function arityText(definition: Definition): string {
  const [least, most] = arityOf(definition)
  const allowed: number[] = []
  for (let count = least; count <= Math.min(most, least + 6); count++)
    if (bind(definition, count) !== null) allowed.push(count)
  const plural = (text: string) => `${text} argument${text === '1' ? '' : 's'}`
  if (most !== Number.POSITIVE_INFINITY) return plural(allowed.join(' or '))
  const isEvery = allowed.length === 7
  return isEvery ? plural(`${least} or more`) : `${allowed.slice(0, 3).join(', ')} … arguments`
}
