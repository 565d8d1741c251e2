/** Turns configuration text into everything a hub runs: pipes, systems, and what is wrong with each. Every thread does it for itself. */

import type { Static } from 'typebox'
import { compactionSchema } from '../config/compaction.ts'
import { checkComponent } from '../config/component.ts'
import { type Effective, effectiveComponent } from '../config/effective.ts'
import { type Component, type ConfigurationInput, type KnownComponents, parseConfiguration } from '../config/files.ts'
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
import { type SecretPlace, secretPlaces } from '../config/secret-names.ts'
import { type Dict, dictOf, entries, get, has, newDict } from '../model/dict.ts'
import { builtinNamespaces } from '../model/iri.ts'
import { type JsonError, parseJson } from '../model/json.ts'
import { equals } from '../model/order.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { buildPipe, type NodeSettings } from '../pipes/build.ts'
import { checkCompaction, compactionOf, nodeCompaction } from '../pipes/compaction-settings.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { buildSystem } from '../pipes/systems/build.ts'
import { systemTypes } from '../pipes/systems/index.ts'
import type { DeployedSystem } from '../pipes/systems/pool.ts'
import { permissionProblems } from './access/configured.ts'
import { type DeployedComponent, type DeployedPipe, hasErrors, located, part } from './deployed.ts'
import { HubError } from './errors.ts'
import { Memory } from './memory.ts'
import { isTimeZone } from './notifications/quiet.ts'
import type { TaskManager } from './task-manager.ts'
import { checkTogether, writersOf } from './together.ts'

export type { DeployedComponent, DeployedPipe } from './deployed.ts'

export interface SystemOfHub extends Omit<DeployedSystem, 'effective'>, DeployedComponent {
  /** Names of the secrets that it uses. */
  readonly secrets: readonly string[]
}

export interface Deployment {
  readonly components: readonly Component[]
  readonly pipes: ReadonlyMap<string, DeployedPipe>
  /** Datasets that pipes write, those with errors too. */
  readonly written: ReadonlySet<string>
  readonly systems: ReadonlyMap<string, SystemOfHub>
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

/** What else a deployment goes by. */
export interface DeployOptions {
  /** What was deployed before: components that did not change, and nothing that they depend on, are not made again. */
  readonly memory?: DeploymentMemory
  /** Whether a secret is there for a system (null: for programs); absent: nobody knows, and nobody is warned. */
  readonly hasSecret?: (name: string, system: string | null) => boolean
}

/** `env` is the text of a JSON object; code `bad-env` when it is not. */
export function deploy(
  input: ConfigurationInput,
  env: string,
  folder: string | null,
  options: DeployOptions = {},
): Deployment {
  const steps = deploying(input, env, folder, options)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** How long others may have to wait meanwhile. */
const TURN_MS = 10

/** The same, with pauses in which everybody else on the thread goes on. */
export async function deployInTurns(
  input: ConfigurationInput,
  env: string,
  folder: string | null,
  options: DeployOptions = {},
): Promise<Deployment> {
  const steps = deploying(input, env, folder, options)
  for (let since = performance.now(); ; ) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (performance.now() - since < TURN_MS) continue
    await new Promise((resolve) => setImmediate(resolve))
    since = performance.now()
  }
}

/** One component a step. */
function* deploying(
  input: ConfigurationInput,
  env: string,
  folder: string | null,
  { memory = new DeploymentMemory(), hasSecret }: DeployOptions,
): Generator<void, Deployment> {
  const { components, problems: syntax } = parseConfiguration(input, memory.components)
  memory.next(components)
  const variables = variablesOf(env)
  const resolve = (component: Component) => memory.resolve(component, variables)
  const { metadata, node: settings, tasks, notifications } = deployMetadata(components, resolve)
  const node = memory.node(settings)
  const known = new Map<string, SystemOfHub>()
  for (const one of components) {
    if (!one.type.startsWith('system:')) continue
    known.set(one.id, memory.system(one, node, resolve))
    yield
  }
  const alone = new Map<string, DeployedPipe>()
  for (const one of components) {
    if (one.type !== 'pipe') continue
    alone.set(one.id, memory.pipe(one, node, known, resolve))
    yield
  }
  const warned = <T extends DeployedComponent>(one: T): T => {
    const more = secretWarnings(one, memory.secrets(one), hasSecret)
    return more.length === 0 ? one : { ...one, problems: [...one.problems, ...more] }
  }
  const systems = new Map([...known].map(([id, one]) => [id, ofItsFile(warned(one))]))
  for (const [id, one] of alone) alone.set(id, warned(one))
  const pipes = new Map(checkTogether(alone))
  const problems = [
    ...syntax,
    ...metadata.problems,
    ...[...systems.values()].flatMap((system) => system.problems),
    ...[...pipes.values()].flatMap((pipe) => pipe.problems),
  ]
  const written = new Set(writersOf(pipes).keys())
  return { components, pipes, written, systems, metadata, node, tasks, notifications, problems, folder, variables }
}

const ofItsFile = <T extends DeployedComponent>(one: T): T => ({
  ...one,
  problems: located(one.problems, one.component),
})

/** A configuration may come before its secrets do: until they are there, what needs them fails when it runs. */
function secretWarnings(
  { component: { id, type } }: DeployedComponent,
  places: readonly SecretPlace[],
  hasSecret: DeployOptions['hasSecret'],
): readonly Problem[] {
  const system = type === 'pipe' ? null : id
  const missing = hasSecret === undefined ? [] : places.filter(({ name }) => !hasSecret(name, system))
  const hint =
    system === null
      ? 'Set it with PUT or POST /api/secrets.'
      : `Set it with PUT or POST /api/systems/${id}/secrets, or for all systems with /api/secrets.`
  return missing.map(({ name, pointer }) => ({
    level: 'warning',
    component: id,
    pointer,
    message: `The secret '${name}' is not defined.`,
    hint,
  }))
}

/** What deployments have in common with those before them. */
export class DeploymentMemory {
  #components: KnownComponents = new Map()
  #draft: KnownComponents = new Map()
  readonly #resolved = new Memory<Effective>()
  readonly #systems = new Memory<DeployedSystem & DeployedComponent>()
  readonly #pipes = new Memory<DeployedPipe>()
  readonly #secrets = new Memory<readonly SecretPlace[]>()
  readonly #nodes = new Memory<NodeSettings>()
  readonly #named = new Memory<readonly string[]>()

