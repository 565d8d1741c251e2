/** Calls and streams between two threads: plain data crosses, a reader that is slow slows the writer, and errors keep their code. */

import type { MessagePort, Transferable, Worker } from 'node:worker_threads'
import { type ErrorData, errorData, errorFrom, HubError, maskedError } from './errors.ts'

type Port = Pick<MessagePort | Worker, 'on' | 'postMessage'>

type Request =
  | { readonly type: 'call' | 'stream'; readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly type: 'credit' | 'cancel'; readonly id: number }

type Answer =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'chunk'; readonly id: number; readonly value: unknown }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorData }
  | { readonly type: 'event'; readonly event: unknown }

/** Methods of the serving side: a call answers once, a stream many times. Each takes one argument. */
export interface Methods {
  // biome-ignore lint/suspicious/noExplicitAny: the methods of an interface have arguments of their own types
  calls: Record<string, (argument: any, signal: AbortSignal) => Promise<unknown>>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  streams: Record<string, (argument: any, signal: AbortSignal) => AsyncIterable<unknown>>
}

/** Chunks on their way at most, for each stream. */
const CREDITS = 4

type Waiting = {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The calling side of a channel. */
export class Caller<M extends Methods> {
  readonly #port: Port
  readonly #calls = new Map<number, Waiting>()
  readonly #streams = new Map<number, (answer: Answer) => void>()
  #next = 1
  #dead: HubError | null = null

  constructor(port: Port, onEvent: (event: unknown) => void = () => {}) {
    this.#port = port
    port.on('message', (answer: Answer) => {
      if (answer.type === 'event') return onEvent(answer.event)
      const call = this.#calls.get(answer.id)
      if (call === undefined) return this.#streams.get(answer.id)?.(answer)
      this.#calls.delete(answer.id)
      if (answer.type === 'error') call.reject(errorFrom(answer.error))
      else call.resolve((answer as { value: unknown }).value)
    })
  }

  call<K extends keyof M['calls'] & string>(
    method: K,
    argument: Parameters<M['calls'][K]>[0],
    transfer: readonly Transferable[] = [],
  ): Promise<Awaited<ReturnType<M['calls'][K]>>> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== null) return reject(this.#dead)
      const id = this.#next++
      this.#calls.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#port.postMessage({ type: 'call', id, method, argument } satisfies Request, transfer as Transferable[])
    })
  }

  async *stream<K extends keyof M['streams'] & string>(
    method: K,
    argument: Parameters<M['streams'][K]>[0],
    signal: AbortSignal,
  ): AsyncGenerator<ReturnType<M['streams'][K]> extends AsyncIterable<infer T> ? T : never> {
    if (this.#dead !== null) throw this.#dead
    const id = this.#next++
    const arrived: Answer[] = []
    let wake = () => {}
    this.#streams.set(id, (answer) => {
      arrived.push(answer)
      wake()
    })
    const abort = () => wake()
    signal.addEventListener('abort', abort)
    let isOver = false
    try {
      this.#port.postMessage({ type: 'stream', id, method, argument } satisfies Request)
      while (!signal.aborted) {
        const answer = arrived.shift()
        if (answer === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        if (answer.type === 'chunk') {
          this.#port.postMessage({ type: 'credit', id } satisfies Request)
          yield answer.value as never
          continue
        }
        isOver = true
        if (answer.type === 'error') throw errorFrom(answer.error)
        return
      }
    } finally {
      signal.removeEventListener('abort', abort)
      this.#streams.delete(id)
      if (!isOver) this.#port.postMessage({ type: 'cancel', id } satisfies Request)
    }
  }

  /** Everything waiting, and everything asked from now on, fails with this error: the other side is gone. */
  fail(error: HubError): void {
    this.#dead = error
    for (const { reject } of this.#calls.values()) reject(error)
    this.#calls.clear()
    for (const [id, hear] of this.#streams) hear({ type: 'error', id, error: errorData(error) })
  }
}

/** Bytes that have memory of their own are given away and not copied. */
function ownBytes(value: unknown): Transferable[] {
  if (!(value instanceof Uint8Array) || value.byteLength !== value.buffer.byteLength) return []
  return [value.buffer as ArrayBuffer]
}

/** Serves the methods on a port; gives a function that sends an event to the calling side. */
export function serveMethods(
  port: Port,
  methods: Methods,
  mask: (text: string) => string = (text) => text,
): (event: unknown) => void {
  const running = new Map<number, { readonly abort: AbortController; credit: () => void }>()
  const send = (answer: Answer) => port.postMessage(answer)

  const call = async (id: number, method: string, argument: unknown) => {
    const abort = new AbortController()
    running.set(id, { abort, credit: () => {} })
    try {
      const handler = methods.calls[method]
      if (handler === undefined) throw new HubError('unexpected', `No method '${method}'.`)
      send({ type: 'result', id, value: await handler(argument, abort.signal) })
    } catch (error) {
      send({ type: 'error', id, error: maskedError(errorData(error), mask) })
    } finally {
      running.delete(id)
    }
  }

  const stream = async (id: number, method: string, argument: unknown) => {
    const abort = new AbortController()
    let credits = CREDITS
    let wake = () => {}
    running.set(id, {
      abort,
      credit: () => {
        credits++
        wake()
      },
    })
    abort.signal.addEventListener('abort', () => wake())
    try {
      const handler = methods.streams[method]
      if (handler === undefined) throw new HubError('unexpected', `No stream '${method}'.`)
      for await (const value of handler(argument, abort.signal)) {
        while (credits === 0 && !abort.signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
        if (abort.signal.aborted) return
        credits--
        port.postMessage({ type: 'chunk', id, value } satisfies Answer, ownBytes(value))
      }
      send({ type: 'end', id })
    } catch (error) {
      if (!abort.signal.aborted) send({ type: 'error', id, error: maskedError(errorData(error), mask) })
    } finally {
      running.delete(id)
    }
  }

  port.on('message', (request: Request) => {
    if (request.type === 'call') void call(request.id, request.method, request.argument)
    else if (request.type === 'stream') void stream(request.id, request.method, request.argument)
    else if (request.type === 'credit') running.get(request.id)?.credit()
    else running.get(request.id)?.abort.abort()
  })
  return (event) => send({ type: 'event', event })
}
