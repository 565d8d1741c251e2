/**
 * A pump thread's part of a hub on a log of its own, in this thread: what is put into roots goes through receivers, pipes
 * run when they are told, and it can be killed at any commit and opened again.
 */

import { type Deployment, deploy } from '../../src/hub/deployment.ts'
import { levelsOf } from '../../src/hub/levels.ts'
import { Sheet } from '../../src/hub/pool/sheet.ts'
import { PumpingCore } from '../../src/hub/pumping/core.ts'
import { ownHeap, Room } from '../../src/hub/pumping/room.ts'
import { PumpingTenant } from '../../src/hub/pumping/tenant.ts'
import { Turns } from '../../src/hub/pumping/turns.ts'
import type { Journal } from '../../src/log/contract.ts'
import { openLog } from '../../src/log/reader.ts'
import { entityOf } from '../../src/log/stored.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { entries } from '../../src/model/dict.ts'
import { writeJson } from '../../src/model/json.ts'
import { sourceOffset } from '../../src/pipes/full-run.ts'
import { isReceiver, type Pipe, runsByPump } from '../../src/pipes/pipe.ts'
import { outOfSync } from '../../src/pipes/reprocessing/reprocess.ts'
import type { RunReport } from '../../src/pipes/run-report.ts'

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
  }

  async put(root: string, entities: readonly Json[]): Promise<void> {
    await this.#tenant.receive(root, Buffer.from(JSON.stringify(entities)), PUSH)
  }

  /** A run, and the compaction after it. */
  async run(id: string): Promise<RunReport> {
    const report = await this.#tenant.run(id, { kind: this.#isRescan(id) ? 'rescan' : 'incremental' })
    if (report.outcome === 'completed' && report.changes > 0) await this.#tenant.compact(id, 'sink', {}).catch(() => 0)
    return report
  }

  async rescan(id: string): Promise<void> {
    await this.#tenant.run(id, { kind: 'rescan' })
  }

  /** As the operation `update-last-seen` with nothing. */
  async reset(id: string): Promise<void> {
    await this.#writer.commit({ offsets: [[sourceOffset(id), null]] })
  }

  /** The process dies after so many more commits of the run. */
  async killIn(id: string, commits: number): Promise<void> {
    this.#journal.dieAfter(commits)
    await this.#tenant.run(id, { kind: 'incremental' }).catch(() => {})
    this.#journal.die()
    await this.#tenant.close()
    this.#journal = new Killable(this.#writer)
    this.#tenant = this.#open()
    await this.#tenant.deploy(this.#deployment)
  }

  async restart(): Promise<void> {
    await this.close()
    this.#writer = await LogWriter.open(this.#path)
    this.#journal = new Killable(this.#writer)
    this.#tenant = this.#open()
    await this.#tenant.deploy(this.#deployment)
  }

  /** Runs all pipes level by level until a whole pass changes nothing. Throws when one fails, or they never settle. */
  async settle(): Promise<void> {
    for (let pass = 1; pass <= PASSES; pass++) {
      let changes = 0
      for (const level of levelsOf(this.pipes())) {
        for (const { id } of level.filter(runsByPump)) {
          const report = await this.run(id)
          if (report.outcome === 'failed') throw new Error(`pipe '${id}' failed: ${report.code} ${report.message}`)
          changes += report.changes
        }
      }
      // Twice, since a pipe that waited for a dataset may have been let in by the last pass.
      if (changes === 0 && pass > 1) return
    }
    throw new Error('it does not settle')
  }

  /** Live entities of a dataset by id, as text. */
  live(dataset: string, shown: (json: Json) => string = JSON.stringify): ReadonlyMap<string, string> {
    const log = openLog(this.#path)
    const snapshot = log.snapshot()
    try {
      const found = new Map<string, string>()
      for (const version of snapshot.dataset(dataset)?.entities({ deleted: false }) ?? []) {
        const entity = entityOf(version, { internal: false })
        const properties = entries(entity).filter(([name]) => name !== '_id' && name !== '_deleted')
        const json = Object.fromEntries(properties.map(([name, value]) => [name, JSON.parse(writeJson(value))]))
        found.set(version.id, shown(json))
      }
      return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
    } finally {
      snapshot.close()
      log.close()
    }
  }

  /** Why a pipe says that its dataset may differ from what it would make now. */
  outOfSync(id: string): readonly string[] {
    const pipe = this.#deployment.pipes.get(id)?.pipe
    const log = openLog(this.#path)
    const snapshot = log.snapshot()
    try {
      return pipe ? outOfSync(pipe, snapshot).map(({ code }) => code) : []
    } finally {
      snapshot.close()
      log.close()
    }
  }

  /** As the API deletes one. */
  async deleteDataset(id: string): Promise<void> {
    await this.#writer.deleteDataset(id)
  }

  async close(): Promise<void> {
    await this.#tenant.close()
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
