/**
 * Generations of a tenant's configuration: the present one and those before it, so that a change can be taken back. Of each
 * former one is kept what it takes to make it from the one after it.
 */

import type { Component } from '../../config/files.ts'
import type { Snapshot } from '../../log/contract.ts'
import type { Generation } from '../contract-configuration.ts'
import { HubError } from '../errors.ts'

/** What can be put back as a whole. */
export interface ConfigurationState {
  /** Texts of the components by their ids, in order. */
  readonly texts: ReadonlyMap<string, string>
  /** Text of the environment variables. */
  readonly env: string
  readonly folder: string | null
}

interface Former extends Generation {
  /** Ids in order, where those of the next generation are others or stand in another order. */
  readonly order?: readonly string[]
  /** Texts of components that the next generation does not have, or has otherwise. */
  readonly texts: Readonly<Record<string, string>>
  readonly env?: string
  readonly folder?: string | null
}

/** Former generations that are kept. */
const KEPT = 10
const PRESENT = 'generation'
const formerName = (number: number): string => `generation:${number}`

type Meta = readonly (readonly [name: string, value: string | null])[]

const FIRST: Generation = { number: 1, at: null, kind: 'config', user: null }

export const presentGeneration = (snapshot: Snapshot): Generation => parsed<Generation>(snapshot.meta(PRESENT)) ?? FIRST

/** Newest first, the present one among them. */
export function generations(snapshot: Snapshot): readonly Generation[] {
  const present = presentGeneration(snapshot)
  const all: Generation[] = [present]
  for (let number = present.number - 1; number > 0; number--) {
    const former = parsed<Former>(snapshot.meta(formerName(number)))
    if (former === undefined) break
    const { at, kind, user } = former
    all.push({ number, at, kind, user })
  }
  return all
}

/** What is stored, in one commit with the change itself, when the next generation takes the place of the present one. */
export function nextGeneration(
  snapshot: Snapshot,
  present: ConfigurationState,
  next: ConfigurationState,
  { kind, user, at }: Omit<Generation, 'number'>,
): Meta {
  const now = presentGeneration(snapshot)
  const number = now.number + 1
  return [
    [PRESENT, JSON.stringify({ number, at, kind, user })],
    [formerName(now.number), JSON.stringify(formerOf(now, present, next))],
    [formerName(number - KEPT - 1), null],
  ]
}

function formerOf(generation: Generation, present: ConfigurationState, next: ConfigurationState): Former {
  const order = [...present.texts.keys()]
  const isSameOrder = order.join('\n') === [...next.texts.keys()].join('\n')
  const changed = [...present.texts].filter(([id, text]) => next.texts.get(id) !== text)
  return {
    ...generation,
    ...(isSameOrder ? {} : { order }),
    texts: Object.fromEntries(changed),
    ...(present.env === next.env ? {} : { env: present.env }),
    ...(present.folder === next.folder ? {} : { folder: present.folder }),
  }
}

/** The generation before the present one, or the one with the number. Code: unknown-generation. */
export function stateOf(snapshot: Snapshot, present: ConfigurationState, wanted: number | null): ConfigurationState {
  const { number } = presentGeneration(snapshot)
  const target = wanted ?? number - 1
  let state = present
  for (let at = number - 1; at >= target; at--) {
    const former = parsed<Former>(snapshot.meta(formerName(at)))
    if (former === undefined) break
    state = before(state, former)
    if (at === target) return state
  }
  const known = generations(snapshot).slice(1)
  throw new HubError(
    'unknown-generation',
    wanted === null
      ? 'There is no earlier generation of the configuration.'
      : `There is no generation ${wanted} to go back to.`,
    {
      hint:
        known.length === 0
          ? 'The configuration has not changed since generations are kept.'
          : `Kept are ${known.map((one) => one.number).join(', ')}.`,
    },
  )
}

function before(next: ConfigurationState, former: Former): ConfigurationState {
  const order = former.order ?? [...next.texts.keys()]
  return {
    texts: new Map(order.map((id) => [id, former.texts[id] ?? (next.texts.get(id) as string)])),
    env: former.env ?? next.env,
    folder: former.folder === undefined ? next.folder : former.folder,
  }
}

export const textsOf = (components: readonly Component[]): ReadonlyMap<string, string> =>
  new Map(components.map(({ id, text }) => [id, text]))

const parsed = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T)
