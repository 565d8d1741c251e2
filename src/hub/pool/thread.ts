/** One pump thread from its start to its end: what is asked of it, and how it was lost if it was. */

import { MessageChannel, type Transferable, type Worker } from 'node:worker_threads'
import { endThread, startThread } from '../../log/thread.ts'
import { Caller, serveMethods } from '../channel.ts'
import { HubError } from '../errors.ts'
import type { PoolMethods, PumpEvent, PumpMethods, PumpThreadData } from '../pump-protocol.ts'
import { Sheet } from './sheet.ts'

/** A pipe of a tenant. */
export interface PipeName {
  readonly tenant: string
  readonly pipe: string
}

/** How a thread was lost. */
export interface Loss {
  /** `held`: it did not come to anything else for too long; `memory`: it needed more than there is for it. */
  readonly kind: 'held' | 'memory' | 'error'
  readonly message: string
  /** What it was working for, as far as it is known. */
  readonly culprit: PipeName | null
}

/** Young generation in MB. Batches live for a moment: with a small one most of the time goes into copying what is about to die. */
const YOUNG_MB = 96

export interface ThreadOptions {
  readonly name: string
  readonly hear: (event: Exclude<PumpEvent, { type: 'pipe' }>) => void
  readonly pool: PoolMethods
  readonly onLost: (loss: Loss) => void
}

export class PumpThread {
  readonly #options: ThreadOptions
  readonly #worker: Worker
  readonly #caller: Caller<PumpMethods>
  readonly #sheet = new Sheet()
  readonly #pipes = new Map<number, PipeName>()
  #cause: Error | null = null
  #isHeld = false
  #isEnding = false
  #beats = -1
  /** Looks in vain: it did not beat since the one before. */
  #looks = 0
  #utilization: ReturnType<Worker['performance']['eventLoopUtilization']>

  constructor(options: ThreadOptions) {
    this.#options = options
    const { port1, port2 } = new MessageChannel()
    const workerData: PumpThreadData = { sheet: this.#sheet.buffer, pool: port2, youngMb: YOUNG_MB }
    this.#worker = startThread(import.meta.url, '../pump-thread.ts', {
      name: options.name,
      workerData,
      transferList: [port2],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    serveMethods(port1, options.pool)
    port1.unref()
    this.#caller = new Caller<PumpMethods>(this.#worker, (event) => this.#hear(event as PumpEvent))
    this.#worker.on('error', (error) => {
      this.#cause = error as Error
    })
    this.#worker.on('exit', (code) => {
      port1.close()
      this.#end(code)
    })
    this.#utilization = this.#worker.performance.eventLoopUtilization()
  }

  call<K extends keyof PumpMethods['calls'] & string>(
    method: K,
    argument: Parameters<PumpMethods['calls'][K]>[0],
    transfer: readonly Transferable[] = [],
  ): Promise<Awaited<ReturnType<PumpMethods['calls'][K]>>> {
    return this.#caller.call(method, argument, transfer)
  }

  stream<K extends keyof PumpMethods['streams'] & string>(
    method: K,
    argument: Parameters<PumpMethods['streams'][K]>[0],
    signal: AbortSignal,
  ): AsyncGenerator<ReturnType<PumpMethods['streams'][K]> extends AsyncIterable<infer T> ? T : never> {
    return this.#caller.stream(method, argument, signal)
  }

  /** Share of the time since it was last asked in which the thread was busy. */
  busy(): number {
    const former = this.#utilization
    this.#utilization = this.#worker.performance.eventLoopUtilization()
    const { utilization } = this.#worker.performance.eventLoopUtilization(this.#utilization, former)
    return Number.isFinite(utilization) ? utilization : 0
  }

  /** Called at regular intervals: after so many in a row without a sign of life it is ended, and whatever holds it with it. */
  look(patience: number): void {
    const { beats } = this.#sheet
    this.#looks = beats === this.#beats ? this.#looks + 1 : 0
    this.#beats = beats
    if (this.#looks < patience || this.#isHeld) return
    this.#isHeld = true
    void endThread(this.#worker)
  }

  /** It is doing what takes as long as it takes. */
  excuse(): void {
    this.#looks = 0
  }

  /** Ends it at whatever it is: nothing it had handed over is torn. */
  async end(): Promise<void> {
    this.#isEnding = true
    await endThread(this.#worker)
  }

  #hear(event: PumpEvent): void {
    if (event.type === 'pipe') this.#pipes.set(event.number, event)
    else this.#options.hear(event)
  }

  #end(code: number): void {
    const loss = this.#loss(code)
    this.#caller.fail(threadLost(loss))
    if (!this.#isEnding) this.#options.onLost(loss)
  }

  #loss(code: number): Loss {
    const culprit = this.#pipes.get(this.#sheet.pipe) ?? null
    if (this.#isHeld) return { kind: 'held', message: 'it was held for too long', culprit }
    if (this.#cause === null) return { kind: 'error', message: `it ended with code ${code}`, culprit }
    const isMemory = (this.#cause as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY'
    return { kind: isMemory ? 'memory' : 'error', message: this.#cause.message, culprit }
  }
}

/** What everybody is told who waits for the thread. */
const threadLost = (loss: Loss): HubError =>
  new HubError('pump-thread-lost', `The thread that did this was lost: ${loss.message}.`, {
    hint: 'Another one has taken its place: try again.',
    details: { loss },
  })

/** The loss that an error tells of, if it does. */
export function lossOf(error: unknown): Loss | null {
  const { code, details } = error as Partial<HubError>
  return code === 'pump-thread-lost' ? ((details?.loss as Loss | undefined) ?? null) : null
}
