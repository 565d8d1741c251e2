/** Makes a runnable pipe of an effective configuration, or says everything that is wrong with it. */

import type { Static, TObject } from 'typebox'
import { type compactionDefaults, compactionSchema } from '../config/compaction.ts'
import { checkComponent } from '../config/component.ts'
import { dependencyTracking } from '../config/metadata.ts'
import { pumpSchema } from '../config/pipe.ts'
import type { Problem } from '../config/problems.ts'
import type { DtlSettings, DtlTransform } from '../dtl/contract.ts'
import { type Dict, get, has, names } from '../model/dict.ts'
import { isDict, isList, isTrue, type Value } from '../model/value.ts'
import { type CompactionSettings, checkCompaction, compactionOf } from './compaction-settings.ts'
import type { NeededIndex, SinkType, SourceType } from './contract.ts'
import { fingerprintOf } from './fingerprint.ts'
import { checkHolding, type Holding, readHolding } from './holding-back.ts'
import { checkHops } from './hops-checks.ts'
import { hopsThresholdsOf, type TrackingSettings } from './hops-thresholds.ts'
import { explicitIndexes, IDS } from './indexes.ts'
import { isInternal } from './origin.ts'
import type {
  BreakerLimits,
  CompletenessSettings,
  ErrorSettings,
  Pipe,
  PipeSink,
  PipeSource,
  PipeState,
  PumpSettings,
  ReprocessingSettings,
} from './pipe.ts'
import { type Chosen, PipeParts } from './pipe-parts.ts'
import { readPump } from './pump-settings.ts'
import { checkPumpErrors, deadLettersOf, logSettingsOf, retrySettingsOf } from './retries/pump-settings.ts'
import type { RetryStrategy } from './retries/settings.ts'
import { schedulesItself } from './schedule.ts'
import { laterSinkTypes, sinkTypes } from './sinks/index.ts'
import { laterSourceTypes, sourceTypes } from './sources/index.ts'
import { planTracking } from './tracking/plan.ts'
import { trackingLimitsOf } from './tracking/thresholds.ts'

/** What the node says about all pipes. */
export interface NodeSettings {
  readonly namespacedIdentifiers: boolean
  readonly prefixes: Readonly<Record<string, string>>
  readonly signalsInternally: boolean
  /** `global_defaults.use_signalling_externally`: sources that do not say ask other hubs to be told of news. */
  readonly signalsExternally: boolean
  /** `global_defaults.enable_background_rescan`: for pipes that do not say. */
  readonly rescansInBackground: boolean
  /** `global_defaults.run_at_startup_if_not_populated`: for pumps that do not say. */
  readonly runsAtStartIfNotPopulated: boolean
  /** Every dataset has an index over the identities of its entities. */
  readonly indexesIds: boolean
  /** A deleted pipe takes along what is its own (`pipe_cleanup_after_deletion`). */
  readonly cleansUp: boolean
  /** `global_defaults.use_config_circuit_breaker`. */
  readonly guardsConfig: boolean
  /** `global_defaults.max_entity_bytes_size`. */
  readonly maxEntityBytes: number
  /** `global_defaults.max_merged`: for merge sources that do not say. */
  readonly maxMerged: number
  /** `global_defaults.if_source_empty` is `fail`: for sources that know the setting and do not say. */
  readonly failsWhenEmpty: boolean
  /** `global_defaults.require_populated_input`, likewise. */
  readonly requiresPopulatedInput: boolean
  /** `global_defaults.verify_ssl`, for systems that do not say it themselves. */
  readonly verifiesCertificates: boolean
  /** `global_defaults.trace_output`, for pipes that do not say it themselves. */
  readonly tracesOutput: boolean
  /** `global_defaults.infer_pipe_entity_types`, for pipes that do not say it themselves; null: as the mode of the hub has it. */
  readonly infersTypes: boolean | null
  /** `dependency_tracking` of the node, over which that of a pipe goes. */
  readonly dependencyTracking: TrackingSettings
  /** What becomes of pipes that are out of sync and do not say it themselves. */
  readonly reprocessing: { readonly isAutomatic: boolean; readonly rescansWhenConfigChanges: boolean }
  /** Defaults of `compaction`. */
  readonly compaction: Static<TObject<typeof compactionDefaults>>
}

export interface Built {
  /** Null when there is an error among the problems. */
  readonly pipe: Pipe | null
  readonly problems: readonly Problem[]
}

