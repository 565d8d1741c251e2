/** Turns configuration text into everything a hub runs: pipes, systems, and what is wrong with each. Every thread does it for itself. */

import type { Static } from 'typebox'
import { compactionSchema } from '../config/compaction.ts'
import { checkComponent } from '../config/component.ts'
import { effectiveComponent } from '../config/effective.ts'
import { type Component, type ConfigurationInput, parseConfiguration } from '../config/files.ts'
import {
  globalDefaultsSchema,
  metadataSchema,
  taskManagerSchema,
  unsupportedOfGlobalDefaults,
  unsupportedOfMetadata,
} from '../config/metadata.ts'
import type { NotificationSettings } from '../config/notifications.ts'
import { pipeSchema, pumpSchema, unsupportedOfPipe, unsupportedOfPump } from '../config/pipe.ts'
import { didYouMean, type Problem } from '../config/problems.ts'
import { type Dict, dictOf, entries, get, newDict } from '../model/dict.ts'
import { builtinNamespaces } from '../model/iri.ts'
import { type JsonError, parseJson } from '../model/json.ts'
import { isDict } from '../model/value.ts'
import { buildPipe, type NodeSettings } from '../pipes/build.ts'
import { checkCompaction, compactionOf, nodeCompaction } from '../pipes/compaction-settings.ts'
import type { Inexact } from '../pipes/exactness/reason.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { buildSystem } from '../pipes/systems/build.ts'
import type { DeployedSystem } from '../pipes/systems/pool.ts'
import { permissionProblems } from './access/configured.ts'
import { HubError } from './errors.ts'
import { NetworkExactness } from './exactness.ts'
import { isTimeZone } from './notifications/quiet.ts'
import type { TaskManager } from './task-manager.ts'

export interface DeployedComponent {
  readonly component: Component
  readonly effective: Dict
  readonly problems: readonly Problem[]
}

export interface DeployedPipe extends DeployedComponent {
  /** Null when its configuration has errors: it is kept and shown, and does not run. */
  readonly pipe: Pipe | null
  /** Why it is not exact, as far as the configuration says; none for an exact one, and for one with errors. */
  readonly inexact: readonly Inexact[]
}

export interface Deployment {
  readonly components: readonly Component[]
  readonly pipes: ReadonlyMap<string, DeployedPipe>
  /** Datasets that pipes write, those with errors too. */
  readonly written: ReadonlySet<string>
  readonly systems: ReadonlyMap<string, DeployedSystem & DeployedComponent>
  readonly metadata: DeployedComponent
  readonly node: NodeSettings
  /** Which pumps run by themselves. */
  readonly tasks: TaskManager
  /** How it tells people and programs what happens; null where nothing, or nothing right, is said. */
  readonly notifications: NotificationSettings | null
  readonly problems: readonly Problem[]
  /** Folder that relative `file:` addresses start from; null for configuration that came over the network. */
  readonly folder: string | null
  /** Values of `$ENV(…)`. */
  readonly variables: Dict
}

/** `env` is the text of a JSON object; code `bad-env` when it is not. */
export function deploy(input: ConfigurationInput, env: string, folder: string | null): Deployment {
  const { components, problems: syntax } = parseConfiguration(input)
  const variables = variablesOf(env)
  const { metadata, node, tasks, notifications } = deployMetadata(components, variables)
  const systems = new Map(
    components.filter(({ type }) => type.startsWith('system:')).map((one) => [one.id, deploySystem(one, variables)]),
  )
  const pipes = new Map(
    components.filter(({ type }) => type === 'pipe').map((one) => [one.id, deployPipe(one, variables, node, systems)]),
  )
  const all = new Map(checkTogether(pipes))
  const problems = [
    ...syntax,
    ...metadata.problems,
    ...[...systems.values()].flatMap((system) => system.problems),
    ...[...all.values()].flatMap((pipe) => pipe.problems),
  ]
  return {
    components,
    pipes: all,
    written: new Set(writersOf(pipes).keys()),
    systems,
    metadata,
    node,
    tasks,
    notifications,
    problems,
    folder,
    variables,
  }
}

/**
 * One pipe as it would be with another configuration beside all others, compiled anew; without one as it is. Codes:
 * unknown-pipe, bad-json, bad-request.
 */
export function deployAlone(deployment: Deployment, id: string, config: string | null): DeployedPipe {
  const alone = deployUnchecked(deployment, id, config)
  return new Map(checkTogether(new Map(deployment.pipes).set(id, alone))).get(id) as DeployedPipe
}

