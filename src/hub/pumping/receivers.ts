/** The receivers of a pump thread: each pipe has one, which knows of the full sync that is under way. */

import { PipeError } from '../../pipes/errors.ts'
import { GuardedReceiver } from '../../pipes/guarded-receiver.ts'
import { updatedEntity, withVersions } from '../../pipes/locking.ts'
import { isReceiver, type Pipe } from '../../pipes/pipe.ts'
import { Receiver } from '../../pipes/receiver.ts'
import type { RunPorts } from '../../pipes/run-ports.ts'
import type { PushParameters, ReceiveAnswer } from '../contract.ts'

export class Receivers {
  readonly #ports: (pipe: Pipe) => RunPorts
  readonly #open = new Map<string, Receiver | GuardedReceiver>()

  constructor(ports: (pipe: Pipe) => RunPorts) {
    this.#ports = ports
  }

  /** The pipes are others now. */
  clear(): void {
    this.#open.clear()
  }

  async take(pipe: Pipe, body: Uint8Array, push: PushParameters): Promise<ReceiveAnswer> {
    const { sink } = pipe
    const { log, relieve } = this.#ports(pipe)
    try {
      const received = await this.#receiver(pipe).take(body, push)
      await relieve?.(pipe)
      const isLocked = sink.kind === 'dataset' && sink.rules.isLocked
      return { updated: isLocked ? updatedEntity(log, sink.dataset, received) : null }
    } catch (error) {
      throw withVersions(log, error)
    }
  }

  #receiver(pipe: Pipe): Receiver | GuardedReceiver {
    if (!isReceiver(pipe)) throw new PipeError('not-a-receiver', `Pipe '${pipe.id}' does not receive entities.`)
    let receiver = this.#open.get(pipe.id)
    if (receiver === undefined) {
      const { sink } = pipe
      const ports = this.#ports(pipe)
      const isTripping = pipe.transforms.some(({ analysis }) => analysis.trips)
      const isGuarded = sink.kind === 'dataset' && (sink.breaker !== null || isTripping)
      receiver = isGuarded ? new GuardedReceiver(pipe, sink, ports) : new Receiver(pipe, ports)
      this.#open.set(pipe.id, receiver)
    }
    return receiver
  }
}
