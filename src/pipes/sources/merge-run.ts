/** One run of a merge: link what changed, search what came apart, compose what was touched, each in pages that are committed with the state. */

import { randomUUID } from 'node:crypto'
import { compileExpression } from '../../dtl/compile.ts'
import type { DatasetView } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import type { RowChange } from '../../merge/contract.ts'
import { harvestSome } from '../../merge/harvest.ts'
import { nodeKey, positionOf } from '../../merge/keys.ts'
import { Linker } from '../../merge/linker.ts'
import type { CommonValue } from '../../merge/report.ts'
import { type Link, linkOf, type Slot } from '../../merge/rules.ts'
import { type Settlement, settleSome } from '../../merge/settle.ts'
import { splitSome } from '../../merge/split.ts'
import { ClassState } from '../../merge/state.ts'
import { hash128, keyOf } from '../../model/canonical.ts'
import type { Entity } from '../../model/entity.ts'
import { parseJson, writeJson } from '../../model/json.ts'
import { isList, NI, type Value } from '../../model/value.ts'
import type { Batch, Offset, Surroundings } from '../contract.ts'
import { languageOf } from '../language.ts'
import type { MergePlan } from './merge-plan.ts'
import { type Memo, MergeStore } from './merge-store.ts'

/** Entities linked, members searched and former rows cleared in one page. */
const LINKED = 2_000
const SEARCHED = 50_000
const CLEARED = 10_000

