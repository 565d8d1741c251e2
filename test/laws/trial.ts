/** One random network under one random history, and what its datasets hold in the end compared with what they should. */

import { expect } from 'vitest'
import { writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { expectedOf } from './expected.ts'
import { configurationOf, type Network, pipeName, rootName, type Step, shapeAt } from './network.ts'
import type { Json, World } from './world.ts'

/** Pipes notice for themselves that their configuration or an input is another one. */
export const HEALING = { reprocessing_policy: 'automatic', rescan_when_config_changes: true }

/** What a trial found of an exact pipe that can run. */
export interface Outcome {
  readonly pipe: string
  readonly holds: ReadonlyMap<string, string>
  /** Of a full run into an empty dataset. */
  readonly fresh: ReadonlyMap<string, string>
  /** Why the pipe says that they may differ. */
  readonly outOfSync: readonly string[]
}

export class Trial {
  readonly #world: World
  readonly #network: Network
  readonly #prefix: string
  readonly #common: Json
  readonly #turned = new Set<number>()
  readonly #roots: readonly Map<string, Json>[]

  /** `prefix` is of no other trial on the same log; `common` is set on every pipe. */
  constructor(world: World, network: Network, prefix: string, common: Json) {
    this.#world = world
    this.#network = network
    this.#prefix = prefix
    this.#common = common
    this.#roots = Array.from({ length: network.roots }, () => new Map())
  }

  /** Lives the history, then lets all settle. `isAutomatic`: meanwhile pipes run by themselves as well. */
  async live(steps: readonly Step[], { isAutomatic = false } = {}): Promise<void> {
    await this.#world.deploy(this.#configuration())
    if (isAutomatic) await this.#world.automate()
    for (const step of steps) await this.#step(step)
    await this.#world.settle(this.#rootNames())
  }

  async #step(step: Step): Promise<void> {
    const world = this.#world
    switch (step.kind) {
      case 'put':
        this.#roots[step.root % this.#network.roots]?.set(step.entity._id as string, step.entity)
        return world.put(this.#root(step.root), [step.entity])
      case 'delete':
        if (!this.#roots[step.root % this.#network.roots]?.delete(step.id)) return
        return world.put(this.#root(step.root), [{ _id: step.id, _deleted: true }])
      case 'run':
        await world.run(this.#pipe(step.pipe))
        return
      case 'configure': {
        const place = step.pipe % this.#network.recipes.length
        if (!this.#turned.delete(place)) this.#turned.add(place)
        return world.deploy(this.#configuration())
      }
      case 'rescan':
      case 'partial':
        return world.runAs(this.#pipe(step.pipe), step.kind)
      case 'beside':
        return world.beginRescan(this.#pipe(step.pipe))
      case 'together': {
        const all = Array.from({ length: step.several }, (_, more) => this.#pipe(step.pipe + more))
        await Promise.all([...new Set(all)].map((id) => world.run(id)))
        return
      }
      case 'repost':
        return world.repost(this.#dataset(step.dataset), step.id)
      case 'compact':
        return world.compact(this.#dataset(step.dataset))
      case 'decide':
        return world.decide(this.#pipe(step.pipe), step.commits)
      case 'reset':
        return world.reset(this.#pipe(step.pipe))
      case 'kill':
        return world.killIn(this.#pipe(step.pipe), step.commits)
      case 'recreate':
        this.#roots[step.root % this.#network.roots]?.clear()
        await world.deleteDataset(this.#root(step.root))
        return world.deploy(this.#configuration())
      case 'lose':
        await world.deleteDataset(this.#pipe(step.pipe))
        return world.deploy(this.#configuration())
      case 'restart':
        return world.restart()
      case 'settle':
        return world.settle(this.#rootNames())
    }
  }

  /** The check calls each pipe what its shape is. */
  expectCalledRight(): void {
    this.#network.recipes.forEach((_, place) => {
      const id = pipeName(this.#prefix, place)
      const { pipe, inexact: reasons = [] } = this.#world.deployment.pipes.get(id) ?? {}
      const { inexact } = shapeAt(this.#network, place, this.#turned)
      const found = reasons.map(({ kind }) => kind)
      // Of one dataset alone no two entities have the same id.
      const isAlone =
        inexact === 'shared-id' && pipe?.source.config.datasets !== undefined && pipe.source.inputs.length === 1
      if (inexact === undefined || isAlone) expect([id, found]).toEqual([id, []])
      else expect(found).toContain(inexact)
    })
  }

  /** What exact pipes hold, beside what the naive interpreter makes of what they read; not all kinds are known to it. */
  async naiveOutcomes(): Promise<readonly Outcome[]> {
    const world = this.#world
    const outcomes: Outcome[] = []
    for (const one of this.#configuration().slice(this.#network.roots)) {
      const { _id: pipe } = one
      if (!this.#isExact(pipe) || (await world.run(pipe)).outcome === 'waiting') continue
      const expected = expectedOf(one, (dataset) => world.entities(dataset))
      if (expected === null) continue
      const fresh = new Map([...expected].map(([id, entity]) => [id, withoutFigures(withoutRoot(entity))] as const))
      outcomes.push({ pipe, holds: world.live(pipe, withoutFigures), fresh: inOrder(fresh), outOfSync: [] })
    }
    return outcomes
  }

  /** Each exact pipe once more, into an empty dataset of its own. */
  async outcomes(): Promise<readonly Outcome[]> {
    const world = this.#world
    const own = this.#configuration()
    const minting = new Set<string>()
    const exact = own.slice(this.#network.roots).filter(({ _id }, place) => {
      const { mints, settles } = shapeAt(this.#network, place, this.#turned)
      if (mints === true) minting.add(_id)
      return mints === true || settles === true || this.#isExact(_id)
    })
    const outOfSync = new Map(exact.map(({ _id }) => [_id, world.outOfSync(_id)]))
    const twins = exact.map((one) => ({ ...one, _id: `${one._id}_t`, sink: { ...one.sink, dataset: `${one._id}_t` } }))
    await world.deploy([...own, ...twins])
    const outcomes: Outcome[] = []
    for (const { _id: pipe } of exact) {
      const report = await world.run(`${pipe}_t`)
      if (report.outcome === 'waiting') continue
      expect(report).toMatchObject({ outcome: 'completed' })
      const live = (dataset: string) => (minting.has(pipe) ? nameless(world.live(dataset)) : world.live(dataset))
      const [holds, fresh] = [live(pipe), live(`${pipe}_t`)]
      outcomes.push({ pipe, holds, fresh, outOfSync: outOfSync.get(pipe) ?? [] })
    }
    return outcomes
  }

  /** All of it once more, from what the roots hold at the end; what is not exact is left out, with what reads it. */
  async expectAsFromScratch(): Promise<void> {
    const world = this.#world
    const chosen = this.#pure()
    const scratch = this.#prefix.replace('n', 's')
    const again = (text: string) => text.replaceAll(this.#prefix, scratch)
    await world.deploy(JSON.parse(again(JSON.stringify(chosen))) as Json[])
    for (const [root, entities] of this.#roots.entries())
      await world.put(rootName(scratch, root), [...entities.values()])
    await world.settle(this.#roots.map((_, root) => rootName(scratch, root)))
    for (const { _id } of chosen) {
      const back = (text: string) => text.replaceAll(scratch, this.#prefix)
      const expected = [...world.live(again(_id), withoutFigures)].map((pair) => pair.map(back))
      expect([_id, ...world.live(_id, withoutFigures)]).toEqual([_id, ...expected])
    }
  }

  #pure() {
    const pure = new Set(this.#roots.map((_, root) => rootName(this.#prefix, root)))
    return this.#configuration().filter(({ _id }, place) => {
      if (place < this.#network.roots) return true
      const pipe = this.#world.deployment.pipes.get(_id)?.pipe
      const reads = [...(pipe?.source.inputs ?? []), ...(pipe?.reads ?? [])]
      const isPure = this.#isExact(_id) && reads.every((read) => pure.has(read))
      if (isPure) pure.add(_id)
      return isPure
    })
  }

  #isExact(id: string): boolean {
    return this.#world.deployment.pipes.get(id)?.inexact.length === 0
  }

  #configuration() {
    return configurationOf(this.#network, this.#prefix, this.#turned, this.#common)
  }

  #rootNames(): readonly string[] {
    return this.#roots.map((_, root) => rootName(this.#prefix, root))
  }

  /** Each pipe writes the dataset of its name. */
  #dataset(place: number): string {
    const { roots, recipes } = this.#network
    const at = place % (roots + recipes.length)
    return at < roots ? rootName(this.#prefix, at) : pipeName(this.#prefix, at - roots)
  }

  #root(root: number): string {
    return rootName(this.#prefix, root % this.#network.roots)
  }

  #pipe(place: number): string {
    return pipeName(this.#prefix, place % this.#network.recipes.length)
  }
}

const withoutRoot = (entity: Value): Json => {
  const { _id, _deleted, _filtered, ...content } = JSON.parse(writeJson(entity)) as Record<string, unknown>
  return content
}

const inOrder = (texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...texts].sort(([one], [other]) => (one < other ? -1 : 1)))

/** Entities that are taken whole hold what the hub keeps of them. */
function withoutFigures(json: Json): string {
  return JSON.stringify(json, (name, value) => (/^_(updated|previous|ts|hash)$/.test(name) ? undefined : value))
}

/** What there is, whatever its id. */
function nameless(live: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...live.values()].sort().map((text, place) => [String(place), text]))
}
