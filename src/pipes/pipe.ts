/** A pipe as the engine runs it: its configuration checked, its components chosen, its programs compiled. */

import type { DtlSettings } from '../dtl/contract.ts'
import type { Snapshot } from '../log/contract.ts'
import type { Dict } from '../model/dict.ts'
import type { CompactionSettings } from './compaction-settings.ts'
import type {
  Continuation,
  Exchange,
  NeededIndex,
  OpenSink,
  OpenSource,
  Origin,
  SinkRun,
  StateSurroundings,
  Surroundings,
  Webhook,
} from './contract.ts'
import type { Cron } from './cron-parse.ts'
import type { Holding } from './holding-back.ts'
import type { HopsThresholds } from './hops-meter.ts'
import type { DeadLetterSettings, LogSettings } from './retries/pump-settings.ts'
import type { RetrySettings } from './retries/settings.ts'
import type { TrackingPlan, Untracked } from './tracking/plan.ts'
import type { TrackingLimits } from './tracking/thresholds.ts'
import type { PipeTransform } from './transforms/contract.ts'

export interface Pipe {
  readonly id: string
  readonly source: PipeSource
  readonly transforms: readonly PipeTransform[]
  /** Where each stands in the configuration. */
  readonly transformPointers: readonly string[]
  readonly sink: PipeSink
  readonly pump: PumpSettings
  readonly errors: ErrorSettings
  readonly settings: DtlSettings
  readonly addNamespaces: boolean
  readonly removeNamespaces: boolean
  readonly batchSize: number
  /** Batches between two saved offsets. */
  readonly checkpointInterval: number
  /** Datasets its programs read: all must be populated before it runs (hub.md §2.4). */
  readonly reads: readonly string[]
  /** Indexes that a run reads through: complete before it begins. */
  readonly indexes: readonly NeededIndex[]
  readonly completeness: CompletenessSettings
  readonly isGlobal: boolean
  /** Of what it does with entities: of its source, transforms, sink and names, not of when it runs. */
  readonly fingerprint: string
  readonly reprocessing: ReprocessingSettings
  readonly compaction: CompactionSettings
  /** `metadata.durable`: its dataset's document shows it; every commit is on disk before it is answered anyway. */
  readonly isDurable: boolean
  /** Nobody sets or resets its offset by hand (`disable_set_last_seen`). */
  readonly isOffsetProtected: boolean
  /** Somebody's own, and not one that the hub made for itself (rest-api.md §2.1, `metadata.origin`). */
  readonly isOfUser: boolean
  /** A rescan runs beside incremental runs (`enable_background_rescan`). */
  readonly rescansInBackground: boolean
  /** It remembers what it made of each source entity, and deletes what it no longer makes of it. */
  readonly tracesOutput: boolean
  /** What its entities look like is counted; null: unless the hub is in developer mode. */
  readonly infersTypes: boolean | null
  /** Models that its types are part of, by `metadata.models`; null: by what kind of pipe it is, and by its name. */
  readonly models: readonly string[] | null
  /** The ways back from what it hops to; null: nothing is followed. */
  readonly tracking: TrackingPlan | null
  /** Hops some of whose changes run nothing again. */
  readonly untracked: readonly Untracked[]
  readonly trackingLimits: TrackingLimits
  /** What one evaluation of a hops may collect; null: as much as it finds. */
  readonly hopsThresholds: HopsThresholds | null
}

/** What becomes of a pipe that is out of sync (hub.md §12). */
export interface ReprocessingSettings {
  /** With `automatic` it is reset also when dependency tracking finds more than it may. */
  readonly policy: 'continue' | 'automatic'
  readonly rescansWhenConfigChanges: boolean
  /** Of what it does with entities, but for what its source notices itself. */
  readonly fingerprint: string
}

/** Whose completeness its dataset inherits (hub.md §11). */
export interface CompletenessSettings {
  /** Null: all that it reads. */
  readonly include: readonly string[] | null
  readonly exclude: readonly string[]
}

export interface PipeSource {
  readonly type: string
  readonly continuation: Continuation
  readonly inputs: readonly string[]
  readonly signalled: boolean
  readonly requiresPopulatedInput: boolean
  readonly failsWhenEmpty: boolean
  readonly initialSince: string | null
  readonly holding: Holding
  /** See the type of the source. */
  readonly adapts: boolean
  readonly config: Readonly<Record<string, unknown>>
  /** Null: what it gives cannot be followed back to entities of its inputs. */
  readonly origin: Origin | null
  /** Its state, beside which a rescan makes another; null: it keeps none. */
  readonly beside: PipeState | null
  populated(snapshot: Snapshot): boolean
  /** The offset behind everything that is there, or null when nothing is; null as a whole: nobody knows. */
  readonly end: ((snapshot: Snapshot) => string | null) | null
  /** It is to be told by another hub when there is more. */
  readonly subscribes: boolean
  subscribe(surroundings: Surroundings, since: string | null, webhook: Webhook, signal: AbortSignal): Promise<void>
  open(surroundings: Surroundings): OpenSource
}