/** `strategyOf`: what a system says of errors. */
export function buildPipe(
  id: string,
  effective: Dict,
  node: NodeSettings,
  strategyOf: (system: string) => RetryStrategy | null = () => null,
): Built {
  const builder = new Builder(id, effective, node, strategyOf)
  const pipe = builder.build()
  return { pipe: builder.problems.some(({ level }) => level === 'error') ? null : pipe, problems: builder.problems }
}

class Builder {
  readonly #parts: PipeParts
  readonly #id: string
  readonly #effective: Dict
  readonly #node: NodeSettings
  readonly #strategyOf: (system: string) => RetryStrategy | null

  constructor(id: string, effective: Dict, node: NodeSettings, strategyOf: (system: string) => RetryStrategy | null) {
    this.#parts = new PipeParts(id, effective, node.maxMerged)
    this.#id = id
    this.#effective = effective
    this.#node = node
    this.#strategyOf = strategyOf
  }

  get problems(): readonly Problem[] {
    return this.#parts.problems
  }

  build(): Pipe | null {
    const settings = this.#settings()
    const source = this.#parts.component('source', sourceTypes, laterSourceTypes)
    const sink = this.#parts.component('sink', sinkTypes, laterSinkTypes)
    const placed = this.#parts.transforms(settings)
    const transforms = placed.map(({ transform }) => transform)
    if (source === null || sink === null) return null
    const pump = this.#pump(source, sink)
    const analyses = transforms.map(({ analysis }) => analysis)
    const namespaced = settings.namespacedIdentifiers
    const limits = this.#trackingSettings()
    const tracked = {
      source: this.#source(source, pump, settings),
      transforms,
      transformPointers: placed.map(({ pointer }) => pointer),
      settings,
      addNamespaces: this.#parts.flag('add_namespaces') ?? (namespaced && source.type.addsNamespaces),
    }
    const { plan: tracking, untracked, findings } = planTracking(tracked)
    for (const finding of findings) this.#parts.report(finding)
    const tracesOutput = this.#tracesOutput(source.type.type, sink.type.kind === 'dataset')
    const pipe: Pipe = {
      ...tracked,
      id: this.#id,
      sink: this.#sink(
        sink,
        settings,
        analyses.some(({ createsChildren }) => createsChildren),
      ),
      pump,
      errors: this.#errors(),
      settings,
      addNamespaces: this.#parts.flag('add_namespaces') ?? (namespaced && source.type.addsNamespaces),
      removeNamespaces: this.#parts.flag('remove_namespaces') ?? (namespaced && sink.type.removesNamespaces),
      batchSize: this.#parts.number('batch_size') ?? (sink.type.kind === 'dataset' ? 2_000 : 100),
      checkpointInterval: this.#parts.number('checkpoint_interval') ?? 1,
      reads: [...new Set(analyses.flatMap(({ datasets }) => datasets))],
      indexes: uniqueIndexes([
        ...this.#needs('source', source, settings),
        ...analyses.flatMap(({ indexes }) => indexes),
      ]),
      completeness: this.#completeness(),
      isGlobal: isGlobal(this.#effective),
      fingerprint: fingerprintOf(this.#effective, settings),
      reprocessing: this.#reprocessing(settings, source.type.adapts ?? false),
      compaction: this.#compaction(sink.type.kind === 'dataset'),
      isDurable: isDurable(this.#effective),
      isOffsetProtected: this.#parts.flag('disable_set_last_seen') ?? false,
      isOfUser: !isInternal(this.#effective),
      rescansInBackground: this.#rescansInBackground(source, sink, analyses, tracesOutput),
      tracesOutput,
      infersTypes: this.#parts.flag('infer_pipe_entity_types') ?? this.#node.infersTypes,
      models: modelsOf(this.#effective),
      tracking,
      untracked,
      trackingLimits: trackingLimitsOf(limits, this.#node.dependencyTracking),
      hopsThresholds: hopsThresholdsOf(limits, this.#node.dependencyTracking),
    }
    for (const finding of checkHops(pipe)) this.#parts.report(finding)
    return pipe
  }

  #trackingSettings(): TrackingSettings {
    const own = this.#parts.dict('dependency_tracking')
    const { value, problems } = checkComponent(dependencyTracking, own, { component: this.#id, pointer: '' })
    // What is wrong with them the schema of the pipe has said.
    return problems.some(({ level }) => level === 'error') ? {} : value
  }

  /** Whether rescans go on beside incremental runs, where that is asked for and can be. */
  #rescansInBackground(
    source: Chosen<SourceType>,
    sink: Chosen<SinkType>,
    analyses: readonly DtlTransform['analysis'][],
    tracesOutput: boolean,
  ): boolean {
    const own = this.#parts.flag('enable_background_rescan')
    if (!(own ?? this.#node.rescansInBackground)) return false
    const why = tracesOutput
      ? 'what each entity makes is noted (trace_output)'
      : whyNotInBackground(source, sink, analyses)
    if (why !== null && own === true) {
      const message = `Rescans of the pipe are not done in the background: ${why}.`
      this.#parts.report({ level: 'warning', pointer: '/enable_background_rescan', message })
    }
    return why === null
  }

  #source({ type, config }: Chosen<SourceType>, pump: PumpSettings, settings: DtlSettings): PipeSource {
    const inputs = type.inputs(config)
    const plain = config as Record<string, unknown>
    const explicit = plain.supports_signalling as boolean | undefined
    const isInternal = get(this.#parts.dict('sink'), 'type') === 'dataset'
    const initial = plain.initial_since_value as string | number | undefined
    return {
      type: type.type,
      config: plain,
      continuation: type.continuation(config),
      inputs,
      signalled:
        inputs.length > 0 && (explicit ?? (this.#node.signalsInternally && isInternal && !schedulesItself(pump))),
      requiresPopulatedInput: this.#ownOr(type, 'require_populated_input', true, this.#node.requiresPopulatedInput),
      failsWhenEmpty: this.#ownOr(type, 'if_source_empty', 'fail', this.#node.failsWhenEmpty),
      initialSince: initial === undefined ? null : String(initial),
      origin: type.origin?.(config) ?? null,
      holding: this.#holding(plain, settings),
      adapts: type.adapts ?? false,
      populated: (snapshot) => type.populated?.(config, snapshot) ?? true,
      subscribes:
        type.subscribe !== undefined && (explicit ?? (this.#node.signalsExternally && !schedulesItself(pump))),
      subscribe: async (surroundings, since, webhook, signal) =>
        type.subscribe?.(config, surroundings, since, webhook, signal),
      end: type.end === undefined ? null : (snapshot) => type.end?.(config, snapshot) ?? null,
      beside: stateBeside(type, config),
      open: (surroundings) => type.open(config, surroundings),
    }
  }

  #holding(source: Record<string, unknown>, settings: DtlSettings): Holding {
    const { holding, findings } = readHolding(source, settings)
    const sink = this.#parts.dict('sink')
    const tracksDeletions = get(sink, 'type') === 'dataset' && get(sink, 'deletion_tracking') !== false
    for (const finding of [...findings, ...checkHolding(holding, tracksDeletions)]) {
      this.#parts.report({ ...finding, pointer: `/source${finding.pointer}` })
    }
    return holding
  }

  /** Exclusion wins (hub.md §11). */
  /** Of a receiver each request is on its own, and what another system holds is its own: there is nothing to compare with. */
  #tracesOutput(source: string, writesDataset: boolean): boolean {
    const own = this.#parts.flag('trace_output')
    const isPossible = writesDataset && source !== 'http_endpoint'
    if (own === true && !isPossible) {
      this.#parts.report({
        level: 'error',
        pointer: '/trace_output',
        message: writesDataset ? 'A receiver does not trace its output.' : 'Only what goes into a dataset is traced.',
        hint: 'Set it on a pipe that reads a dataset and writes one.',
      })
    }
    return isPossible && (own ?? this.#node.tracesOutput)
  }

  #completeness(): CompletenessSettings {
    const ids = (name: string) => {
      const given = get(this.#effective, name) ?? null
      return isList(given) ? given.filter((id) => typeof id === 'string') : null
    }
    const [include, exclude] = [ids('include_completeness'), ids('exclude_completeness') ?? []]
    for (const [place, id] of (include ?? []).entries()) {
      if (!exclude.includes(id)) continue
      const message = `The dataset '${id}' is both included and excluded: it is excluded.`
      this.#parts.report({ level: 'warning', pointer: `/include_completeness/${place}`, message })
    }
    return { include, exclude }
  }

  #compaction(writesDataset: boolean): CompactionSettings {
    const given = this.#parts.dict('compaction')
    const { value, problems } = checkComponent(compactionSchema, given, { component: this.#id, pointer: '/compaction' })
    this.#parts.problems.push(...problems)
    const settings = compactionOf(value, this.#node.compaction)
    for (const finding of checkCompaction(settings)) {
      // The node's own mistake is not told once more for each of its pipes.
      const isOwn = has(given, 'keep_versions') || has(given, 'time_threshold_hours')
      if (isOwn) this.#parts.report({ ...finding, pointer: `/compaction${finding.pointer}` })
    }
    const idle = names(given).filter((name) => name !== 'time_threshold_hours_pump' && name !== 'comment')
    if (!writesDataset && idle.length > 0) {
      this.#parts.report({
        level: 'warning',
        pointer: '/compaction',
        message: 'It has no effect: the pipe does not write a dataset.',
      })
    }
    return settings
  }

  /** Whether the source has the setting at that value; the node's default speaks where the source knows it and is silent. */
  #ownOr(type: SourceType, name: string, value: Value, byDefault: boolean): boolean {
    if (!(name in type.config.properties)) return false
    return (get(this.#parts.dict('source'), name) ?? (byDefault ? value : null)) === value
  }

  #needs(
    part: 'source' | 'sink',
    { type, config }: Chosen<SourceType | SinkType>,
    settings: DtlSettings,
  ): readonly NeededIndex[] {
    const needs = type.needs?.(config, settings)
    for (const finding of needs?.findings ?? [])
      this.#parts.report({ ...finding, pointer: `/${part}${finding.pointer}` })
    return needs?.indexes ?? []
  }

  /** Those that the sink names, and that of all identities where the node wants it of every dataset. */
  #sinkIndexes(sink: Chosen<SinkType>, dataset: string, settings: DtlSettings): readonly string[] {
    const always = this.#node.indexesIds ? explicitIndexes(dataset, IDS, settings).indexes : []
    return uniqueIndexes([...this.#needs('sink', sink, settings), ...always]).map(({ expression }) => expression)
  }

  #sink(sink: Chosen<SinkType>, settings: DtlSettings, createsChildren: boolean): PipeSink {
    const { type, config } = sink
    const plain = config as Record<string, unknown>
    if (type.kind === 'dataset') {
      return {
        kind: 'dataset',
        type: type.type,
        dataset: plain.dataset as string,
        indexes: this.#sinkIndexes(sink, plain.dataset as string, settings),
        deletionTracking: plain.deletion_tracking as boolean,
        markDeletionTracked: plain.mark_deletion_tracked as boolean,
        tracksChildren: (plain.track_children as boolean | undefined) ?? createsChildren,
        bitsetCommitInterval: plain.bitset_commit_interval as number,
        populatedWhen: plain.set_initial_offset as 'if-source-populated',
        rules: {
          maxEntityBytes: (plain.max_entity_bytes_size as number | undefined) ?? this.#node.maxEntityBytes,
          secondVersions: secondVersionsOf(plain.prevent_multiple_versions),
          isLocked: plain.enable_optimistic_locking === true,
        },
        suppressesFiltered: (plain.suppress_filtered as boolean | undefined) ?? null,
        breaker: breakerOf(plain),
      }
    }
    if (type.kind === 'publisher') return { kind: 'publisher', type: type.type, config: plain }
    return {
      kind: 'external',
      type: type.type,
      system: plain.system as string | undefined,
      open: (surroundings, run) => {
        if (type.open === undefined) throw new TypeError(`The sink type '${type.type}' cannot be opened.`)
        return type.open(config, surroundings, run)
      },
    }
  }

  #reprocessing(settings: DtlSettings, adapts: boolean): ReprocessingSettings {
    const { reprocessing } = this.#node
    const policy = get(this.#effective, 'reprocessing_policy') ?? null
    const own = this.#parts.flag('rescan_when_config_changes')
    const isAutomatic = policy === null ? reprocessing.isAutomatic : policy === 'automatic'
    if (own === true && !isAutomatic) {
      this.#parts.report({
        level: 'warning',
        pointer: '/rescan_when_config_changes',
        message: 'It does nothing: the pipe goes on when it is out of sync.',
        hint: 'Set "reprocessing_policy": "automatic".',
      })
    }
    return {
      policy: isAutomatic ? 'automatic' : 'continue',
      rescansWhenConfigChanges: own ?? reprocessing.rescansWhenConfigChanges,
      fingerprint: fingerprintOf(this.#effective, settings, { withSource: !adapts }),
    }
  }

  #pump({ type, config }: Chosen<SourceType>, { type: sink }: Chosen<SinkType>): PumpSettings {
    const { settings, findings } = readPump(this.#parts.dict('pump'), {
      isInternal: type.inputs(config).length > 0 && sink.kind === 'dataset',
      isExternal: type.type !== 'http_endpoint' && sink.kind !== 'publisher' && (asksSystem(type) || asksSystem(sink)),
      supportsSince: type.continuation(config).supportsSince,
      writesDataset: sink.kind === 'dataset',
      chance: chanceOf(this.#id),
      runAtStartupIfNotPopulated: this.#node.runsAtStartIfNotPopulated,
    })
    for (const finding of findings) this.#parts.report({ ...finding, pointer: `/pump${finding.pointer}` })
    return settings
  }

  /** What is wrong with the pump itself was found before. */
  #errors(): ErrorSettings {
    const definition = this.#parts.dict('pump')
    const pump = checkComponent(pumpSchema, definition, { component: this.#id, pointer: '/pump' }).value
    const strategies = { read: this.#strategy('source'), write: this.#strategy('sink') }
    for (const finding of checkPumpErrors(definition, pump, strategies)) this.#parts.report(finding)
    return {
      retries: retrySettingsOf(pump),
      deadLetters: deadLettersOf(this.#id, pump),
      maxSecondsPerEntity: pump.max_seconds_per_entity ?? null,
      log: logSettingsOf(pump),
      definition,
    }
  }

  #strategy(part: 'source' | 'sink'): RetryStrategy | null {
    const system = get(this.#parts.dict(part), 'system')
    return typeof system === 'string' ? this.#strategyOf(system) : null
  }

  #settings(): DtlSettings {
    const namespaces = this.#parts.dict('namespaces')
    const text = (name: string) => {
      const value = get(namespaces, name)
      return typeof value === 'string' ? value : this.#id
    }
    return {
      pipe: this.#id,
      namespacedIdentifiers: this.#parts.flag('namespaced_identifiers') ?? this.#node.namespacedIdentifiers,
      namespaces: { identity: text('identity'), property: text('property') },
      prefixes: this.#node.prefixes,
    }
  }
}

function isGlobal(effective: Dict): boolean {
  const metadata = get(effective, 'metadata')
  return isDict(metadata) && isTrue(get(metadata, 'global') ?? false)
}

function isDurable(effective: Dict): boolean {
  const metadata = get(effective, 'metadata')
  return isDict(metadata) && get(metadata, 'durable') === true
}

/** `metadata.models`: the models that it says it belongs to; null: it does not say. */
function modelsOf(effective: Dict): readonly string[] | null {
  const metadata = get(effective, 'metadata')
  const models = isDict(metadata) ? (get(metadata, 'models') ?? null) : null
  return isList(models) ? models.filter((model) => typeof model === 'string') : null
}

/** A system may be named in an embedded source, but is not asked. */
const asksSystem = ({ type, config }: SourceType | SinkType): boolean =>
  'system' in config.properties && type !== 'embedded'

/** Why a rescan runs alone whatever is asked for, or null. */
function whyNotInBackground(
  source: Chosen<SourceType>,
  sink: Chosen<SinkType>,
  analyses: readonly DtlTransform['analysis'][],
): string | null {
  if (sink.type.kind !== 'dataset') return 'the pipe does not write a dataset'
  if (!source.type.continuation(source.config).supportsSince) return 'each run reads everything'
  if (source.type.keepsState === true) {
    const why = source.type.beside?.whyNot(source.config) ?? null
    if (source.type.beside === undefined) return `a source of type '${source.type.type}' has one state for all its runs`
    if (why !== null) return why
  }
  const isGuarded = breakerOf(sink.config as Record<string, unknown>) !== null
  return isGuarded || analyses.some(({ trips }) => trips) ? 'a circuit breaker holds back what one run writes' : null
}

function stateBeside({ beside }: SourceType, config: Chosen<SourceType>['config']): PipeState | null {
  if (beside === undefined) return null
  return {
    isOther: (surroundings) => beside.isOther(config, surroundings),
    exchange: (surroundings) => beside.exchange(config, surroundings),
  }
}

const secondVersionsOf = (given: unknown): 'refuse' | 'ignore' | null =>
  given === true ? 'refuse' : given === 'ignore' ? 'ignore' : null

function breakerOf(config: Readonly<Record<string, unknown>>): BreakerLimits | null {
  const factor = (config.circuit_breaker_threshold_factor as number | null | undefined) ?? null
  const count = (config.circuit_breaker_threshold_count as number | null | undefined) ?? null
  return factor === null && count === null ? null : { factor, count }
}

/** Each index once, as the one that asks most of it needs it. */
function uniqueIndexes(indexes: readonly NeededIndex[]): NeededIndex[] {
  const unique = new Map<string, NeededIndex>()
  for (const index of indexes) {
    const name = `${index.dataset} ${index.expression}`
    if (unique.get(name)?.feeds !== true) unique.set(name, index)
  }
  return [...unique.values()]
}

/** A number in [0, 1) that is always the same for a pipe, so that starts are spread and yet repeatable. */
function chanceOf(id: string): number {
  let hash = 2166136261
  for (let place = 0; place < id.length; place++) hash = Math.imul(hash ^ id.charCodeAt(place), 16777619)
  return (hash >>> 0) / 4294967296
}
