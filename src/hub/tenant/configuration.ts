/** The configuration of a tenant: changed as a whole or in part, deployed to whoever runs it, and restored at start. */

import { elementTexts } from '../../config/elements.ts'
import { type Component, type ConfigurationInput, parseConfiguration, partsOf } from '../../config/files.ts'
import { groupOf, groupProblem, taggedText } from '../../config/groups.ts'
import { mergedMembers, withMember, withoutMember } from '../../config/members.ts'
import type { Problem } from '../../config/problems.ts'
import { writeJson } from '../../model/json.ts'
import { isReceiver, type Pipe } from '../../pipes/pipe.ts'
import { changedPipes } from '../changes.ts'
import { assertNotDecimating } from '../config-breaker.ts'
import type { User } from '../contract.ts'
import type {
  ChangeKind,
  ChangeOptions,
  ComponentChanges,
  ConfigurationDoor,
  Generation,
  HistoryQuery,
  Uploaded,
} from '../contract-configuration.ts'
import { withSnapshot } from '../datasets.ts'
import { type Deployment, DeploymentMemory, deployInTurns } from '../deployment.ts'
import { HubError } from '../errors.ts'
import { CONFIG, ENV } from '../log-knowledge.ts'
import { ConfigHistory, HISTORY_OWED } from './config-history.ts'
import type { TenantCore } from './core.ts'
import { ForgottenPipes } from './forgotten-pipes.ts'
import { type ConfigurationState, generations, nextGeneration, stateOf, textsOf } from './generations.ts'
import type { TenantNotes } from './notes.ts'
import type { TenantPermissions } from './permissions.ts'
import type { TenantPumps } from './pumps.ts'
import type { TenantSecrets } from './secrets.ts'

/** Where the folder of the configuration stands in the log's meta table. */
const FOLDER = 'config-folder'

interface Change extends ChangeOptions {
  readonly kind: ChangeKind
  readonly input: ConfigurationInput
  readonly env: string
  readonly folder: string | null
  /** What was found before anything was deployed. */
  readonly found?: readonly Problem[]
  /** Texts of what was sent, by id; absent: all of it. */
  readonly posted?: ReadonlyMap<string, string>
}

export class TenantConfiguration implements ConfigurationDoor {
  readonly #core: TenantCore
  readonly #pumps: TenantPumps
  readonly #permissions: TenantPermissions
  readonly #secrets: TenantSecrets
  readonly #notes: TenantNotes
  readonly #history: ConfigHistory
  readonly #forgotten: ForgottenPipes

  #hear: () => void = () => {}
  /** Which addresses were open when it was deployed last. */
  #targets: unknown = null

  constructor(
    core: TenantCore,
    pumps: TenantPumps,
    secrets: TenantSecrets,
    notes: TenantNotes,
    permissions: TenantPermissions,
  ) {
    this.#notes = notes
    this.#permissions = permissions
    this.#core = core
    this.#pumps = pumps
    this.#secrets = secrets
    this.#history = new ConfigHistory(core)
    this.#forgotten = new ForgottenPipes(core, pumps)
  }

  /** `hear` is told when something else is deployed. */
  hearDeployments(hear: () => void): void {
    this.#hear = hear
  }

  /** Of a group, or of all. */
  components(group: string | null = null): readonly Component[] {
    const { components } = this.#core.deployment
    return group === null ? components : components.filter((one) => groupOf(one) === group)
  }

  text(group: string | null = null): string {
    return `[${this.components(group)
      .map(({ text }) => text)
      .join(',')}]`
  }

  metadata(): string {
    const { component, effective } = this.#core.deployment.metadata
    return `{"_id":"node","config":{"original":${component.text},"effective":${writeJson(effective, { transit: false })}}}`
  }

  history(id: string, query: HistoryQuery): string {
    return this.#history.of(id, query)
  }

