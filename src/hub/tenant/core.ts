/** What the parts of a tenant share: its log and its writer, its graph, and what is deployed at the moment. */

import { partsOf } from '../../config/files.ts'
import type { Graph } from '../../graph/contract.ts'
import type { Feed, Snapshot } from '../../log/contract.ts'
import { openFeed } from '../../log/feed.ts'
import type { WriterThread } from '../../log/journal.ts'
import type { LogReader } from '../../log/reader.ts'
import { createNaming, type Naming } from '../../model/iri.ts'
import type { Logger } from '../../pipes/logger.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import type { TargetRules } from '../../pipes/systems/targets.ts'
import type { Access } from '../access/access.ts'
import type { Backups } from '../backups/backups.ts'
import { withSnapshot } from '../datasets.ts'
import { type DeployedPipe, type Deployment, DeploymentMemory, type DeployOptions, deploy } from '../deployment.ts'
import { HubError } from '../errors.ts'
import type { PumpPool } from '../pool/pool.ts'
import { projectionOf } from '../projection.ts'
import type { SecretEntry } from '../secrets/document.ts'
import type { MasterKeys } from '../secrets/keys.ts'
import { KnownSecrets } from '../secrets/known.ts'
import type { InputState } from '../signals.ts'
import { mayRunBy, NO_LIMITS, type TaskManager } from '../task-manager.ts'
import { Exclusive } from './exclusive.ts'

export interface TenantOptions {
  readonly name: string
  readonly base: string
  /** Folder of the tenant's data. */
  readonly folder: string
  /** Of the hub. */
  readonly version: string
  /** Holds pumps back, whatever the configuration says. */
  readonly tasks?: TaskManager
  /** Where others reach it, once that is known. */
  readonly address?: () => string | null
  /** Where its requests may go, as it is now. */
  readonly targets: () => TargetRules
  /** Of the node: its roles. */
  readonly access?: Access
  readonly pool: PumpPool
  readonly logger: Logger
  /** Tells of notifications. */
  readonly noteLogger: Logger
  /** Tells of the runs of pipes. */
  readonly runLogger: Logger
  /** Quads at most in the graph. */
  readonly graphBudget: number
  /** What their entities look like is counted of pipes that do not say, and whose configuration does not. */
  readonly infersTypes: boolean
  /** Without the graph: for commands that only run pipes. */
  readonly withGraph: boolean
  readonly backups: Backups
  /** Master keys of secrets. */
  readonly keys: MasterKeys
  /** The hub cannot go on. */
  readonly onFatal: (error: Error) => void
}

export class TenantCore {
  readonly options: TenantOptions
  readonly writer: WriterThread
  readonly feed: Feed
  readonly log: LogReader
  readonly graph: Graph | null
  /** What the next deployment is compared with. */
  memory = new DeploymentMemory()
  /** Changes of the configuration and of secrets. */
  readonly exclusive = new Exclusive()
  deployment: Deployment = deploy([], '{}', null)
  naming: Naming
  env = '{}'
  /** The pipe runner is at work: it says when the pumps of users run. */
  isHeld = false
  /** Secrets as they are stored, and as they are used. */
  sealed: readonly SecretEntry[] = []
  secrets = new KnownSecrets()

  constructor(options: TenantOptions, writer: WriterThread, log: LogReader, graph: Graph | null) {
    this.options = options
    this.writer = writer
    this.feed = openFeed(writer.feed)
    this.log = log
    this.graph = graph
    this.naming = createNaming({ base: options.base })
  }

  snapshot(): Snapshot {
    return this.log.snapshot()
  }

  get deployOptions(): DeployOptions {
    const hasSecret = (name: string, system: string | null) =>
      this.sealed.some((one) => one.name === name && (one.scope === null || one.scope === system))
    return { memory: this.memory, hasSecret }
  }

  /** From now on this is what runs. */
  adopt(next: Deployment): void {
    this.memory.keep()
    this.deployment = next
    this.naming = createNaming({ base: this.options.base, namespaces: next.node.prefixes })
    this.graph?.configure(this.#projection())
  }

  /** Secrets came or went: what is said of components may be something else now; the pipes are the same. */
  reconsider(): void {
    const { components, folder } = this.deployment
    this.deployment = deploy(partsOf(components), this.env, folder, this.deployOptions)
    this.memory.keep()
  }

  /** Whether the node lets the pump of a pipe run by itself. */
  mayRun(pipe: Pipe): boolean {
    return this.hindrance(pipe) === null
  }

  /** Why it does not: the configuration, the start's options or the pipe runner may mind. */
  hindrance(pipe: Pipe): string | null {
    const { tasks = NO_LIMITS } = this.options
    if (this.isHeld && pipe.isOfUser) return 'the pipe runner is at work'
    if (mayRunBy(tasks)(pipe) && mayRunBy(this.deployment.tasks)(pipe)) return null
    return 'task_manager, of the node metadata or of the start-up options, does not let it'
  }

  pipes(): readonly Pipe[] {
    return [...this.deployment.pipes.values()].flatMap(({ pipe }) => pipe ?? [])
  }

  known(id: string): DeployedPipe {
    const deployed = this.deployment.pipes.get(id)
    if (deployed === undefined) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
    return deployed
  }

  runnable(id: string): Pipe {
    const { pipe } = this.known(id)
    if (pipe !== null) return pipe
    throw new HubError('invalid-pipe', `Pipe '${id}' has errors in its configuration and cannot run.`)
  }

  /** Datasets as they are now. */
  inputs(): ReadonlyMap<string, InputState> {
    return withSnapshot(this, (snapshot) => {
      const inputs = new Map<string, InputState>()
      for (const { id, number, populated, isTripped } of snapshot.datasets()) {
        inputs.set(id, { end: this.feed.end(number), populated, isTripped })
      }
      return inputs
    })
  }

  /** How far the graph is with what it holds; what it is about to take in counts as not begun. */
  projected(): Record<string, number> {
    const status = this.graph?.status()
    if (status === undefined) return {}
    const held = this.#projection().datasets.filter(({ id }) => !status.leftOut.includes(id))
    return Object.fromEntries(held.map(({ id }) => [id, status.offsets[id] ?? -1]))
  }

  #projection() {
    return projectionOf(this.deployment, this.options.base, this.options.graphBudget)
  }
}

/** Its bytes need not be copied to cross to another thread. */
export const transferable = (body: Uint8Array): ArrayBuffer[] =>
  body.byteOffset === 0 && body.byteLength === body.buffer.byteLength && body.buffer instanceof ArrayBuffer
    ? [body.buffer]
    : []
