/** What the main thread asks of a pump thread, and it of the main thread: only bytes, ids and configuration cross. */

import type { MessagePort } from 'node:worker_threads'
import type { NeededIndex } from '../pipes/contract.ts'
import type { PublisherForm } from '../pipes/publish.ts'
import type { RunReport } from '../pipes/run-report.ts'
import type { RunOrder } from '../pipes/schedule.ts'
import type { DocumentOptions } from '../pipes/schema/type-document.ts'
import type { Reach } from '../pipes/systems/reach.ts'
import type { TargetRules } from '../pipes/systems/targets.ts'
import type { CompactionOccasion } from './compactor.ts'
import type {
  DatasetShape,
  ForwardRequest,
  PipeQuery,
  PreviewQuery,
  PushParameters,
  ReceiveAnswer,
  Reposted,
  TextForm,
} from './contract.ts'
import type { SchemaDefinition } from './pumping/definitions.ts'
import type { SecretBytes } from './secrets/known.ts'

export interface TenantOpening {
  readonly tenant: string
  /** IRI base. */
  readonly base: string
  /** Folder of the tenant's log. */
  readonly path: string
  /** To the tenant's writer. */
  readonly journal: MessagePort
  /** Pipes of it that run at the moment, on whatever thread. */
  readonly running: readonly string[]
  /** What their entities look like is counted of pipes that do not say, and whose node does not. */
  readonly infersTypes: boolean
}

export interface DeploymentText {
  readonly tenant: string
  /** The components as they were given, one JSON text each. */
  readonly components: readonly string[]
  /** JSON object of the environment variables. */
  readonly env: string
  /** Folder that relative `file:` addresses start from, where the configuration came from one. */
  readonly folder: string | null
  /** Where its systems may go. */
  readonly targets: TargetRules
}

/** Handed to a pump thread when it is started. */
export interface PumpThreadData {
  /** Of a {@link Sheet}. */
  readonly sheet: SharedArrayBuffer
  /** What it may ask of the main thread: {@link PoolMethods}. */
  readonly pool: MessagePort
  /** Megabytes of its memory that are for what lives for a moment. */
  readonly youngMb: number
}

/** What a pump thread asks of the pool: done by the thread that does it for all. */
export interface PoolMethods {
  calls: {
    /** Resolves when the dataset has the index and it is complete. */
    fill(index: NeededIndex & { readonly tenant: string }): Promise<void>
    /** Resolves when the dataset that the pipe writes was compacted so far that it may go on growing. */
    relieve(argument: { readonly tenant: string; readonly pipe: string }): Promise<void>
  }
  streams: Record<never, never>
}

/** How far the graph is with each dataset that it holds. */
interface Projected {
  readonly projected: Readonly<Record<string, number>>
}

export interface RunArgument {
  readonly tenant: string
  readonly pipe: string
  readonly order: RunOrder
}

export interface PublishArgument {
  readonly tenant: string
  readonly pipe: string
  readonly form: PublisherForm
  readonly text: TextForm
  readonly since: string | undefined
  readonly limit: number | undefined
  /** JSON object: `_B`. */
  readonly bound: string
  readonly cause?: string | undefined
}

