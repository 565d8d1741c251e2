/** What a merge knows about its state as a whole, and how that follows the configuration and the datasets. */

import type { DtlSettings } from '../../dtl/contract.ts'
import { adapt, type Setup, setUp, visible, type Wanted } from '../../merge/adapt.ts'
import type { NodeKey } from '../../merge/contract.ts'
import { type FormerState, placeIn } from '../../merge/harvest.ts'
import { type Identity, type Layout, layoutOf } from '../../merge/identity.ts'
import { inputOf } from '../../merge/keys.ts'
import type { Leaving } from '../../merge/leave.ts'
import { compareText } from '../../model/order.ts'
import type { Offset } from '../contract.ts'
import type { MergePlan } from './merge-plan.ts'

export interface Memo {
  /** Names the rows of this beginning of the state. */
  readonly epoch: string
  /** Of that part of the configuration with which everything would be another; then the state begins anew. */
  readonly fingerprint: string
  /** What minted ids begin with. */
  readonly root: string
  setup: Setup
  /** In the order of the configuration. */
  inputs: readonly Reading[]
  /** Inputs whose entities have to leave. */
  leaving: readonly Leaving[]
  /** How far everything is marked to be emitted again, and the inputs as of which ids were made before; null: nothing is to be marked. */
  marking: { after: string | null; readonly former: readonly number[] | null } | null
  /** The offset that was last given out, or that the state began with. */
  offset: Offset | null
  /** Former beginnings that are not cleared yet. */
  former: readonly FormerEpoch[]
  /** What of its making neither setup nor inputs tell; absent: an earlier version made it. */
  manner?: Manner
  /** The rescan that makes it beside another. */
  rescan?: string
}

/** With the setup enough to go on with a state when the configuration is another one. */
export interface Manner {
  /** 0: no limit. */
  readonly maxShared: number
  readonly language: DtlSettings
}

/** Where it is in an input. */
export interface Reading {
  /** Null while the dataset does not exist. */
  generation: string | null
  /** The last sequence that was linked. */
  linked: number | null
  /** Up to there the values are only looked at anew. */
  known: number | null
}

export interface FormerEpoch {
  readonly epoch: string
  readonly identity: Identity
  readonly inputs: readonly number[]
  readonly leaving: readonly Leaving[]
  readonly marking: Memo['marking']
  readonly isContinued: boolean
}

/** What a run finds: the state that is stored, and what it is told. */
export interface Findings {
  readonly plan: MergePlan
  readonly fingerprint: string
  readonly manner: Manner
  readonly token: string
  readonly since: Offset | null
  /** By place. */
  readonly generations: readonly (string | null)[]
}

export const layoutOfMemo = ({ setup }: Memo): Layout => layoutOf(setup.identity, visible(setup.inputs))

/** The memo to go on with: that of the state as far as it can be kept. */
export function memoFor(former: Memo | undefined, found: Findings): Memo {
  return { ...keptOrBegun(former, found), manner: found.manner }
}

function keptOrBegun(former: Memo | undefined, found: Findings): Memo {
  const isKept = former !== undefined && found.since !== null && former.fingerprint === found.fingerprint
  const adapted = isKept ? adaptMemo(former, found) : undefined
  return adapted === undefined ? begin(former, found) : resume(adapted, found.since as Offset)
}

/** Undefined: a dataset was made again, or one adaptation is not finished when another is asked for. */
function adaptMemo(former: Memo, { plan, generations }: Findings): Memo | undefined {
  const wanted = wantedBy(plan)
  const { setup, leaving, anew, marking } = adapt(former.setup, wanted)
  if (setup.next > MOST_INPUTS) return undefined
  const inputs = setup.inputs.map(({ number }, at): Reading => {
    const before = former.inputs[former.setup.inputs.findIndex((one) => one.number === number)] ?? UNREAD
    const generation = before.generation ?? generations[at] ?? null
    return { ...(anew.includes(number) ? fromTheStart(before) : before), generation }
  })
  if (inputs.some(({ generation }, at) => generation !== (generations[at] ?? null))) return undefined
  const isWork = leaving.length > 0 || marking !== null
  if (!isWork) return { ...former, setup, inputs }
  const isBusy = former.leaving.length > 0 || former.marking !== null
  if (isBusy) return undefined
  return {
    ...former,
    setup,
    inputs,
    leaving,
    marking: marking === null ? null : { after: null, former: marking.former },
  }
}

/** The state as it was made, whatever is configured; undefined: a dataset was made again. */
export function goOn(memo: Memo, since: Offset | null, generations: Findings['generations']): Memo | undefined {
  const inputs = memo.inputs.map((input, at) => ({ ...input, generation: input.generation ?? generations[at] ?? null }))
  if (inputs.some(({ generation }, at) => generation !== (generations[at] ?? null))) return undefined
  return since === null ? { ...memo, inputs } : resume({ ...memo, inputs }, since)
}