/** The same without a look at the others: what it reads, and not whether it suits them. */
export function deployUnchecked(
  { pipes, systems, node, variables }: Deployment,
  id: string,
  config: string | null,
): DeployedPipe {
  const component = config === null ? pipes.get(id)?.component : pipeComponent(id, config)
  if (component === undefined) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
  return deployPipe(component, variables, node, systems)
}

/** An edited configuration need not repeat what it is of. */
function pipeComponent(id: string, text: string): Component {
  const original = parseJson(text, { transit: false })
  const given = isDict(original) ? original : newDict()
  const named = get(given, '_id') ?? id
  if (!isDict(original) || named !== id || (get(given, 'type') ?? 'pipe') !== 'pipe') {
    throw new HubError('bad-request', `What was sent is not the configuration of the pipe '${id}'.`, {
      hint: `Send a JSON object with "_id": "${id}" and "type": "pipe".`,
    })
  }
  return { id, type: 'pipe', text, original: dictOf([...entries(given), ['_id', id], ['type', 'pipe']]) }
}

function variablesOf(env: string): Dict {
  try {
    const variables = parseJson(env, { transit: false })
    if (isDict(variables)) return variables
  } catch (error) {
    throw new HubError('bad-env', `Environment variables (env.json): ${(error as JsonError).message}`, {
      cause: error,
    })
  }
  throw new HubError('bad-env', 'The environment variables (env.json) are a JSON object: name to value.')
}

function deployMetadata(components: readonly Component[], env: Dict) {
  const component: Component = components.find(({ type }) => type === 'metadata') ?? {
    id: 'node',
    type: 'metadata',
    text: '{"_id":"node","type":"metadata"}',
    original: dictOf({ _id: 'node', type: 'metadata' }),
  }
  const { value, problems } = effectiveComponent(component, env)
  const place = { component: component.id, pointer: '' }
  const checked = checkComponent(metadataSchema, value, { ...place, unsupported: unsupportedOfMetadata })
  const defaults = part(value, 'global_defaults')
  const defaultsChecked = checkComponent(globalDefaultsSchema, defaults, {
    component: component.id,
    pointer: '/global_defaults',
    unsupported: unsupportedOfGlobalDefaults,
  })
  const tasks = checkComponent(taskManagerSchema, part(value, 'task_manager'), {
    component: component.id,
    pointer: '/task_manager',
  })
  const { namespaced_identifiers, namespaces } = checked.value
  const node: NodeSettings = {
    namespacedIdentifiers: namespaced_identifiers === true,
    prefixes: { ...builtinNamespaces, ...namespaces?.default },
    guardsConfig: defaultsChecked.value.use_config_circuit_breaker === true,
    maxEntityBytes: defaultsChecked.value.max_entity_bytes_size,
    maxMerged: defaultsChecked.value.max_merged,
    signalsInternally: defaultsChecked.value.use_signalling_internally !== false,
    rescansInBackground: defaultsChecked.value.enable_background_rescan === true,
    signalsExternally: defaultsChecked.value.use_signalling_externally === true,
    runsAtStartIfNotPopulated: defaultsChecked.value.run_at_startup_if_not_populated === true,
    indexesIds: defaultsChecked.value.always_index_ids === true,
    failsWhenEmpty: defaultsChecked.value.if_source_empty === 'fail',
    cleansUp: checked.value.pipe_cleanup_after_deletion !== false,
    tracesOutput: defaultsChecked.value.trace_output === true,
    infersTypes: defaultsChecked.value.infer_pipe_entity_types ?? null,
    requiresPopulatedInput: defaultsChecked.value.require_populated_input === true,
    dependencyTracking: hasErrors(checked.problems) ? {} : (checked.value.dependency_tracking ?? {}),
    reprocessing: {
      isAutomatic: defaultsChecked.value.reprocessing_policy === 'automatic',
      rescansWhenConfigChanges: defaultsChecked.value.rescan_when_config_changes === true,
    },
    // What is wrong with them must not become a rule by which versions go.
    compaction: hasErrors(defaultsChecked.problems) ? nodeCompaction : defaultsChecked.value,
  }
  const idle = checkCompaction(compactionOf(checkComponent(compactionSchema, newDict(), place).value, node.compaction))
  const without = idle.map((finding) => ({
    ...finding,
    component: component.id,
    pointer: '/global_defaults/compaction_keep_versions',
  }))
  const zones = checkTimeZone(checked.value.notifications?.quiet_hours?.time_zone, component.id)
  const found = beyond(problems, [
    ...checked.problems,
    ...zones,
    ...defaultsChecked.problems,
    ...without,
    ...tasks.problems,
  ])
  const effective = dictOf([...entriesBut(value, 'global_defaults'), ['global_defaults', defaults]])
  return {
    metadata: { component, effective, problems: located(found, component) },
    node,
    tasks: tasksOf(tasks.value),
    notifications: hasErrors([...checked.problems, ...zones]) ? null : (checked.value.notifications ?? null),
  }
}

