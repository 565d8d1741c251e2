/** Which state a run of a merge goes by: its own, that as it was made before the configuration changed, or one that a rescan makes beside it (hub.md §6.3). */

import type { Snapshot } from '../../log/contract.ts'
import { hash128 } from '../../model/canonical.ts'
import type { Exchange, Offset, StateBeside, StateSurroundings, Surroundings } from '../contract.ts'
import { languageOf } from '../language.ts'
import { forgetState, type StateChanges } from '../state.ts'
import { layoutNoted } from './bookmarks.ts'
import type { MergeConfig } from './merge-config.ts'
import {
  beginBeside,
  exchanged,
  type Findings,
  goOn,
  isOtherFor,
  type Manner,
  type Memo,
  memoFor,
} from './merge-memo.ts'
import { type MergePlan, planMerge } from './merge-plan.ts'
import { MergeStore } from './merge-store.ts'

export interface OpenedState {
  /** What the state is made by. */
  readonly plan: MergePlan
  readonly surroundings: Surroundings
  readonly store: MergeStore
  readonly memo: Memo
  /** It begins with this run. */
  readonly isNew: boolean
}

/** `token` tells this run from any other. */
export function openState(
  plan: MergePlan,
  surroundings: Surroundings,
  since: Offset | null,
  token: string,
): OpenedState {
  const { lane } = surroundings
  if (lane?.kind === 'beside') return besideState(plan, surroundings, lane.rescan, token)
  const store = new MergeStore(surroundings.snapshot, surroundings.pipe, token)
  const former = store.memo()
  const kept = lane === undefined || since === null ? undefined : formerState(plan, surroundings, store, since)
  if (kept !== undefined) return kept
  const memo = memoFor(former, findings(plan, surroundings, since, token))
  const isNew = memo.epoch !== former?.epoch
  if (isNew && former !== undefined && since !== null) {
    surroundings.log.info('The configuration or a dataset of the merge is another one: everything is merged anew.')
  }
  return { plan, surroundings, store, memo, isNew }
}

/** Undefined: a dataset was made again, so that nothing of it can be kept; or nobody knows how it was made. */
function formerState(
  plan: MergePlan,
  surroundings: Surroundings,
  store: MergeStore,
  since: Offset,
): OpenedState | undefined {
  const found = store.memo()
  const made = madeWith(found, plan, surroundings)
  if (found === undefined || made === undefined) return undefined
  const memo = goOn(found, since, generationsOf(made.plan, surroundings))
  return memo === undefined ? undefined : { ...made, store, memo, isNew: false }
}

/** The plan and the language that a state was made with. */
export function madeWith(
  memo: Memo | undefined,
  plan: MergePlan,
  surroundings: Surroundings,
): Pick<OpenedState, 'plan' | 'surroundings'> | undefined {
  if (memo?.manner === undefined) return undefined
  const { setup, manner } = memo
  const [strategy, includeInternal, maxMerged] = JSON.parse(setup.composition) as [
    MergeConfig['strategy'],
    boolean,
    number,
  ]
  const { language } = manner
  const config = {
    ...plan.config,
    identity: setup.identity,
    strategy,
    include_internal_properties: includeInternal,
    max_shared: manner.maxShared,
  }
  return {
    plan: {
      ...plan,
      config,
      inputs: setup.inputs.map(({ name }) => name),
      merged: setup.inputs.filter(({ isVisible }) => isVisible).length,
      maxMerged,
    },
    surroundings: {
      ...surroundings,
      language,
      namespacedIdentifiers: language.namespacedIdentifiers,
      identityNamespace: language.namespaces.identity,
    },
  }
}

/** One that the same rescan has begun is gone on with. */
function besideState(plan: MergePlan, surroundings: Surroundings, rescan: string, token: string): OpenedState {
  const store = new MergeStore(surroundings.snapshot, surroundings.pipe, token, { isBeside: true })
  const begun = store.memo()
  const isOwn = begun?.rescan === rescan && !isOther(begun, plan, surroundings)
  const memo = isOwn ? goOn(begun, begun.offset, generationsOf(plan, surroundings)) : undefined
  if (memo !== undefined) return { plan, surroundings, store, memo, isNew: false }
  const own = new MergeStore(surroundings.snapshot, surroundings.pipe, token).memo()
  const found = findings(plan, surroundings, null, token)
  return { plan, surroundings, store, memo: beginBeside(own, found, rescan), isNew: true }
}

export const mergeBeside: StateBeside<MergeConfig> = {
  whyNot: ({ identity }) =>
    identity === 'stable' ? 'two states of the merge would mint ids that know nothing of one another' : null,
  isOther(config, surroundings) {
    const memo = new MergeStore(surroundings.snapshot, surroundings.pipe, '').memo()
    return memo?.manner !== undefined && isOther(memo, planMerge(config), surroundings)
  },
  exchange: (config, surroundings) => exchange(planMerge(config), surroundings),
}

function exchange({ inputs }: MergePlan, { snapshot, pipe }: StateSurroundings): Exchange {
  const [own, beside] = [new MergeStore(snapshot, pipe, ''), new MergeStore(snapshot, pipe, '', { isBeside: true })]
  const made = beside.memo()
  if (made === undefined) throw new TypeError(`The rescan of pipe '${pipe}' has made no state.`)
  return {
    offset: made.offset,
    state: [...own.saved(exchanged(made, own.memo())), ...beside.forgotten(), layoutNoted(inputs, pipe)],
  }
}

/** What a rescan made beside the own state goes, in bounded steps; only while nobody makes it. */
export async function forgetMergeBeside(
  pipe: string,
  present: () => Snapshot,
  commit: (state: StateChanges) => Promise<unknown>,
): Promise<void> {
  const store = new MergeStore(present, pipe, '', { isBeside: true })
  const memo = store.memo()
  if (memo === undefined) return
  await forgetState(store.prefixOf(memo.epoch), present, commit)
  await commit(store.forgotten())
}

/** The rescan that makes a state beside the own one, or made one and was given up. */
export const rescanOfMerge = (pipe: string, snapshot: Snapshot): string | undefined =>
  new MergeStore(() => snapshot, pipe, '', { isBeside: true }).memo()?.rescan

const isOther = (memo: Memo, plan: MergePlan, surroundings: StateSurroundings): boolean =>
  memo.fingerprint !== fingerprintOf(plan, surroundings) || isOtherFor(memo, plan)

function findings(plan: MergePlan, surroundings: Surroundings, since: Offset | null, token: string): Findings {
  return {
    plan,
    fingerprint: fingerprintOf(plan, surroundings),
    manner: mannerOf(plan, surroundings),
    token,
    since,
    generations: generationsOf(plan, surroundings),
  }
}

const generationsOf = ({ inputs }: MergePlan, { snapshot }: Surroundings): (string | null)[] =>
  inputs.map((dataset) => snapshot().dataset(dataset)?.document.generation ?? null)

const mannerOf = ({ config }: MergePlan, surroundings: StateSurroundings): Manner => ({
  maxShared: config.max_shared ?? 0,
  language: languageOf(surroundings),
})

/** Of what cannot be followed in the state that is there. */
function fingerprintOf(plan: MergePlan, surroundings: StateSurroundings): string {
  const { maxShared, language } = mannerOf(plan, surroundings)
  return hash128(JSON.stringify([plan.config.identity, maxShared, language]))
}
