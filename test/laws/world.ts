/**
 * A pump thread's part of a hub on a log of its own, in this thread: what is put into roots goes through receivers, pipes
 * run when they are told, and it can be killed at any commit and opened again.
 */

import { type Deployment, deploy } from '../../src/hub/deployment.ts'
import { levelsOf } from '../../src/hub/levels.ts'
import { Sheet } from '../../src/hub/pool/sheet.ts'
import { stateOf, stateText } from '../../src/hub/pump-state.ts'
import { PumpingCore } from '../../src/hub/pumping/core.ts'
import { ownHeap, Room } from '../../src/hub/pumping/room.ts'
import { PumpingTenant } from '../../src/hub/pumping/tenant.ts'
import { Turns } from '../../src/hub/pumping/turns.ts'
import { Scheduler } from '../../src/hub/scheduler.ts'
import type { InputState } from '../../src/hub/signals.ts'
import type { Journal, Snapshot } from '../../src/log/contract.ts'
import { openFeed } from '../../src/log/feed.ts'
import { openLog } from '../../src/log/reader.ts'
import { entityOf } from '../../src/log/stored.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { entries } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { writeJson } from '../../src/model/json.ts'
import { forgetBeside } from '../../src/pipes/beside/remains.ts'
import type { PipeError } from '../../src/pipes/errors.ts'
import { fullRunForgotten, sourceOffset, voidFullRun } from '../../src/pipes/full-run.ts'
import { isReceiver, type Pipe, runsByPump } from '../../src/pipes/pipe.ts'
import { outOfSync } from '../../src/pipes/reprocessing/reprocess.ts'
import type { RunReport } from '../../src/pipes/run-report.ts'
import type { RunKind, RunOrder } from '../../src/pipes/schedule.ts'
import type { StateChanges } from '../../src/pipes/state.ts'

export type Json = Readonly<Record<string, unknown>>

/** Passes until nothing changes, at most. */
const PASSES = 30

const PUSH = { isFull: false, isFirst: false, isLast: false }

/** Mistakes of the engine, planted by whoever wants to see them found. */
export interface Bugs {
  readonly pipe?: (pipe: Pipe) => Pipe
  readonly journal?: (journal: Journal) => Journal
}

export class World {
  readonly #path: string
  #writer: LogWriter
  #tenant: PumpingTenant
  #journal: Killable
  readonly #bugs: Bugs
  #deployment: Deployment = deploy([], '{}', null)
  /** Rescans under way beside other runs, and those that were interrupted. */
  readonly #rescans = new Map<string, Promise<void>>()
  readonly #owed = new Set<string>()
  #scheduler: Scheduler | null = null
  #isAutomatic = false
  /** Of pumps, as they are kept over restarts. */
  readonly #states = new Map<string, string>()

  private constructor(path: string, writer: LogWriter, bugs: Bugs) {
    this.#path = path
    this.#bugs = bugs
    this.#writer = writer
    this.#journal = new Killable(writer)
    this.#tenant = this.#open()
  }

  static async open(path: string, bugs: Bugs = {}): Promise<World> {
    return new World(path, await LogWriter.open(path), bugs)
  }

  get deployment(): Deployment {
    return this.#deployment
  }