  /** All of it. */
  async replace(
    input: ConfigurationInput,
    force: boolean,
    folder: string | null,
    user: User | null = null,
  ): Promise<readonly Problem[]> {
    const { problems } = await this.#core.exclusive.run(() =>
      this.#change({ kind: 'config', input, env: this.#core.env, folder, force, user }),
    )
    return problems
  }

  /** Replaces a group (hub.md §20.4), or all of them. Codes: config-rejected, config-breaker-tripped. */
  upload(input: ConfigurationInput, group: string | null, options: ChangeOptions): Promise<Uploaded> {
    return this.#core.exclusive.run(() => {
      const parsed = parseConfiguration(input, this.#core.memory.components)
      const present = new Map(this.components().map((one) => [one.id, groupOf(one)]))
      const found = [...parsed.problems]
      const given: Component[] = []
      for (const one of parsed.components) {
        const problem = group === null ? null : groupProblem(one, group, present.get(one.id))
        if (problem !== null) found.push(problem)
        // There is no place for the node's metadata but the default group.
        if (problem === null || one.type !== 'metadata') given.push(one)
      }
      const ids = new Set(given.map(({ id }) => id))
      const kept = group === null ? [] : this.components().filter((one) => groupOf(one) !== group && !ids.has(one.id))
      const tagged = given.map((one) => ({ ...one, text: group === null ? one.text : taggedText(one, group) }))
      const posted = textsOf(parsed.components)
      return this.#change({
        ...this.#present('config'),
        ...options,
        input: partsOf([...kept, ...tagged]),
        found,
        posted,
      })
    })
  }

  /** Single components; whatever else is wrong with the configuration does not count. Codes: as of {@link upload}, unknown-component. */
  edit({ put = [], remove = [] }: ComponentChanges, options: ChangeOptions): Promise<Uploaded> {
    return this.#core.exclusive.run(() => {
      const { components, problems } = parseConfiguration(put, this.#core.memory.components)
      // What has no id can be kept nowhere, not even by force.
      if (problems.length > 0) {
        throw new HubError('config-rejected', 'The configuration has errors; nothing was changed.', { problems })
      }
      const present = new Map(this.components().map((one) => [one.id, one]))
      for (const id of remove) if (!present.delete(id)) throw unknownComponent(id)
      for (const one of components) {
        const former = present.get(one.id)
        present.set(one.id, former === undefined ? one : { ...one, text: taggedText(one, groupOf(former)) })
      }
      const posted = textsOf(components)
      const change = { ...this.#present('config'), ...options, posted }
      return this.#change({ ...change, input: partsOf([...present.values()]) })
    })
  }

  /** The text of the metadata may leave out what it is. */
  putMetadata(text: string, options: ChangeOptions): Promise<Uploaded> {
    const named = withMember(withMember(text, '_id', '"node"'), 'type', '"metadata"')
    return this.edit({ put: [isNamed(text) ? text : named] }, options)
  }

  async deleteMetadata(options: ChangeOptions): Promise<void> {
    const isThere = this.components().some(({ type }) => type === 'metadata')
    if (isThere) await this.edit({ remove: ['node'] }, options)
  }

  /** `text` is that of an object. */
  replaceEnv(text: string, user: User | null = null): Promise<void> {
    return this.#changeEnv(() => text, user)
  }

  mergeEnv(text: string, user: User | null = null): Promise<void> {
    return this.#changeEnv((present) => mergedMembers(present, text), user)
  }

  /** Code: unknown-variable. */
  deleteVariable(name: string, user: User | null = null): Promise<void> {
    return this.#changeEnv((present) => {
      const rest = withoutMember(present, name)
      if (rest !== null) return rest
      throw new HubError('unknown-variable', `There is no environment variable '${name}'.`)
    }, user)
  }

  generations(): readonly Generation[] {
    return withSnapshot(this.#core, generations)
  }

  /** Puts the former generation back, or the one with the number, variables included. Code: unknown-generation. */
  rollback(number: number | null, user: User | null = null): Promise<Uploaded> {
    return this.#core.exclusive.run(() => {
      const { texts, env, folder } = withSnapshot(this.#core, (snapshot) => stateOf(snapshot, this.#state(), number))
      return this.#change({ kind: 'rollback', input: [...texts.values()], env, folder, force: true, user })
    })
  }

  /** What is deployed is deployed anew: nobody remembers anything of before, and all datasets are there. */
  redeploy(): Promise<void> {
    const core = this.#core
    return core.exclusive.run(async () => {
      const { components, folder } = core.deployment
      core.memory = new DeploymentMemory()
      await this.#deploy(await deployInTurns(partsOf(components), core.env, folder, core.deployOptions), true)
    })
  }

  /** What was there when the hub ended. */
  async restore(): Promise<void> {
    const core = this.#core
    const { config, env, folder, owed } = withSnapshot(core, (snapshot) => ({
      config: snapshot.meta(CONFIG),
      env: snapshot.meta(ENV),
      folder: snapshot.meta(FOLDER),
      owed: snapshot.meta(HISTORY_OWED) !== undefined,
    }))
    if (env !== undefined) core.env = env
    await this.#secrets.restore()
    const all = config === undefined ? [] : elementTexts(config)
    await this.#deploy(await deployInTurns(all, core.env, folder ?? null, core.deployOptions))
    if (owed) await this.#history.catchUp()
    await this.#forgotten.goOn()
  }

  #changeEnv(textOf: (present: string) => string, user: User | null): Promise<void> {
    return this.#core.exclusive.run(async () => {
      await this.#change({ ...this.#present('env'), env: textOf(this.#core.env), force: true, user })
    })
  }

  #present(kind: ChangeKind) {
    const { components, folder } = this.#core.deployment
    return { kind, input: partsOf(components), env: this.#core.env, folder }
  }

  #state(): ConfigurationState {
    const { components, folder } = this.#core.deployment
    return { texts: textsOf(components), env: this.#core.env, folder }
  }

  async #change({ found = [], user = null, ...change }: Change): Promise<Uploaded> {
    const core = this.#core
    const { input, env, folder, force, kind } = change
    const next = await deployInTurns(input, env, folder, core.deployOptions)
    assertConfiguration([...found, ...next.problems])
    const posted = change.posted ?? textsOf(next.components)
    const problems = [...found, ...newProblems(core.deployment, next, posted)]
    if (!force && problems.some(({ level }) => level === 'error')) {
      throw new HubError('config-rejected', 'The configuration has errors; nothing was changed.', { problems, posted })
    }
    if (!force) assertNotDecimating(core.deployment, next)
    const state = { texts: textsOf(next.components), env, folder }
    this.#permissions.assertMayDeploy(core.deployment, next, user)
    if (isSame(this.#state(), state)) {
      // Somebody may have deleted a dataset meanwhile, or opened or closed addresses.
      const isStale = JSON.stringify(core.options.targets()) !== JSON.stringify(this.#targets)
      if (isStale || this.#lacking(next).length > 0) await this.#deploy(next)
      return { problems, posted }
    }
    const gone = [...core.deployment.pipes.keys()].filter((id) => !next.pipes.has(id))
    const secrets = this.#secrets.without([...core.deployment.systems.keys()].filter((id) => !next.systems.has(id)))
    const generation = { kind, user: nameOf(user), at: Date.now() }
    const former = core.deployment
    // Whose it is, in the same transaction: nothing ever runs with the rights of somebody else.
    const owned = this.#permissions.owned(former, next, user)
    await core.writer.journal.commit({
      meta: [
        ...withSnapshot(core, (snapshot) => nextGeneration(snapshot, this.#state(), state, generation)),
        ...this.#forgotten.owing(gone),
        [CONFIG, `[${[...state.texts.values()].join(',')}]`],
        [ENV, env],
        [FOLDER, folder],
        [HISTORY_OWED, 'true'],
        ...(secrets === null ? [] : secrets.meta),
        ...owned.meta,
      ],
      durable: true,
    })
    core.env = env
    owned.adopt()
    await this.#deploy(next)
    await secrets?.apply()
    await this.#history.note(former, next)
    await this.#forgotten.forget(gone)
    await this.#notes.prune()
    return { problems, posted }
  }

  /** To those that run it; what did not change goes on undisturbed. */
  async #deploy(next: Deployment, isFresh = false): Promise<void> {
    const core = this.#core
    const changed = changedPipes(core.deployment, next)
    const pipes = new Set([...changed, ...this.#lacking(next)])
    await Promise.all([...pipes].map((id) => this.#assertDatasets(next.pipes.get(id)?.pipe ?? null)))
    this.#targets = core.options.targets()
    await core.options.pool.deploy(
      {
        tenant: core.options.name,
        components: next.components.map(({ text }) => text),
        env: core.env,
        folder: next.folder,
        targets: core.options.targets(),
      },
      { changed, isFresh },
    )
    core.adopt(next)
    this.#permissions.guard.forget()
    await this.#pumps.deployed(changed)
    this.#hear()
  }

  /** Pipes whose datasets are not there. */
  #lacking({ pipes }: Deployment): readonly string[] {
    return withSnapshot(this.#core, (snapshot) =>
      [...pipes].flatMap(([id, { pipe }]) => {
        const letters = pipe?.errors.deadLetters?.dataset
        const written = pipe?.sink.kind === 'dataset' ? [pipe.sink.dataset] : []
        const all = letters === undefined ? written : [...written, letters]
        return all.some((dataset) => snapshot.dataset(dataset) === undefined) ? [id] : []
      }),
    )
  }

  async #assertDatasets(pipe: Pipe | null): Promise<void> {
    const { journal } = this.#core.writer
    if (pipe?.errors.deadLetters) await this.#assertDeadLetters(pipe.errors.deadLetters.dataset)
    if (pipe?.sink.kind !== 'dataset') return
    const { populated } = await journal.assertDataset(pipe.sink.dataset, { durable: pipe.isDurable })
    if (!populated && isPopulatedAtLoad(pipe)) await journal.commit({ populated: [[pipe.sink.dataset, true]] })
  }

  /** All dead letters that there are make it complete: who hops to them need not wait for one. */
  async #assertDeadLetters(dataset: string): Promise<void> {
    const { journal } = this.#core.writer
    const { populated } = await journal.assertDataset(dataset)
    if (!populated) await journal.commit({ populated: [[dataset, true]] })
  }
}

/** What is kept of whoever did it. */
const nameOf = (user: User | null): Generation['user'] =>
  user === null ? null : { user_id: user.user_id, email: user.email, remote_addr: user.remote_addr }

/** A text that is no configuration at all is not taken for an empty one, whatever is forced. */
function assertConfiguration(problems: readonly Problem[]): void {
  const whole = problems.filter(({ component }) => component === '')
  if (whole.length === 0) return
  throw new HubError('config-rejected', 'What was sent is no configuration; nothing was changed.', { problems: whole })
}

const isNamed = (text: string): boolean => {
  const { components } = parseConfiguration([text])
  return components[0]?.type === 'metadata'
}

const unknownComponent = (id: string): HubError =>
  new HubError('unknown-component', `There is no component '${id}' in the configuration.`)

/** Of what was sent, and what it does to others: a component that was wrong before is nobody's business now. */
function newProblems(former: Deployment, next: Deployment, posted: ReadonlyMap<string, string>): readonly Problem[] {
  const keyOf = ({ component, pointer, level, message }: Problem) =>
    JSON.stringify([component, pointer, level, message])
  const known = new Set(former.problems.map(keyOf))
  return next.problems.filter((one) => posted.has(one.component) || !known.has(keyOf(one)))
}

function isSame(a: ConfigurationState, b: ConfigurationState): boolean {
  if (a.env !== b.env || a.folder !== b.folder || a.texts.size !== b.texts.size) return false
  const others = [...b.texts]
  return [...a.texts].every(([id, text], place) => others[place]?.[0] === id && others[place]?.[1] === text)
}

const isPopulatedAtLoad = (pipe: Pipe): boolean =>
  pipe.sink.kind === 'dataset' &&
  (pipe.sink.populatedWhen === 'onload' ||
    (isReceiver(pipe) && pipe.source.config.auto_populate_dataset !== false && pipe.sink.populatedWhen !== 'never'))
