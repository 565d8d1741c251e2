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

/** One side of a rule: an expression over the entities of the dataset at a position. */
export interface Side {
  readonly position: number
  readonly expression: string
}

/** Where the values of a side go. */
export interface Slot extends Side {
  readonly space: number
  readonly slot: number
}

export interface Rules {
  readonly slots: readonly Slot[]
  /** For each space and slot, the slots that a rule connects it with. */
  readonly spaces: readonly (readonly (readonly number[])[])[]
}

/** A value that an entity binds by: space, slot and the key of the value. */
export type Link = string

/** `key` is any text that is equal when values are. */
export const linkOf = (slot: Slot, key: string): Link => letter(slot.space) + letter(slot.slot) + boundKey(key)
export const spaceOf = (link: Link): number => numberOf(link)
export const slotOf = (link: Link): number => numberOf(link, 1)
/** Key of the posting that the link belongs to. */
export const postingOf = (link: Link): string => link[0] + link.slice(2)

/** Lays out the rules; the same rules in any order give the same layout. */
export function layRules(pairs: readonly (readonly [Side, Side])[]): Rules {
  const sides = new Map<string, Side>()
  const connected = new Map<string, Set<string>>()
  for (const [left, right] of pairs) {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const) {
      sides.set(nameOf(one), one)
      connected.set(nameOf(one), (connected.get(nameOf(one)) ?? new Set()).add(nameOf(other)))
    }
  }
  const names = [...sides.keys()].sort()
  const slots: Slot[] = []
  const spaces: number[][][] = []
  const placed = new Set<string>()
  for (const name of names) {
    if (placed.has(name)) continue
    const space = reachable(name, connected)
    for (const one of space) placed.add(one)
    space.forEach((one, slot) => {
      slots.push({ ...(sides.get(one) as Side), space: spaces.length, slot })
    })
    spaces.push(
      space.map((one) =>
        [...(connected.get(one) as Set<string>)].map((other) => space.indexOf(other)).sort((a, b) => a - b),
      ),
    )
  }
  return { slots, spaces }
}

/** Whether members of the slot are bound: some slot that a rule connects it with has a member. */
export function isBinding(
  neighbours: readonly (readonly number[])[],
  posting: PostingRow,
  slot: number,
  but = -1,
): boolean {
  for (const other of neighbours[slot] as readonly number[]) {
    if (other !== but && (posting[other]?.count ?? 0) > 0) return true
  }
  return false
}

const nameOf = (side: Side): string => `${letter(side.position)}${side.expression}`

function reachable(from: string, connected: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found = new Set([from])
  for (const one of found) for (const other of connected.get(one) as ReadonlySet<string>) found.add(other)
  return [...found].sort()
}