  pipes(): readonly Pipe[] {
    return [...this.#deployment.pipes.values()].flatMap(({ pipe }) => pipe ?? [])
  }

  /** Deploys as a tenant does: datasets of sinks are there before anything runs. */
  async deploy(components: readonly Json[]): Promise<void> {
    const deployment = deploy(
      components.map((one) => JSON.stringify(one)),
      '{}',
      null,
    )
    const problem = deployment.problems.find(({ level }) => level === 'error')
    if (problem !== undefined) throw new Error(`${problem.component} ${problem.pointer}: ${problem.message}`)
    this.#deployment = this.#spoiled(deployment)
    for (const pipe of this.pipes()) {
      if (pipe.sink.kind !== 'dataset') continue
      await this.#writer.assertDataset(pipe.sink.dataset)
      if (isReceiver(pipe) || pipe.sink.populatedWhen === 'onload')
        await this.#writer.commit({ populated: [[pipe.sink.dataset, true]] })
    }
    await this.#tenant.deploy(this.#deployment)
    await this.#tellScheduler()
  }

  async put(root: string, entities: readonly Json[]): Promise<void> {
    await this.#tenant.receive(root, Buffer.from(JSON.stringify(entities)), PUSH)
  }

  /** From now on pipes run by themselves, several at once: when something they read grew, as the hub lets them. */
  async automate(): Promise<void> {
    this.#isAutomatic = true
    await this.#startScheduler()
  }

  /** Until it has let everything run that there was to do. */
  async #stopScheduler(): Promise<void> {
    const scheduler = this.#scheduler
    if (scheduler === null) return
    this.#isAutomatic = false
    for (let looks = 0; looks < 500 && this.pipes().some(({ id }) => scheduler.isRunning(id)); looks++) await sleep(2)
    this.#scheduler = null
    await scheduler.close()
    for (const { id } of this.pipes()) if (stateOf(this.#states.get(id)).owesRescan) this.#owed.add(id)
  }

  async #startScheduler(): Promise<void> {
    await this.#scheduler?.close()
    this.#scheduler = null
    if (!this.#isAutomatic) return
    const feed = openFeed(this.#writer.feed)
    const states = this.#states
    const scheduler = new Scheduler({
      now: Date.now,
      run: (id, order) => this.#runAsAsked(id, order),
      stop: async (id) => this.#tenant.stop(id),
      inputs: () => this.#inputs(),
      grown: (seen, timeoutMs) => feed.changed(seen, Math.min(timeoutMs, 20)),
      grownTo: () => feed.commits(),
      save: async (saved) => {
        for (const [id, state] of saved) states.set(id, stateText(state))
      },
      ended: () => {},
    })
    this.#scheduler = scheduler
    await this.#tellScheduler()
    scheduler.start()
  }

  async #tellScheduler(): Promise<void> {
    const pipes = new Map(this.pipes().map((pipe) => [pipe.id, pipe] as const))
    await this.#scheduler?.setPipes(
      () => true,
      pipes,
      (id) => stateOf(this.#states.get(id)),
    )
  }

  async #runAsAsked(id: string, order: RunOrder): Promise<RunReport> {
    const report = await this.#tenant.run(id, order)
    if (report.outcome === 'completed' && report.changes > 0) await this.#tenant.compact(id, 'sink', {}).catch(() => 0)
    return report
  }

  #inputs(): ReadonlyMap<string, InputState> {
    return this.#looking((snapshot) => {
      const of = (id: string): InputState => {
        const view = snapshot.dataset(id)
        const { populated = false, isTripped = false } = view?.document ?? {}
        return { end: view?.counts().end ?? 0, populated, isTripped }
      }
      return new Map(snapshot.datasets().map(({ id }) => [id, of(id)] as const))
    })
  }

  /** A run, and the compaction after it; a rescan that it asks for begins beside what comes next. */
  async run(id: string): Promise<RunReport> {
    const report = await this.#alone(id, this.#isRescan(id) ? 'rescan' : 'incremental')
    if (report.outcome === 'completed' && report.changes > 0) await this.#tenant.compact(id, 'sink', {}).catch(() => 0)
    if (report.owes === 'rescan') await this.beginRescan(id)
    return report
  }

  async runAs(id: string, kind: RunKind): Promise<void> {
    await this.#alone(id, kind)
  }

  /** Once the run is over that the scheduler has begun. */
  async #alone(id: string, kind: RunKind): Promise<RunReport> {
    for (;;) {
      await this.#scheduler?.ended(id)
      try {
        return await this.#tenant.run(id, { kind })
      } catch (error) {
        if (this.#scheduler === null || (error as PipeError).code !== 'already-running') throw error
      }
    }
  }

  /** A rescan in the background, where the pipe has such; nobody waits for it. */
  async beginRescan(id: string): Promise<void> {
    if (this.#deployment.pipes.get(id)?.pipe?.rescansInBackground !== true || this.#rescans.has(id)) return
    this.#owed.add(id)
    const run = this.#tenant
      .run(id, { kind: 'rescan', isBackground: true })
      .then(({ outcome }) => {
        if (outcome === 'completed' || outcome === 'waiting') this.#owed.delete(id)
      })
      .catch(() => {})
      .finally(() => this.#rescans.delete(id))
    this.#rescans.set(id, run)
  }

  /** Those under way, and what is left of others. */
  async #endRescans(): Promise<void> {
    await Promise.all(this.#rescans.values())
    for (const id of this.#owed) await this.beginRescan(id)
    this.#owed.clear()
    await Promise.all(this.#rescans.values())
  }

  /** As the operation `update-last-seen` with nothing, which the hub does for pumps that stand still. */
  async reset(id: string): Promise<void> {
    await this.#rescans.get(id)
    await this.#scheduler?.ended(id)
    this.#owed.delete(id)
    await this.#scheduler?.forgetRescan(id)
    await this.#looking(async (snapshot) => {
      const present = () => {
        snapshot.renew()
        return snapshot
      }
      const commit = (state: StateChanges) => this.#writer.commit({ state })
      await voidFullRun(id, present, commit)
      await forgetBeside(id, present, commit)
    })
    await this.#writer.commit({ offsets: [[sourceOffset(id), null]], state: fullRunForgotten(id) })
  }

  /** Gives nothing where there is no such entity, or where it is held back. */
  async repost(dataset: string, id: string): Promise<void> {
    await this.#tenant.repost(dataset, [id]).catch(() => [])
  }

  async compact(id: string): Promise<void> {
    await this.#tenant.compact(id, 'daily', {}).catch(() => 0)
  }

  /** What the circuit breaker of a dataset holds back becomes part of it, or is no more; where it holds nothing, nothing. */
  async decide(dataset: string, commits: boolean): Promise<void> {
    if (!this.#isTripped(dataset)) return
    if (commits) await this.#tenant.expose(dataset)
    else await this.#writer.discardStaged(dataset)
  }

  #isTripped(dataset: string): boolean {
    return this.#looking((snapshot) => snapshot.dataset(dataset)?.document.isTripped === true)
  }

  /** At what is stored by now. */
  #looking<T>(look: (snapshot: Snapshot) => T): T {
    const log = openLog(this.#path)
    const snapshot = log.snapshot()
    const close = () => {
      snapshot.close()
      log.close()
    }
    let found: T
    try {
      found = look(snapshot)
    } catch (error) {
      close()
      throw error
    }
    if (found instanceof Promise) void found.then(close, close)
    else close()
    return found
  }

  /** The process dies after so many more commits of the run. */
  async killIn(id: string, commits: number): Promise<void> {
    await this.#scheduler?.ended(id)
    this.#journal.dieAfter(commits)
    await this.#tenant.run(id, { kind: 'incremental' }).catch(() => {})
    this.#journal.die()
    await this.#scheduler?.close()
    await this.#tenant.close()
    await Promise.all(this.#rescans.values())
    await this.#begin()
  }

  async restart(): Promise<void> {
    await this.close()
    this.#writer = await LogWriter.open(this.#path)
    await this.#begin()
  }

  async #begin(): Promise<void> {
    this.#journal = new Killable(this.#writer)
    this.#tenant = this.#open()
    await this.#tenant.deploy(this.#deployment)
    await this.#startScheduler()
  }

  /**
   * Runs all pipes level by level until whole passes change nothing; `roots` say before each that they are complete. Throws
   * when a pipe fails, or they never settle.
   */
  async settle(roots: readonly string[] = []): Promise<void> {
    await this.#stopScheduler()
    // What is held back is let through by one more of them, level by level.
    const isHeld = this.pipes().some(({ source }) => (source.config.completeness ?? false) !== false)
    const idlePasses = isHeld ? 2 : 1
    let idle = 0
    for (let pass = 1; pass <= PASSES; pass++) {
      await this.#endRescans()
      if (isHeld) for (const root of roots) await this.put(root, [])
      let changes = 0
      for (const level of levelsOf(this.pipes())) {
        for (const { id } of level.filter(runsByPump)) changes += await this.#runThrough(id)
      }
      idle = changes === 0 ? idle + 1 : 0
      // Not after the first, since a pipe that waited for something may have been let in by it.
      if (idle >= idlePasses && pass > 1) return
    }
    throw new Error('it does not settle')
  }

  /** Gives whether there was anything to do; what a circuit breaker holds back is let through. */
  async #runThrough(id: string): Promise<number> {
    await this.decide(id, true)
    const report = await this.run(id)
    if (report.code === 'breaker-tripped') {
      await this.decide(id, true)
      return 1
    }
    if (report.outcome === 'failed') throw new Error(`pipe '${id}' failed: ${report.code} ${report.message}`)
    return report.changes + (report.owes === null ? 0 : 1)
  }

  /** Live entities of a dataset by id, as text. */
  live(dataset: string, shown: (json: Json) => string = JSON.stringify): ReadonlyMap<string, string> {
    const found = this.#looking((snapshot) =>
      [...(snapshot.dataset(dataset)?.entities({ deleted: false }) ?? [])].map(
        (version) => [version.id, shown(contentOf(entityOf(version, { internal: false })))] as const,
      ),
    )
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** The same as entities, with what the hub keeps of them. */
  entities(dataset: string): readonly Entity[] {
    return this.#looking((snapshot) =>
      [...(snapshot.dataset(dataset)?.entities({ deleted: false }) ?? [])].map((version) =>
        entityOf(version, { internal: true }),
      ),
    )
  }

  /** Why a pipe says that its dataset may differ from what it would make now. */
  outOfSync(id: string): readonly string[] {
    const pipe = this.#deployment.pipes.get(id)?.pipe
    return this.#looking((snapshot) => (pipe ? outOfSync(pipe, snapshot).map(({ code }) => code) : []))
  }

  /** As the API deletes one. */
  async deleteDataset(id: string): Promise<void> {
    await this.#writer.deleteDataset(id)
  }

  async close(): Promise<void> {
    await this.#scheduler?.close()
    await this.#tenant.close()
    await Promise.all(this.#rescans.values())
    await this.#writer.close()
  }

  #spoiled(deployment: Deployment): Deployment {
    const { pipe: spoil } = this.#bugs
    if (spoil === undefined) return deployment
    const pipes = [...deployment.pipes].map(
      ([id, one]) => [id, { ...one, pipe: one.pipe === null ? null : spoil(one.pipe) }] as const,
    )
    return { ...deployment, pipes: new Map(pipes) }
  }

  #isRescan(id: string): boolean {
    return this.#deployment.pipes.get(id)?.pipe?.pump.rescanRunCount === 1
  }

  #open(): PumpingTenant {
    const journal = this.#bugs.journal?.(this.#journal.journal) ?? this.#journal.journal
    const core = new PumpingCore('default', 'http://h', openLog(this.#path), journal, {
      emit: () => {},
      turns: new Turns(new Sheet(), new Room(ownHeap(0)), () => {}),
      pool: {
        fill: ({ tenant: _, ...index }) => this.#tenant.fill(index),
        relieve: ({ pipe }) => this.#tenant.relieve(pipe),
      },
    })
    return new PumpingTenant(core)
  }
}

function contentOf(entity: Entity): Json {
  const properties = entries(entity).filter(([name]) => name !== '_id' && name !== '_deleted')
  return Object.fromEntries(properties.map(([name, value]) => [name, JSON.parse(writeJson(value))]))
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A journal that its process ends with: from some commit on nothing it is told is stored, and nothing is answered. */
class Killable {
  readonly journal: Journal
  #left = Number.POSITIVE_INFINITY
  #isDead = false

  constructor(journal: Journal) {
    this.journal = new Proxy(journal, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (name === 'commit' && this.#left-- <= 0) this.#isDead = true
          return this.#isDead ? Promise.reject(new Error('killed')) : member.apply(target, args)
        }
      },
    })
  }

  dieAfter(commits: number): void {
    this.#left = commits
  }

  die(): void {
    this.#isDead = true
  }
}
