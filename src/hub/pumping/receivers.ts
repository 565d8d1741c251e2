/** The receivers of a pump thread: each pipe has one, which knows of the full sync that is under way. */

import { PipeError } from '../../pipes/errors.ts'
import { GuardedReceiver } from '../../pipes/guarded-receiver.ts'
import { updatedEntity, withVersions } from '../../pipes/locking.ts'
import { isReceiver, type Pipe, takesLong } from '../../pipes/pipe.ts'
import { Receiver } from '../../pipes/receiver.ts'
import type { RunPorts } from '../../pipes/run-ports.ts'
import type { PushParameters, ReceiveAnswer } from '../contract.ts'
import { brokenOff, Upload } from './uploads.ts'

export class Receivers {
  readonly #ports: (pipe: Pipe) => RunPorts
  readonly #open = new Map<string, Receiver | GuardedReceiver>()

  readonly #uploads = new Map<number, { readonly upload: Upload; readonly taken: Promise<unknown> }>()
  #nextUpload = 1

  constructor(ports: (pipe: Pipe) => RunPorts) {
    this.#ports = ports
  }

  /** These pipes are others now, or gone; a full sync that others are in the midst of goes on. */
  forget(pipes: readonly string[]): void {
    for (const pipe of pipes) this.#open.delete(pipe)
  }

  /** Another thread has it now; what it knew of a full sync is stored. */
  letGo(pipe: string): void {
    this.#open.delete(pipe)
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

  /** Begins to take a long request; gives the number under which its pieces are to be brought. */
  begin(pipe: Pipe, push: PushParameters): number {
    const { sink } = pipe
    const receiver = this.#receiver(pipe)
    if (!takesLong(pipe) || sink.kind !== 'dataset' || !(receiver instanceof Receiver)) {
      throw new PipeError('body-too-large', `Pipe '${pipe.id}' takes a request as a whole, and this one is too long.`)
    }
    const upload = new Upload()
    const { log, relieve } = this.#ports(pipe)
    const taken = receiver.takeLong(upload.groups(sink.rules.maxEntityBytes), push).then(
      () => relieve?.(pipe),
      (error: Error) => {
        upload.fail(error)
        throw withVersions(log, error)
      },
    )
    // Whoever brings the pieces hears of it.
    taken.catch(() => {})
    const number = this.#nextUpload++
    this.#uploads.set(number, { upload, taken })
    return number
  }

  async add(number: number, piece: Uint8Array): Promise<void> {
    await this.#upload(number).upload.add(piece)
  }

  /** Resolves when all of it is on disk; with `isWhole` false it broke off. */
  async end(number: number, isWhole: boolean): Promise<ReceiveAnswer> {
    const { upload, taken } = this.#upload(number)
    this.#uploads.delete(number)
    if (isWhole) upload.end()
    else upload.fail(brokenOff())
    await taken
    return { updated: null }
  }

  #upload(number: number): { readonly upload: Upload; readonly taken: Promise<unknown> } {
    const found = this.#uploads.get(number)
    if (found !== undefined) return found
    throw new PipeError('pump-thread-lost', 'The thread that stored the request was lost.', {
      hint: 'Send all of it again.',
    })
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
