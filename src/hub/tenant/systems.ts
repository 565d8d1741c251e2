/** What can be asked of a tenant's systems past any pipe: whether they answer, and requests to microservices (rest-api.md §3.6). */

import { noContainers } from '../../pipes/systems/microservice.ts'
import type * as hub from '../contract.ts'
import { systemDocument } from '../documents.ts'
import { HubError } from '../errors.ts'
import type { ForwardHead } from '../pump-protocol.ts'
import type { TenantCore } from './core.ts'

export class TenantSystems {
  readonly #core: TenantCore

  constructor(core: TenantCore) {
    this.#core = core
  }

  ids(): readonly string[] {
    return [...this.#core.deployment.systems.keys()]
  }

  document(id: string): string | undefined {
    const system = this.#core.deployment.systems.get(id)
    return system && systemDocument(system)
  }

  async status(id: string): Promise<string> {
    this.#known(id)
    const { name: tenant, pool } = this.#core.options
    return JSON.stringify(await pool.call('reach', { tenant, system: id }))
  }

  /** Logs and images are of containers, and this hub runs none. */
  container(id: string): never {
    this.#assertMicroservice(id)
    throw noContainers(id)
  }

  async forward(id: string, request: hub.ForwardRequest, signal: AbortSignal): Promise<hub.ForwardAnswer> {
    this.#assertMicroservice(id)
    const { name: tenant, pool } = this.#core.options
    const chunks = pool.stream('forward', { tenant, system: id, request }, signal)
    const first = await chunks.next()
    if (first.done === true) throw new HubError('answer-broken', `System '${id}' gave no answer.`)
    const { status, headers } = first.value as ForwardHead
    return { status, headers, body: chunks as AsyncIterable<Uint8Array> }
  }

  #assertMicroservice(id: string): void {
    if (this.#known(id) === 'system:microservice') return
    throw new HubError(
      'not-a-microservice',
      `System '${id}' is no microservice: requests go to it through pipes only.`,
      {
        hint: 'Only systems of type system:microservice have a proxy, logs and an image.',
      },
    )
  }

  /** Gives its type. */
  #known(id: string): string {
    const system = this.#core.deployment.systems.get(id)
    if (system === undefined) throw new HubError('unknown-system', `There is no system '${id}'.`)
    return system.component.type
  }
}
