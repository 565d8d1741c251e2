/** All tenants of a pump thread, and what the main thread may ask of them. */

import { connectJournal } from '../log/journal.ts'
import { openLog } from '../log/reader.ts'
import { DeploymentMemory, deployInTurns } from './deployment.ts'
import { HubError } from './errors.ts'
import type { PumpMethods } from './pump-protocol.ts'
import { PumpingCore, type ThreadPorts } from './pumping/core.ts'
import { PumpingTenant } from './pumping/tenant.ts'

type DeployArgument = Parameters<PumpMethods['calls']['deploy']>[0]

export class PumpHouse {
  readonly #tenants = new Map<string, PumpingTenant>()
  /** What was deployed of each tenant. */
  readonly #memories = new Map<string, DeploymentMemory>()
  readonly #thread: ThreadPorts

  constructor(thread: ThreadPorts) {
    this.#thread = thread
  }

  readonly calls: PumpMethods['calls'] = {
    open: async ({ tenant, base, path, journal, running, infersTypes }) => {
      const core = new PumpingCore(tenant, base, openLog(path), connectJournal(journal), this.#thread)
      for (const pipe of running) core.elsewhere.add(pipe)
      this.#tenants.set(tenant, new PumpingTenant(core, { infersTypes }))
    },
    close: async ({ tenant }) => {
      await this.#tenants.get(tenant)?.close()
      this.#tenants.delete(tenant)
      this.#memories.delete(tenant)
    },
    deploy: (text) => this.#deploy(text),
    secrets: async ({ tenant, secrets }) => this.#tenant(tenant).setSecrets(secrets),
    run: ({ tenant, pipe, order }) => this.#tenant(tenant).run(pipe, order),
    running: async ({ tenant, pipe, isRunning }) => this.#tenants.get(tenant)?.hear(pipe, isRunning),
    forget: async ({ tenant, dataset }) => this.#tenants.get(tenant)?.forget(dataset),
    discardSchema: async ({ tenant, pipe }) => this.#tenants.get(tenant)?.discardSchema(pipe),
    fill: ({ tenant, ...index }) => this.#tenant(tenant).fill(index),
    relieve: ({ tenant, pipe }) => this.#tenant(tenant).relieve(pipe),
    compact: ({ tenant, pipe, occasion, projected }) => this.#tenant(tenant).compact(pipe, occasion, projected),
    trim: ({ tenant, dataset, hours, projected }) => this.#tenant(tenant).trim(dataset, hours, projected),
    settle: ({ tenant, dataset, projected }) => this.#tenant(tenant).settle(dataset, projected),
    erase: ({ tenant, dataset, id, projected }) => this.#tenant(tenant).erase(dataset, id, projected),
    stop: async ({ tenant, pipe }) => this.#tenant(tenant).stop(pipe),
    letGo: async ({ tenant, pipe }) => this.#tenant(tenant).letGo(pipe),
    receive: ({ tenant, pipe, body, push }) => this.#tenant(tenant).receive(pipe, body, push),
    beginReceive: async ({ tenant, pipe, push }) => this.#tenant(tenant).beginReceive(pipe, push),
    addReceived: ({ tenant, number, piece }) => this.#tenant(tenant).addReceived(number, piece),
    endReceive: ({ tenant, number, isWhole }) => this.#tenant(tenant).endReceive(number, isWhole),
    preview: ({ tenant, ...query }) => this.#tenant(tenant).preview(query),
    expose: ({ tenant, dataset }) => this.#tenant(tenant).expose(dataset),
    repost: ({ tenant, dataset, ids }) => this.#tenant(tenant).repost(dataset, ids),
    append: ({ tenant, dataset, body, form, force }) => this.#tenant(tenant).append(dataset, body, force, form),
    reach: ({ tenant, system }) => this.#tenant(tenant).reach(system),
    shape: ({ tenant, dataset }) => this.#tenant(tenant).shape(dataset),
    datasetType: ({ tenant, dataset, options }) => this.#tenant(tenant).datasetType(dataset, options),
    schemaDefinition: ({ tenant, sampleSize, ...of }) => this.#tenant(tenant).schemaDefinition(of, sampleSize),
    propertyIndex: ({ tenant, dataset, property }) => this.#tenant(tenant).propertyIndex(dataset, property),
  }

  readonly streams: PumpMethods['streams'] = {
    read: ({ tenant, pipe, query }, signal) => this.#tenant(tenant).read(pipe, query, signal),
    publish: (argument, signal) => this.#tenant(argument.tenant).publish(argument, signal),
    forward: ({ tenant, system, request }, signal) => this.#tenant(tenant).forward(system, request, signal),
  }

  /** Compiling many pipes takes a while: runs go on meanwhile, and what did not change is not compiled again. */
  async #deploy({ tenant, components, env, folder, targets, isFresh, isKeeper }: DeployArgument): Promise<void> {
    const memory = (isFresh ? undefined : this.#memories.get(tenant)) ?? new DeploymentMemory()
    this.#memories.set(tenant, memory)
    const deployment = await deployInTurns(components, env, folder, { memory })
    memory.keep()
    await this.#tenant(tenant).deploy(deployment, isKeeper, targets)
  }

  /** The text without the secrets of any tenant. */
  mask(text: string): string {
    return [...this.#tenants.values()].reduce((hidden, tenant) => tenant.mask(hidden), text)
  }

  #tenant(name: string): PumpingTenant {
    const tenant = this.#tenants.get(name)
    if (tenant === undefined) throw new HubError('unknown-tenant', `Tenant '${name}' is not open.`)
    return tenant
  }
}