  get #all(): readonly Memory<unknown>[] {
    return [this.#resolved, this.#systems, this.#pipes, this.#secrets, this.#nodes, this.#named]
  }

  /** By their text. */
  get components(): KnownComponents {
    return this.#components
  }

  next(components: readonly Component[]): void {
    this.#draft = new Map(components.map((one) => [one.text, one]))
    for (const one of this.#all) one.next()
  }

  /** The last deployment is in use from now on: the next one is compared with it. */
  keep(): void {
    this.#components = this.#draft
    for (const one of this.#all) one.keep()
  }

  /** As long as the variables that it uses are the same, others may change. */
  resolve(component: Component, variables: Dict): Effective {
    const { file: _, ...plain } = component
    const isStill = ({ variables: used }: Effective) =>
      [...used].every(([name, value]) => value !== undefined && equals(value, get(variables, name) ?? null))
    return this.#resolved.get(component.id, [component.text], () => effectiveComponent(plain, variables), isStill)
  }

  node(settings: NodeSettings): NodeSettings {
    return this.#nodes.get('node', [JSON.stringify(settings)], () => settings)
  }

  system(component: Component, node: NodeSettings, resolve: Resolve): SystemOfHub {
    const effective = resolve(component)
    const made = this.#systems.get(component.id, [effective, node.verifiesCertificates], () =>
      deploySystem(component, effective, node),
    )
    return { ...made, component, secrets: [...new Set(this.secrets(made).map(({ name }) => name))] }
  }

  /** A pipe is made again when a system that it names is another one. */
  pipe(
    component: Component,
    node: NodeSettings,
    systems: ReadonlyMap<string, DeployedSystem>,
    resolve: Resolve,
  ): DeployedPipe {
    const effective = resolve(component)
    const ids = this.#named.get(component.id, [effective], () => systemsNamed(effective.value))
    const named = ids.map((id) => systems.get(id)?.open ?? [...systems.keys()].join('\n'))
    const made = this.#pipes.get(component.id, [effective, node, ...named], () =>
      deployPipe(component, effective, node, systems),
    )
    return { ...made, component }
  }

  secrets({ component, effective }: DeployedComponent): readonly SecretPlace[] {
    return this.#secrets.get(component.id, [effective], () =>
      component.type === 'pipe'
        ? secretPlaces(get(effective, 'transform') ?? null, '/transform')
        : secretPlaces(effective),
    )
  }
}

type Resolve = (component: Component) => Effective

/** Whatever in a pipe may stand for the id of a system; data is not looked at. */
function systemsNamed(value: Value): readonly string[] {
  if (isList(value)) return value.flatMap(systemsNamed)
  if (!isDict(value)) return []
  return entries(value).flatMap(([name, one]) => {
    if (name === 'system' && typeof one === 'string') return [one]
    return name === 'entities' ? [] : systemsNamed(one)
  })
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
  return deployPipe(component, effectiveComponent(component, variables), node, systems)
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

function deployMetadata(components: readonly Component[], resolve: Resolve) {
  const component: Component = components.find(({ type }) => type === 'metadata') ?? {
    id: 'node',
    type: 'metadata',
    text: '{"_id":"node","type":"metadata"}',
    original: dictOf({ _id: 'node', type: 'metadata' }),
  }
  const { value, problems } = resolve(component)
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
    verifiesCertificates: defaultsChecked.value.verify_ssl === true,
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
    notifications: hasErrors([...problems, ...checked.problems, ...zones].filter(isOfNotifications))
      ? null
      : (checked.value.notifications ?? null),
  }
}

const isOfNotifications = ({ pointer }: Problem): boolean => pointer.startsWith('/notifications')

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

function deploySystem(
  component: Component,
  { value, problems }: Effective,
  node: NodeSettings,
): DeployedSystem & DeployedComponent {
  const effective = withSystemDefaults(value, node)
  const built = buildSystem(component.id, effective)
  const own = [...built.problems, ...permissionProblems(component.id, value)]
  const found = beyond(problems, own)
  return { ...built.system, ...(hasErrors(found) ? { open: null } : {}), component, effective, problems: found }
}

const knowsVerifySsl = (system: Dict): boolean =>
  systemTypes.some(({ type, config }) => type === get(system, 'type') && 'verify_ssl' in config.properties)

/** Settings of which the node says what they are where the system is silent. */
function withSystemDefaults(system: Dict, { verifiesCertificates }: NodeSettings): Dict {
  if (!verifiesCertificates || has(system, 'verify_ssl') || !knowsVerifySsl(system)) return system
  return dictOf([...entries(system), ['verify_ssl', true]])
}

function deployPipe(
  component: Component,
  { value, problems }: Effective,
  node: NodeSettings,
  systems: ReadonlyMap<string, DeployedSystem>,
): DeployedPipe {
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
    problems: all,
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

const entriesBut = (dict: Dict, but: string) => entries(dict).filter(([name]) => name !== but)