function checkTimeZone(zone: string | undefined, component: string): readonly Problem[] {
  if (zone === undefined || isTimeZone(zone)) return []
  const message = `There is no time zone '${zone}'.`
  const hint = 'Name one as the tz database does, such as "Europe/Oslo".'
  return [{ level: 'error', component, pointer: '/notifications/quiet_hours/time_zone', message, hint }]
}

const tasksOf = ({ disable_pump_scheduler, disable_user_pipes }: Static<typeof taskManagerSchema>): TaskManager => ({
  disablesPumps: disable_pump_scheduler === true,
  disablesUserPipes: disable_user_pipes === true,
})

function deploySystem(component: Component, env: Dict): DeployedSystem & DeployedComponent {
  const { value, problems } = effectiveComponent(component, env)
  const built = buildSystem(component.id, value)
  const own = [...built.problems, ...permissionProblems(component.id, value)]
  const found = located(beyond(problems, own), component)
  return { ...built.system, ...(hasErrors(found) ? { open: null } : {}), component, effective: value, problems: found }
}

function deployPipe(
  component: Component,
  env: Dict,
  node: NodeSettings,
  systems: ReadonlyMap<string, DeployedSystem>,
): DeployedPipe {
  const { value, problems } = effectiveComponent(component, env)
  const place = { component: component.id, pointer: '', unsupported: unsupportedOfPipe }
  const found: Problem[] = [
    ...checkComponent(pipeSchema, value, place).problems,
    ...permissionProblems(component.id, value),
  ]
  const pumpPlace = { component: component.id, pointer: '/pump', unsupported: unsupportedOfPump }
  const pump = get(value, 'pump')
  if (isDict(pump)) found.push(...checkComponent(pumpSchema, pump, pumpPlace).problems)
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,61}$/.test(component.id)) {
    found.push({
      level: 'warning',
      component: component.id,
      pointer: '/_id',
      message: `The id '${component.id}' should hold letters, digits and '-' only, 62 at most.`,
    })
  }
  for (const name of ['source', 'sink']) {
    const system = get(part(value, name), 'system')
    if (typeof system === 'string' && !systems.has(system) && get(part(value, name), 'type') !== 'embedded') {
      const hint = didYouMean(system, systems.keys())
      found.push({
        level: 'error',
        component: component.id,
        pointer: `/${name}/system`,
        message: `There is no system '${system}'.`,
        ...(hint === undefined ? {} : { hint }),
      })
    }
  }
  const strategyOf = (system: string) => systems.get(system)?.retryStrategy ?? null
  const isReadable = isDict(get(value, 'source')) && isDict(get(value, 'sink'))
  const built = isReadable ? buildPipe(component.id, value, node, strategyOf) : { pipe: null, problems: [] }
  found.push(...built.problems, ...unknownSystems(component.id, built.pipe, systems))
  const all = beyond(problems, found)
  return {
    component,
    effective: value,
    pipe: hasErrors(all) ? null : built.pipe,
    inexact: [],
    problems: located(all, component),
  }
}

/** Systems that its transforms ask, and that are not there. */
function unknownSystems(id: string, pipe: Pipe | null, systems: ReadonlyMap<string, DeployedSystem>): Problem[] {
  const { transforms = [], transformPointers = [] } = pipe ?? {}
  return transforms.flatMap(({ asking }, place) => {
    if (asking === undefined || systems.has(asking.system)) return []
    const hint = didYouMean(asking.system, systems.keys())
    return [
      {
        level: 'error' as const,
        component: id,
        pointer: `${transformPointers[place]}/system`,
        message: `There is no system '${asking.system}'.`,
        ...(hint === undefined ? {} : { hint }),
      },
    ]
  })
}

/** What is wrong with the null in the place of a variable that is not defined is not news. */
function beyond(first: readonly Problem[], later: readonly Problem[]): readonly Problem[] {
  const places = new Set(first.map(({ pointer }) => pointer))
  return [...first, ...later.filter(({ pointer }) => !places.has(pointer))]
}

