/** The configuration of a tenant: replaced as a whole, deployed to whoever runs it, cleaned up after, restored at start. */

import { elementTexts } from '../../config/elements.ts'
import type { ConfigurationInput } from '../../config/files.ts'
import type { Problem } from '../../config/problems.ts'
import { writeJson } from '../../model/json.ts'
import { besideRun } from '../../pipes/beside/beside.ts'
import { sourceOffset } from '../../pipes/full-run.ts'
import { isReceiver, type Pipe } from '../../pipes/pipe.ts'
import { forgetState, statePrefix } from '../../pipes/state.ts'
import { trackingForgotten } from '../../pipes/tracking/offsets.ts'
import { assertNotDecimating } from '../config-breaker.ts'
import type { User } from '../contract.ts'
import { withSnapshot } from '../datasets.ts'
import { type Deployment, deploy } from '../deployment.ts'
import { HubError } from '../errors.ts'
import { CONFIG, ENV } from '../log-knowledge.ts'
import type { TenantCore } from './core.ts'
import { forgetting } from './forgetting.ts'
import { linksMeta } from './links.ts'
import type { TenantPermissions } from './permissions.ts'
import { pumpMeta, type TenantPumps } from './pumps.ts'

/** What is kept in the log's meta table about the configuration, beside its text. */
const FOLDER = 'config-folder'
/** Pipes that were deleted and are not cleaned up yet. */
const DELETED = 'deleted-pipes'

export class TenantConfiguration {
  readonly #core: TenantCore
  readonly #pumps: TenantPumps
  readonly #permissions: TenantPermissions

  #hear: () => void = () => {}

  constructor(core: TenantCore, pumps: TenantPumps, permissions: TenantPermissions) {
    this.#core = core
    this.#pumps = pumps
    this.#permissions = permissions
  }

  /** `hear` is told when something else is deployed. */
  hearDeployments(hear: () => void): void {
    this.#hear = hear
  }

  text(): string {
    return `[${this.#core.deployment.components.map(({ text }) => text).join(',')}]`
  }

  metadata(): string {
    const { component, effective } = this.#core.deployment.metadata
    return `{"_id":"node","config":{"original":${component.text},"effective":${writeJson(effective, { transit: false })}}}`
  }

  async replace(
    input: ConfigurationInput,
    force: boolean,
    folder: string | null,
    user: User | null = null,
  ): Promise<readonly Problem[]> {
    const core = this.#core
    const former = core.deployment
    const next = deploy(input, core.env, folder)
    this.#permissions.assertMayDeploy(former, next, user)
    if (!force && next.problems.some(({ level }) => level === 'error')) {
      throw new HubError('config-rejected', 'The configuration has errors; nothing was changed.', {
        problems: next.problems,
      })
    }
    if (!force) assertNotDecimating(core.deployment, next)
    const gone = [...core.deployment.pipes.keys()].filter((id) => !next.pipes.has(id))
    // Whose it is, in the same transaction: nothing ever runs with the rights of somebody else.
    const owned = this.#permissions.owned(former, next, user)
    await core.writer.journal.commit({
      meta: [
        [DELETED, JSON.stringify(gone)],
        [CONFIG, `[${next.components.map((component) => component.text).join(',')}]`],
        [FOLDER, folder],
        ...owned.meta,
      ],
      durable: true,
    })
    owned.adopt()
    await this.#deploy(next)
    await this.#cleanUp(gone)
    return next.problems
  }

  async replaceEnv(text: string): Promise<void> {
    const core = this.#core
    const next = deploy(this.text(), text, core.deployment.folder)
    await core.writer.journal.commit({ meta: [[ENV, text]], durable: true })
    core.env = text
    await this.#deploy(next)
  }

  /** What is deployed is deployed anew: nobody remembers anything of before, and all datasets are there. */
  redeploy(): Promise<void> {
    return this.#deploy(this.#core.deployment)
  }