/** Whether another configuration asks something of the state. */
export function isOtherFor({ setup }: Memo, plan: MergePlan): boolean {
  const { setup: wanted, leaving, anew, marking } = adapt(setup, wantedBy(plan))
  if (leaving.length + anew.length > 0 || marking !== null) return true
  return JSON.stringify(wanted.inputs) !== JSON.stringify(setup.inputs)
}

/** A state begins beside the one there is, which stays as it is. Members are known by the same numbers in both. */
export function beginBeside(own: Memo | undefined, found: Findings, rescan: string): Memo {
  return { ...begin(own, { ...found, since: null }), former: [], manner: found.manner, rescan }
}

/** A state that was made beside takes the place of the own one, of which the ids that nobody has any more are to go. */
export function exchanged({ rescan: _, ...made }: Memo, own: Memo | undefined): Memo {
  if (own === undefined) return made
  const next = Math.max(made.setup.next, own.setup.next)
  const former = [...own.former, epochOf(own)].map((one) => inheritedBy(made.setup.identity, one))
  return { ...made, setup: { ...made.setup, next }, former }
}

const UNREAD: Reading = { generation: null, linked: null, known: null }

/** Inputs get a number each that stands in keys as one character. */
const MOST_INPUTS = 20_000

const fromTheStart = ({ linked, known, generation }: Reading): Reading => ({
  generation,
  linked: null,
  known: linked === null ? known : Math.max(linked, known ?? -1),
})

function wantedBy({ config, inputs, merged, maxMerged, pairs }: MergePlan): Wanted {
  return {
    inputs: inputs.map((name, at) => ({ name, isVisible: at < merged })),
    pairs,
    composition: JSON.stringify([config.strategy, config.include_internal_properties, maxMerged]),
  }
}

/** The state knows best where it is; an offset that somebody set makes it read again what follows it. */
function resume(memo: Memo, since: Offset): Memo {
  if (since === memo.offset) return memo
  const asked = since.split(',')
  const inputs = memo.inputs.map((input, at) => {
    const from = asked[at] === undefined || asked[at] === '' ? -1 : Number(asked[at])
    if (!Number.isInteger(from)) return input
    const known = input.known !== null && input.known > from ? from : input.known
    if (from >= (input.linked ?? -1)) return { ...input, known }
    return { ...input, linked: from < 0 ? null : from, known }
  })
  return { ...memo, inputs, offset: since }
}

function begin(former: Memo | undefined, { plan, fingerprint, token, since, generations }: Findings): Memo {
  const { identity } = plan.config
  const inherited = former !== undefined && former.setup.next < MOST_INPUTS ? former.setup : undefined
  return {
    epoch: newEpoch(former, token),
    fingerprint,
    root: former?.root ?? token.slice(0, SHORT),
    setup: setUp(identity, wantedBy(plan), inherited),
    inputs: generations.map((generation) => ({ ...UNREAD, generation })),
    leaving: [],
    marking: null,
    offset: since,
    former: former === undefined ? [] : [...former.former, epochOf(former)].map((one) => inheritedBy(identity, one)),
  }
}

/** It stands in the key of every row: short, and not that of a former one whose rows may still be there. */
function newEpoch(former: Memo | undefined, token: string): string {
  const taken = former === undefined ? [] : [former.epoch, ...former.former.map(({ epoch }) => epoch)]
  const short = token.slice(0, SHORT)
  return taken.includes(short) ? token : short
}

const SHORT = 8

const epochOf = ({ setup, epoch, leaving, marking }: Memo): FormerEpoch => ({
  epoch,
  identity: setup.identity,
  inputs: visible(setup.inputs),
  leaving,
  marking,
  isContinued: setup.identity === 'stable',
})

/** Minted ids live on as long as ids are minted. */
const inheritedBy = (identity: Identity, one: FormerEpoch): FormerEpoch =>
  identity === 'stable' ? one : { ...one, isContinued: false }

export function formerState(epoch: FormerEpoch): FormerState {
  const placeNow = placeIn(epoch.inputs)
  const placeBefore = placeIn(epoch.marking?.former ?? epoch.inputs)
  const after = epoch.marking?.after ?? null
  const placeOf = (node: NodeKey): number => {
    const left = epoch.leaving.find(({ input }) => input === inputOf(node))
    if (left !== undefined) return left.place
    const isMarked = epoch.marking === null || (after !== null && compareText(`N${node}`, after) <= 0)
    return isMarked ? placeNow(node) : placeBefore(node)
  }
  return { identity: epoch.identity, isContinued: epoch.isContinued, placeOf }
}