/** What only shows when pipes are seen together: two writers of one dataset, and reads of datasets that nobody writes. */
function* checkTogether(pipes: ReadonlyMap<string, DeployedPipe>): Generator<readonly [string, DeployedPipe]> {
  const writers = writersOf(pipes)
  const exactness = new NetworkExactness([...pipes.values()].flatMap(({ pipe }) => pipe ?? []))
  for (const [id, deployed] of pipes) {
    const { pipe, component } = deployed
    if (pipe === null) {
      yield [id, deployed]
      continue
    }
    const found: Problem[] = []
    const report = (level: Problem['level'], pointer: string, message: string, hint?: string) =>
      found.push({ level, component: id, pointer, message, ...(hint === undefined ? {} : { hint }) })
    if (pipe.sink.kind === 'dataset' && writers.get(pipe.sink.dataset) !== id) {
      const other = writers.get(pipe.sink.dataset)
      report('error', '/sink/dataset', `The dataset '${pipe.sink.dataset}' is written by pipe '${other}' already.`)
    }
    const letters = pipe.errors.deadLetters?.dataset
    if (letters !== undefined) {
      const isOwnSink = pipe.sink.kind === 'dataset' && pipe.sink.dataset === letters
      const other = writers.get(letters)
      const hint = 'Dead letters have a dataset of their own for each pipe.'
      if (isOwnSink) report('error', '/pump/dead_letter_dataset', 'Dead letters and entities are one dataset.', hint)
      else if (other !== undefined && other !== id) {
        report(
          'error',
          '/pump/dead_letter_dataset',
          `The dataset '${letters}' is written by pipe '${other}' already.`,
          hint,
        )
      }
    }
    for (const dataset of pipe.source.inputs) {
      if (!writers.has(dataset)) {
        report('warning', '/source', `No pipe writes the dataset '${dataset}'.`, didYouMean(dataset, writers.keys()))
      }
    }
    for (const [pointer, dataset] of completenessNames(pipe)) {
      if (writers.has(dataset)) continue
      report('warning', pointer, `No pipe writes the dataset '${dataset}'.`, didYouMean(dataset, writers.keys()))
    }
    for (const dataset of pipe.reads) {
      if (!writers.has(dataset)) {
        const hint = didYouMean(dataset, writers.keys()) ?? 'The pipe waits until the dataset is there and populated.'
        report('warning', '/transform', `It hops to the dataset '${dataset}', which no pipe writes.`, hint)
      }
    }
    if (id.startsWith('global-') && !pipe.isGlobal) {
      report(
        'warning',
        '/_id',
        "Its name says global, but 'metadata.global' is not true: it is not in the default graph.",
      )
    }
    yield [
      id,
      {
        ...deployed,
        pipe: hasErrors(found) ? null : pipe,
        inexact: hasErrors(found) ? [] : exactness.of(pipe),
        problems: [...deployed.problems, ...located(found, component)],
      },
    ]
  }
}

/** The first writer of each dataset, those of dead letters included. A pipe with errors counts too: what it would write is not unknown. */
function writersOf(pipes: ReadonlyMap<string, DeployedPipe>): ReadonlyMap<string, string> {
  const writers = new Map<string, string>()
  for (const [id, { effective }] of pipes) {
    const dataset = get(part(effective, 'sink'), 'dataset')
    if (typeof dataset === 'string' && !writers.has(dataset)) writers.set(dataset, id)
  }
  for (const [id, { effective }] of pipes) {
    const letters = get(part(effective, 'pump'), 'dead_letter_dataset')
    if (typeof letters === 'string' && !writers.has(letters)) writers.set(letters, id)
  }
  return writers
}

/** Datasets that are named for their completeness, but for those that the pipe reads, with where. */
function completenessNames({ source, completeness, reads }: Pipe): readonly (readonly [string, string])[] {
  const { initial, rule } = source.holding
  const at = (pointer: string, ids: readonly string[]) => ids.map((id, place) => [`${pointer}/${place}`, id] as const)
  const named = [
    ...at('/source/initial_completeness', initial),
    ...(rule?.kind === 'datasets' ? at('/source/completeness', rule.ids) : []),
    ...at('/include_completeness', completeness.include ?? []),
    ...at('/exclude_completeness', completeness.exclude),
  ]
  return named.filter(([, id]) => !source.inputs.includes(id) && !reads.includes(id))
}

const hasErrors = (problems: readonly Problem[]): boolean => problems.some(({ level }) => level === 'error')

const located = (problems: readonly Problem[], { file }: Component): readonly Problem[] =>
  file === undefined ? problems : problems.map((problem) => ({ ...problem, file }))

function part(dict: Dict, name: string): Dict {
  const value = get(dict, name)
  return isDict(value) ? value : newDict()
}

const entriesBut = (dict: Dict, but: string) => entries(dict).filter(([name]) => name !== but)
