/** What has to be done to a state when other datasets or other rules are merged, so that not all of it begins anew. */

import type { Identity } from './identity.ts'
import { layRules, type Pair, type Rules, type Side, type Slot } from './rules.ts'

/** A dataset that takes part. */
export interface Input {
  readonly name: string
  readonly number: number
  /** It is merged; otherwise it is an identity list. */
  readonly isVisible: boolean
}

/** What a state was made with. */
export interface Setup {
  readonly identity: Identity
  /** In the order of the merge. */
  readonly inputs: readonly Input[]
  readonly rules: Rules
  /** How members are composed, and up to how many of them: any text. */
  readonly composition: string
  /** No input has this number or a greater one. */
  readonly next: number
}

/** What is to be merged now. A rule names the input of each side by its place. */
export interface Wanted {
  readonly inputs: readonly Omit<Input, 'number'>[]
  readonly pairs: readonly Pair[]
  readonly composition: string
}

export interface Adaptation {
  readonly setup: Setup
  /** Inputs that are no longer merged, with the place they had: their entities leave. */
  readonly leaving: readonly { readonly input: number; readonly place: number }[]
  /** Inputs of which the values are to be looked at again. */
  readonly anew: readonly number[]
  /** Everything is to be emitted again; with `former` inputs, because ids name places that are others now. */
  readonly marking: { readonly former: readonly number[] | null } | null
}

/** The setup of a state that begins; inputs that a former one had keep their numbers, since members are known by them. */
export function setUp(identity: Identity, wanted: Wanted, former?: Pick<Setup, 'inputs' | 'next'>): Setup {
  const { inputs = [], next = 0 } = former ?? {}
  return adapt({ identity, inputs, next, rules: layRules([]), composition: wanted.composition }, wanted).setup
}

export function adapt(before: Setup, wanted: Wanted): Adaptation {
  const { inputs, next } = numbered(before, wanted)
  const kept = new Set(
    before.inputs.map(({ number }) => number).filter((one) => inputs.some(({ number }) => number === one)),
  )
  const numberOf = (side: Side): Side => ({ ...side, input: (inputs[side.input] as Input).number })
  const pairs = wanted.pairs.map(([one, other]) => [numberOf(one), numberOf(other)] as const)
  const rules = layRules(pairs, { rules: before.rules, stays: (input) => kept.has(input) })
  const setup = { identity: before.identity, inputs, rules, composition: wanted.composition, next }
  const formerOrder = visible(before.inputs)
  return {
    setup,
    leaving: before.inputs
      .filter(({ number }) => !kept.has(number))
      .map(({ number }) => ({ input: number, place: formerOrder.indexOf(number) })),
    anew: [...kept].filter((input) => slotsOf(before.rules, input) !== slotsOf(rules, input)),
    marking: markingOf(before, setup, kept),
  }
}

/** By number, in the order of the merge. */
export const visible = (inputs: readonly Input[]): number[] =>
  inputs.filter(({ isVisible }) => isVisible).map(({ number }) => number)

function numbered(before: Setup, wanted: Wanted): { readonly inputs: Input[]; readonly next: number } {
  let { next } = before
  const inputs = wanted.inputs.map(({ name, isVisible }) => {
    const known = before.inputs.find((one) => one.name === name && one.isVisible === isVisible)
    return { name, isVisible, number: known?.number ?? next++ }
  })
  return { inputs, next }
}

const slotsOf = ({ slots }: Rules, input: number): string =>
  slots
    .filter((slot) => slot.input === input)
    .map(({ expression, space, slot }: Slot) => `${space}.${slot} ${expression}`)
    .sort()
    .join('\u0000')

function markingOf(before: Setup, now: Setup, kept: ReadonlySet<number>): Adaptation['marking'] {
  const [former, order] = [visible(before.inputs), visible(now.inputs)]
  const staying = former.filter((input) => kept.has(input))
  const arePlacesNamed = now.identity === 'composite'
  if (arePlacesNamed && staying.some((input) => former.indexOf(input) !== order.indexOf(input))) return { former }
  const stillInOrder = staying.every(
    (input, at) => at === 0 || order.indexOf(input) > order.indexOf(staying[at - 1] as number),
  )
  return stillInOrder && before.composition === now.composition ? null : { former: null }
}