export interface PipeState {
  /** It was made with another configuration. */
  isOther(surroundings: StateSurroundings): boolean
  exchange(surroundings: StateSurroundings): Exchange
}

export type PipeSink =
  | {
      readonly kind: 'dataset'
      readonly type: string
      readonly dataset: string
      /** Texts of the indexes that the dataset has because the configuration says so. */
      readonly indexes: readonly string[]
      readonly deletionTracking: boolean
      readonly markDeletionTracked: boolean
      /** Children that are gone stay in `$children`, deleted. */
      readonly tracksChildren: boolean
      /** Entities after which a full run saves what it saw, at the latest. */
      readonly bitsetCommitInterval: number
      readonly populatedWhen: 'if-source-populated' | 'never' | 'always' | 'initially' | 'onload'
      readonly rules: WriteRules
      /** Whether filtered entities are not handed on; null: see {@link suppressesFiltered}. */
      readonly suppressesFiltered: boolean | null
      readonly breaker: BreakerLimits | null
    }
  | { readonly kind: 'publisher'; readonly type: string; readonly config: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'external'
      readonly type: string
      /** The system that it writes to. */
      readonly system: string | undefined
      open(surroundings: Surroundings, run: SinkRun): OpenSink
    }

/** What a dataset sink asks of the entities it writes (hub.md §15.1). */
export interface WriteRules {
  readonly maxEntityBytes: number
  /** What becomes of a second version of an entity; null: it is stored. */
  readonly secondVersions: 'refuse' | 'ignore' | null
  /** `_updated` of each entity must be that of the latest version. */
  readonly isLocked: boolean
}

/** How much a run may write, of which the larger counts: a factor of the entities there are, and a number of versions. */
export interface BreakerLimits {
  readonly factor: number | null
  readonly count: number | null
}

export interface PumpSettings {
  readonly mode: 'scheduled' | 'manual' | 'off'
  readonly intervalMs: number
  /** The configuration names the interval. */
  readonly intervalIsExplicit: boolean
  /** Goes over the interval. */
  readonly cron: CronSchedule | null
  readonly rescanRunCount: number | null
  readonly rescanCron: CronSchedule | null
  readonly partialRescan: PartialRescan | null
  readonly runAtStartup: boolean
  readonly runAtStartupIfNotPopulated: boolean
}

export interface CronSchedule {
  /** As it was written. */
  readonly text: string
  readonly cron: Cron
}

/** Every so many runs go back a part of the way: a number is taken from the offset, or as many seconds. */
export interface PartialRescan {
  readonly runCount: number
  readonly delta: number
}

/** What a run does about errors, and what it tells of itself. */
export interface ErrorSettings {
  readonly retries: RetrySettings
  readonly deadLetters: DeadLetterSettings | null
  /** A batch whose transforms take longer for an entity, on average, is an error; null: they take their time. */
  readonly maxSecondsPerEntity: number | null
  readonly log: LogSettings
  /** The pump as it is configured, for the log. */
  readonly definition: Dict
}

/** Its entities come when somebody sends them; its pump has nothing to read (hub.md §3.2). */
export const isReceiver = (pipe: Pipe): boolean => pipe.source.type === 'http_endpoint'

/**
 * Whether it may store a request piece by piece: not where the request is compared, answered or held back as a whole.
 */
export const takesLong = ({ sink, transforms }: Pipe): boolean =>
  sink.kind === 'dataset' &&
  !sink.rules.isLocked &&
  sink.breaker === null &&
  !transforms.some(({ analysis }) => analysis.trips)

/** Its entities go to whoever asks; its pump has nothing to do (hub.md §3.2). */
export const isPublisher = (pipe: Pipe): boolean => pipe.sink.kind === 'publisher'

/**
 * Whether a run leaves filtered entities out (`suppress_filtered`). Where the sink is silent, a full run over a dataset
 * without its previous versions does: what is filtered counts as not seen, and deletion tracking takes it away.
 */
export function suppressesFiltered({ source, sink }: Pipe, isFull: boolean): boolean {
  if (sink.kind !== 'dataset') return false
  const byDefault = isFull && source.type === 'dataset' && source.config.include_previous_versions !== true
  return sink.suppressesFiltered ?? byDefault
}

export const runsByPump = (pipe: Pipe): boolean => !isReceiver(pipe) && !isPublisher(pipe)
