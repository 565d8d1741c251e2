/**
 * Rules of sameness, laid out as key spaces.
 *
 * A rule says: entities whose expression A and entities whose expression B share a value are the same. Expressions that
 * rules connect form a *space*, each of them a *slot* of it. For each value of a space there is one posting: who has it,
 * by slot. A value binds the members of two slots that a rule connects; so it is a star, and a value shared by n entities
 * costs n entries, not n² links.
 */

import { boundKey, letter, numberOf } from './keys.ts'
import type { PostingRow } from './rows.ts'

/** One side of a rule: an expression over the entities of an input. */
export interface Side {
  readonly input: number
  readonly expression: string
}

/** Where the values of a side go. */
export interface Slot extends Side {
  readonly space: number
  readonly slot: number
}

export interface Rules {
  readonly slots: readonly Slot[]
  /** For each space and slot, the slots that a rule connects it with; none for a slot of former rules. */
  readonly spaces: readonly (readonly (readonly number[] | null | undefined)[])[]
  /** What was laid out. */
  readonly pairs: readonly Pair[]
  /** By space, slots that were ever given: links of former ones may still be there. */
  readonly given: readonly number[]
}

export type Pair = readonly [Side, Side]

/** A value that an entity binds by: space, slot and the key of the value. */
export type Link = string

/** `key` is any text that is equal when values are. */
export const linkOf = (slot: Slot, key: string): Link => letter(slot.space) + letter(slot.slot) + boundKey(key)
export const spaceOf = (link: Link): number => numberOf(link)
export const slotOf = (link: Link): number => numberOf(link, 1)
/** Key of the posting that the link belongs to. */
export const postingOf = (link: Link): string => link[0] + link.slice(2)

/**
 * Lays out the rules; the same rules in any order give the same layout. With `former` rules, a side of which the rules
 * are the same keeps its slot, and any other gets one that nobody had: its dataset is to be looked at again.
 */
export function layRules(pairs: readonly Pair[], former: Former = NOTHING): Rules {
  const sides = sidesOf(pairs)
  const connected = connectionsOf(pairs)
  const kept = keptSlots(connected, former)
  const given = [...former.rules.given]
  const taken = new Set<number>()
  const slots: Slot[] = []
  for (const names of componentsOf([...sides.keys()].sort(), connected)) {
    const space = spaceFor(names, kept, taken, given.length)
    taken.add(space)
    given[space] ??= 0
    for (const name of names) {
      const before = kept.get(name)
      const slot: number = before?.space === space ? before.slot : (given[space] as number)
      if (before?.space !== space) given[space] = slot + 1
      slots.push({ ...(sides.get(name) as Side), space, slot })
    }
  }
  return { slots, spaces: neighboursOf(slots, connected, given.length), pairs, given }
}

/** Rules that were laid out before, and which inputs they had that are there no more or were not there yet. */
export interface Former {
  readonly rules: Rules
  /** Whether the input is there before and after: what others have to do with it tells nothing of a change. */
  readonly stays: (input: number) => boolean
}

const NOTHING: Former = { rules: { slots: [], spaces: [], pairs: [], given: [] }, stays: () => true }

const sidesOf = (pairs: readonly Pair[]): Map<string, Side> => new Map(pairs.flat().map((side) => [nameOf(side), side]))

function connectionsOf(pairs: readonly Pair[]): Map<string, Set<string>> {
  const connected = new Map<string, Set<string>>()
  for (const [left, right] of pairs) {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const) {
      connected.set(nameOf(one), (connected.get(nameOf(one)) ?? new Set()).add(nameOf(other)))
    }
  }
  return connected
}

/** Slots of sides that have the rules they had, as far as these are between inputs that stay. */
function keptSlots(connected: ReadonlyMap<string, ReadonlySet<string>>, former: Former): Map<string, Slot> {
  const before = connectionsOf(former.rules.pairs)
  const kept = new Map<string, Slot>()
  for (const slot of former.rules.slots) {
    const name = nameOf(slot)
    const now = connected.get(name)
    if (now !== undefined && staying(now, former) === staying(before.get(name) ?? new Set(), former))
      kept.set(name, slot)
  }
  return kept
}

const staying = (names: ReadonlySet<string>, { stays }: Former): string =>
  [...names]
    .filter((name) => stays(numberOf(name)))
    .sort()
    .join('\u0000')

/** Sides that rules connect, each with all others of its space. */
function componentsOf(names: readonly string[], connected: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const placed = new Set<string>()
  const components: string[][] = []
  for (const name of names) {
    if (placed.has(name)) continue
    const component = reachable(name, connected)
    for (const one of component) placed.add(one)
    components.push(component)
  }
  return components
}

/** The space that most of the sides keep, if no others took it; or a new one. */
function spaceFor(
  names: readonly string[],
  kept: ReadonlyMap<string, Slot>,
  taken: ReadonlySet<number>,
  next: number,
): number {
  const counts = new Map<number, number>()
  for (const name of names) {
    const space = kept.get(name)?.space
    if (space !== undefined && !taken.has(space)) counts.set(space, (counts.get(space) ?? 0) + 1)
  }
  const [most] = [...counts].sort(([one, many], [other, more]) => more - many || one - other)
  return most?.[0] ?? next
}

function neighboursOf(
  slots: readonly Slot[],
  connected: ReadonlyMap<string, ReadonlySet<string>>,
  count: number,
): (number[] | undefined)[][] {
  const byName = new Map(slots.map((slot) => [nameOf(slot), slot.slot]))
  const spaces: (number[] | undefined)[][] = Array.from({ length: count }, () => [])
  for (const slot of slots) {
    const others = [...(connected.get(nameOf(slot)) as ReadonlySet<string>)].map((name) => byName.get(name) as number)
    ;(spaces[slot.space] as (number[] | undefined)[])[slot.slot] = others.sort((a, b) => a - b)
  }
  return spaces
}

/** Whether members of the slot are bound: some slot that a rule connects it with has a member. */
export function isBinding(
  neighbours: readonly (readonly number[] | null | undefined)[],
  posting: PostingRow,
  slot: number,
  but = -1,
): boolean {
  for (const other of neighbours[slot] ?? []) {
    if (other !== but && (posting[other]?.count ?? 0) > 0) return true
  }
  return false
}

const nameOf = (side: Side): string => `${letter(side.input)}${side.expression}`

function reachable(from: string, connected: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found = new Set([from])
  for (const one of found) for (const other of connected.get(one) as ReadonlySet<string>) found.add(other)
  return [...found].sort()
}