export async function* runMerge(
  plan: MergePlan,
  surroundings: Surroundings,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<Batch> {
  const run = new MergeRun(plan, surroundings, since)
  for (const phase of [run.clear(), run.link(), run.search(), run.compose(), run.finish()]) {
    for (const batch of phase) {
      if (signal.aborted) return
      yield batch
      run.forgetCommitted()
    }
  }
}

interface Side extends Slot {
  valuesOf(entity: Entity): Value
}

class MergeRun {
  readonly #plan: MergePlan
  readonly #surroundings: Surroundings
  readonly #store: MergeStore
  readonly #memo: Memo
  readonly #state: ClassState
  readonly #sides: readonly Side[][]
  readonly #maxShared: number
  /** Where each input ended when the run began, so that the run ends however fast they grow. */
  readonly #ends: readonly number[]
  readonly #views = new Map<number, DatasetView | undefined>()
  #page = 0
  #hasWorked: boolean

  constructor(plan: MergePlan, surroundings: Surroundings, since: Offset | null) {
    this.#plan = plan
    this.#surroundings = surroundings
    this.#maxShared = plan.config.max_shared ?? 0
    const token = randomUUID()
    this.#store = new MergeStore(surroundings.snapshot, surroundings.pipe, token)
    this.#ends = plan.inputs.map((_, at) => this.#view(at)?.counts().end ?? 0)
    const former = this.#store.memo()
    this.#memo = this.#isUsable(former, since) ? this.#resume(former, since) : this.#begin(former, token, since)
    this.#hasWorked = this.#memo.epoch === token
    this.#state = new ClassState(this.#store.rows(this.#memo.epoch))
    this.#sides = this.#compile()
  }

  /** Takes over from former beginnings of the state the ids they emitted, and clears them. */
  *clear(): Iterable<Batch> {
    for (const { epoch, identity } of [...this.#memo.former]) {
      let after: string | null = null
      while (true) {
        const deletes: RowChange[] = harvestSome(this.#store.rows(epoch), identity, this.#state, after, CLEARED)
        const last = deletes.at(-1)
        if (last === undefined) break
        after = last[0]
        yield this.#batch([], null, [[epoch, deletes]])
      }
      this.#memo.former = this.#memo.former.filter((one) => one.epoch !== epoch)
    }
  }

  *link(): Iterable<Batch> {
    const linker = new Linker(this.#state, this.#plan.rules, this.#plan.layout, { maxShared: this.#maxShared })
    for (const [position, end] of this.#ends.entries()) {
      const input = this.#memo.inputs[position] as Memo['inputs'][number]
      while ((input.linked ?? -1) < end - 1) {
        const view = this.#view(position)
        if (view === undefined) break
        let linked = 0
        for (const version of view.changes(input.linked, { history: false })) {
          if (version.sequence >= end || linked === LINKED) break
          linked++
          input.linked = version.sequence
          const node = nodeKey(position, version.id)
          if (version.deleted) linker.remove(node, version.id)
          else linker.upsert(node, version.id, this.#linksOf(position, entityOf(version, { internal: false })))
        }
        // What follows the last one read is superseded.
        if (linked < LINKED) input.linked = end - 1
        yield this.#batch([], null)
      }
    }
  }

  *search(): Iterable<Batch> {
    const { rules, layout, config } = this.#plan
    const options = { rules, layout, maxMerged: config.max_merged, maxShared: this.#maxShared }
    while (splitSome(this.#state, options, SEARCHED) > 0) yield this.#batch([], null)
  }

  *compose(): Iterable<Batch> {
    const settlement = this.#settlement()
    while (true) {
      const entities = settleSome(this.#state, settlement, this.#surroundings.batchSize)
      if (entities === null) return
      yield this.#batch(entities, null)
    }
  }

  /** The last batch carries the offset: what came before is repeated if it is not reached. */
  *finish(): Iterable<Batch> {
    const offset = this.#memo.inputs.map(({ linked }) => linked ?? '').join(',')
    if (!this.#hasWorked && this.#memo.offset === offset) return
    this.#memo.offset = offset
    yield this.#batch([], offset === '' ? null : offset)
  }

  /** What is in the store by now need not be kept in memory; and what was read from there may be old. */
  forgetCommitted(): void {
    this.#state.committed(this.#store.committedPage())
    this.#views.clear()
  }

  #batch(
    entities: readonly Entity[],
    offset: Offset | null,
    more: readonly (readonly [string, readonly RowChange[]])[] = [],
  ): Batch {
    this.#hasWorked = true
    const { page, changes } = this.#state.drain()
    this.#page = page
    return { entities, offset, state: this.#store.page(this.#page, this.#memo, [[this.#memo.epoch, changes], ...more]) }
  }

  #isUsable(former: Memo | undefined, since: Offset | null): former is Memo {
    if (former === undefined || since === null || former.fingerprint !== this.#fingerprint()) return false
    return former.inputs.every(({ generation }, at) => generation === null || generation === this.#generation(at))
  }

  /** The state knows best where it is; an offset that somebody set makes it read again what follows it. */
  #resume(former: Memo, since: Offset | null): Memo {
    const memo = {
      ...former,
      inputs: former.inputs.map((input, at) => ({ ...input, generation: this.#generation(at) })),
    }
    if (since === null || since === former.offset) return memo
    const asked = since.split(',')
    memo.offset = since
    memo.inputs.forEach((input, at) => {
      const from = asked[at] === undefined || asked[at] === '' ? -1 : Number(asked[at])
      if (Number.isInteger(from) && from < (input.linked ?? -1)) input.linked = from < 0 ? null : from
    })
    return memo
  }

  #begin(former: Memo | undefined, token: string, since: Offset | null): Memo {
    if (former !== undefined && since !== null) {
      this.#surroundings.log.info(
        'The configuration or a dataset of the merge is another one: everything is merged anew.',
      )
    }
    const { config, inputs } = this.#plan
    return {
      epoch: token,
      fingerprint: this.#fingerprint(),
      identity: config.identity,
      inputs: inputs.map((_, at) => ({ generation: this.#generation(at), linked: null })),
      offset: since,
      former: former === undefined ? [] : [...former.former, { epoch: former.epoch, identity: former.identity }],
    }
  }

  #fingerprint(): string {
    const { config, inputs, rules } = this.#plan
    const limits = [config.max_merged, this.#maxShared]
    const how = [config.identity, config.strategy, config.include_internal_properties]
    return hash128(JSON.stringify([inputs, rules, how, limits, languageOf(this.#surroundings)]))
  }

  #generation(position: number): string | null {
    return this.#view(position)?.document.generation ?? null
  }

  #view(position: number): DatasetView | undefined {
    if (!this.#views.has(position)) {
      this.#views.set(position, this.#surroundings.snapshot().dataset(this.#plan.inputs[position] as string))
    }
    return this.#views.get(position)
  }

  #compile(): Side[][] {
    const settings = languageOf(this.#surroundings)
    const sides: Side[][] = this.#plan.inputs.map(() => [])
    for (const slot of this.#plan.rules.slots) {
      const { evaluate } = compileExpression(parseJson(slot.expression), settings)
      sides[slot.position]?.push({ ...slot, valuesOf: evaluate })
    }
    return sides
  }

  #linksOf(position: number, entity: Entity): Link[] {
    const links: Link[] = []
    for (const side of this.#sides[position] as readonly Side[]) {
      for (const value of listOf(side.valuesOf(entity))) {
        const link = value === null ? null : linkOf(side, keyOf(value))
        if (link !== null && !links.includes(link)) links.push(link)
      }
    }
    return links
  }

  #settlement(): Settlement {
    const { config, layout } = this.#plan
    const { namespacedIdentifiers, identityNamespace } = this.#surroundings
    const internal = config.strategy === 'list' && config.include_internal_properties
    return {
      layout,
      maxMerged: config.max_merged,
      composition: {
        strategy: config.strategy,
        includeInternal: config.include_internal_properties,
        identityOf: (id) => new NI(namespacedIdentifiers && !id.includes(':') ? `${identityNamespace}:${id}` : id),
      },
      entityOf: (position, id) => {
        const version = this.#view(position)?.latest(id)
        return version === undefined ? undefined : entityOf(version, { internal })
      },
      leftApart: (members, values) => this.#reportApart(members, values),
    }
  }

  #reportApart(members: number, values: readonly CommonValue[]): void {
    const named = values.map((value) => this.#describe(value))
    const { pipe, log } = this.#surroundings
    const most = named.map(({ rule, value, members }) => `${rule} = ${value} (${members})`).join(', ')
    log.warn(
      `Pipe '${pipe}' would merge ${members} entities into one, more than max_merged, ${this.#plan.config.max_merged}: ` +
        `they are left apart. Most are bound by ${most}.`,
      { pipe, members, maxMerged: this.#plan.config.max_merged, values: named },
    )
  }

  /** A value by name: its member is asked again, since the state holds only keys. */
  #describe({ link, node, count }: CommonValue): { rule: string; value: string; members: number } {
    const position = positionOf(node)
    const version = this.#view(position)?.latest(this.#state.idOf(node))
    const entity = version === undefined ? undefined : entityOf(version, { internal: false })
    for (const side of this.#sides[position] as readonly Side[]) {
      for (const value of entity === undefined ? [] : listOf(side.valuesOf(entity))) {
        if (value !== null && linkOf(side, keyOf(value)) === link) {
          return {
            rule: this.#plan.written.get(side.expression) ?? side.expression,
            value: writeJson(value),
            members: count,
          }
        }
      }
    }
    return { rule: 'unknown', value: 'unknown', members: count }
  }
}

const listOf = (value: Value): readonly Value[] => (isList(value) ? value : value === null ? [] : [value])