  /** What was there when the hub ended. */
  async restore(): Promise<void> {
    const core = this.#core
    const { config, env, folder, deleted } = withSnapshot(core, (snapshot) => ({
      config: snapshot.meta(CONFIG),
      env: snapshot.meta(ENV),
      folder: snapshot.meta(FOLDER),
      deleted: snapshot.meta(DELETED),
    }))
    if (env !== undefined) core.env = env
    const all = config === undefined ? [] : elementTexts(config)
    await this.#deploy(deploy(all, core.env, folder ?? null))
    await this.#cleanUp(deleted === undefined ? [] : (JSON.parse(deleted) as string[]))
  }

  /** All dead letters that there are make it complete: who hops to them need not wait for one. */
  async #assertDeadLetters(dataset: string): Promise<void> {
    const { journal } = this.#core.writer
    const { populated } = await journal.assertDataset(dataset)
    if (!populated) await journal.commit({ populated: [[dataset, true]] })
  }

  async #deploy(next: Deployment): Promise<void> {
    const core = this.#core
    const { journal } = core.writer
    for (const { pipe } of next.pipes.values()) {
      if (pipe?.errors.deadLetters) await this.#assertDeadLetters(pipe.errors.deadLetters.dataset)
      if (pipe?.sink.kind !== 'dataset') continue
      const { populated } = await journal.assertDataset(pipe.sink.dataset, { durable: pipe.isDurable })
      if (!populated && isPopulatedAtLoad(pipe)) await journal.commit({ populated: [[pipe.sink.dataset, true]] })
    }
    await core.options.pool.deploy({
      tenant: core.options.name,
      components: next.components.map(({ text }) => text),
      env: core.env,
      folder: next.folder,
      targets: core.options.targets(),
    })
    core.adopt(next)
    this.#permissions.guard.forget()
    await this.#pumps.deployed()
    this.#hear()
  }

  /**
   * A pipe that went away takes along all that is its own (hub.md §3.5), unless the node says otherwise; its dataset stays.
   * The list of those that went stands beside the configuration until this is done, so that a restart goes on with it.
   */
  async #cleanUp(gone: readonly string[]): Promise<void> {
    const core = this.#core
    for (const id of gone) {
      await this.#pumps.scheduler.stop(id)
      if (core.deployment.node.cleansUp && !core.deployment.pipes.has(id)) await this.#forgetPipe(id)
    }
    if (gone.length > 0) await core.writer.journal.commit({ meta: [[DELETED, null]] })
  }

  async #forgetPipe(id: string): Promise<void> {
    const { journal } = this.#core.writer
    const tracked = withSnapshot(this.#core, (snapshot) => trackingForgotten(id, snapshot))
    await journal.commit({
      offsets: [[sourceOffset(id), null], ...tracked],
      meta: [
        [pumpMeta(id), null],
        [linksMeta(id), null],
      ],
    })
    await forgetting(this.#core, (present, commit) => forgetState(statePrefix(id), present, commit))
    for (const runs of [id, besideRun(id)]) await journal.forgetRuns(runs)
    const internal = withSnapshot(this.#core, (snapshot) =>
      snapshot.datasets().filter((one) => isInternalOf(id, one.id)),
    )
    for (const dataset of internal) await journal.deleteDataset(dataset.id)
  }
}

/** `system:<kind>:<pipe>` (hub.md §2.10). */
const isInternalOf = (pipe: string, dataset: string): boolean =>
  /^system:[^:]+:/.exec(dataset)?.[0].length === dataset.length - pipe.length && dataset.endsWith(`:${pipe}`)

const isPopulatedAtLoad = (pipe: Pipe): boolean =>
  pipe.sink.kind === 'dataset' &&
  (pipe.sink.populatedWhen === 'onload' ||
    (isReceiver(pipe) && pipe.source.config.auto_populate_dataset !== false && pipe.sink.populatedWhen !== 'never'))