export interface ForwardHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export interface PumpMethods {
  calls: {
    open(opening: TenantOpening): Promise<void>
    close(argument: { readonly tenant: string }): Promise<void>
    /** `isKeeper`: this thread does what only one is to do for the tenant; `isFresh`: nothing stays as it is. */
    deploy(deployment: DeploymentText & { readonly isKeeper: boolean; readonly isFresh: boolean }): Promise<void>
    /** The secrets of the tenant as they are from now on: bytes, which stand in no configuration. */
    secrets(argument: { readonly tenant: string; readonly secrets: readonly SecretBytes[] }): Promise<void>
    /** Which pipes run on other threads is known to all: who compacts must know who reads. */
    running(argument: { readonly tenant: string; readonly pipe: string; readonly isRunning: boolean }): Promise<void>
    /** Something of the dataset was erased: what is kept of it in memory goes. */
    forget(argument: { readonly tenant: string; readonly dataset: string }): Promise<void>
    /** What is known of the pipe's entities is forgotten. */
    discardSchema(argument: { readonly tenant: string; readonly pipe: string }): Promise<void>
    fill(index: NeededIndex & { readonly tenant: string }): Promise<void>
    relieve(argument: { readonly tenant: string; readonly pipe: string }): Promise<void>
    run(argument: RunArgument): Promise<RunReport>
    /** Compacts the dataset that a pipe writes, as its settings say. Gives how many versions went. */
    compact(
      argument: Projected & { readonly tenant: string; readonly pipe: string; readonly occasion: CompactionOccasion },
    ): Promise<number>
    /** Takes away what is older in one of the hub's own datasets. Gives how many versions went. */
    trim(
      argument: Projected & { readonly tenant: string; readonly dataset: string; readonly hours: number },
    ): Promise<number>
    /** Takes away what is left of erased entities, as far as everybody knows of it. */
    settle(argument: Projected & { readonly tenant: string; readonly dataset: string }): Promise<void>
    /** Gives how many versions were erased. Codes: unknown-dataset, unknown-entity, not-erasable. */
    erase(
      argument: Projected & { readonly tenant: string; readonly dataset: string; readonly id: string },
    ): Promise<number>
    /** Ends a run, or the compaction after it, between two batches. */
    stop(argument: { readonly tenant: string; readonly pipe: string }): Promise<void>
    /** The receiver is at home elsewhere from now on. */
    letGo(argument: { readonly tenant: string; readonly pipe: string }): Promise<void>
    receive(argument: {
      readonly tenant: string
      readonly pipe: string
      readonly body: Uint8Array
      readonly push: PushParameters
    }): Promise<ReceiveAnswer>
    /** A long request in pieces: gives its number. Codes: as for `receive`, and body-too-large where the pipe takes it as a whole only. */
    beginReceive(argument: {
      readonly tenant: string
      readonly pipe: string
      readonly push: PushParameters
    }): Promise<number>
    /** Resolves when the next piece may come. */
    addReceived(argument: {
      readonly tenant: string
      readonly pipe: string
      readonly number: number
      readonly piece: Uint8Array
    }): Promise<void>
    endReceive(argument: {
      readonly tenant: string
      readonly pipe: string
      readonly number: number
      /** Otherwise it broke off. */
      readonly isWhole: boolean
    }): Promise<ReceiveAnswer>
    /** Gives the answer as JSON text. */
    preview(argument: PreviewQuery & { readonly tenant: string }): Promise<string>
    /** Makes what a tripped circuit breaker holds back, or what was decided before, a part of the dataset. */
    expose(argument: { readonly tenant: string; readonly dataset: string }): Promise<void>
    repost(argument: {
      readonly tenant: string
      readonly dataset: string
      readonly ids: readonly string[]
    }): Promise<readonly Reposted[]>
    /** Gives how many versions were appended. */
    append(argument: {
      readonly tenant: string
      readonly dataset: string
      readonly body: Uint8Array
      readonly form: TextForm
      readonly force: boolean
    }): Promise<number>
    /** Whether a system answers. */
    reach(argument: { readonly tenant: string; readonly system: string }): Promise<Reach>
    /** Folds what is new in the dataset into its shape. */
    shape(argument: { readonly tenant: string; readonly dataset: string }): Promise<DatasetShape | null>
    /** The same as JSON text, in the form of the types of pipes. */
    datasetType(argument: {
      readonly tenant: string
      readonly dataset: string
      readonly options: DocumentOptions
    }): Promise<string | null>
    /** What a table needs for entities of a pipe, or of a dataset; null: there is no such dataset. */
    schemaDefinition(argument: {
      readonly tenant: string
      readonly pipe?: string
      readonly dataset?: string
      readonly sampleSize: number
    }): Promise<SchemaDefinition | null>
    /** Makes sure that an index on a property is there and complete; gives its expression. */
    propertyIndex(argument: {
      readonly tenant: string
      readonly dataset: string
      readonly property: string
    }): Promise<string>
  }
  streams: {
    read(
      argument: { readonly tenant: string; readonly pipe: string; readonly query: PipeQuery },
      signal: AbortSignal,
    ): AsyncIterable<readonly string[]>
    publish(argument: PublishArgument, signal: AbortSignal): AsyncIterable<Uint8Array>
    /** The head of a microservice's answer, then its body. */
    forward(
      argument: { readonly tenant: string; readonly system: string; readonly request: ForwardRequest },
      signal: AbortSignal,
    ): AsyncIterable<ForwardHead | Uint8Array>
  }
}

export type PumpEvent =
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly details: Readonly<Record<string, unknown>>
    }
  /** Which pipe a number on the thread's sheet stands for. */
  | { readonly type: 'pipe'; readonly number: number; readonly tenant: string; readonly pipe: string }
  | {
      readonly type: 'progress'
      readonly tenant: string
      readonly pipe: string
      readonly read: number
      /** Of a rescan in the background. */
      readonly isRescan: boolean
    }
