/** The threads that run pipes, for all tenants of a node: who does what, and who takes the place of one that was lost. */

import type { MessagePort, Transferable } from 'node:worker_threads'
import type { Logger } from '../../pipes/logger.ts'
import type { RunReport } from '../../pipes/run-report.ts'
import type { PushParameters, ThreadStatus } from '../contract.ts'
import type { DeploymentText, PoolMethods, PumpEvent, PumpMethods, RunArgument } from '../pump-protocol.ts'
import { Homes } from './homes.ts'
import { leastBusy } from './load.ts'
import { PoolRuns, type RunPlacing } from './runs.ts'
import { Seat } from './seat.ts'
import { type Loss, lossOf, type PipeName, type PumpThread } from './thread.ts'

export interface PoolOptions {
  /** Threads at most; each is started when there is something for it. */
  readonly threads: number
  /** A run may hold its thread for so long. */
  readonly patienceMs?: number
  readonly logger: Logger
  readonly hear: (event: Extract<PumpEvent, { type: 'progress' }>) => void
  /** No thread can be started any more. */
  readonly onFatal: (error: Error) => void
}

/** A tenant as the threads open it. */
export interface PooledTenant {
  readonly tenant: string
  readonly base: string
  /** Folder of the tenant's log. */
  readonly path: string
  readonly infersTypes: boolean
  /** A port to the tenant's writer, one for each thread. */
  connect(): MessagePort
}

type Calls = PumpMethods['calls']
/** What is asked of one thread, chosen by what it is about. */
type Placed = Exclude<
  keyof Calls & string,
  'open' | 'close' | 'deploy' | 'secrets' | 'running' | 'forget' | 'discardSchema' | 'run' | 'stop' | 'letGo'
>
type Streams = PumpMethods['streams']

const LOOK_MS = 500
const PATIENCE_MS = 10_000
/** While the hub ends, nobody is waited for that long. */
const ENDING_PATIENCE_MS = 1_500
/** Threads that are lost before they are of any use, in a row, before the hub gives up. */
const FAILED_STARTS = 3
/** What can be asked again of the next thread when the one that did it was lost through another. */
const AGAIN: ReadonlySet<Placed> = new Set([
  'compact',
  'settle',
  'trim',
  'relieve',
  'expose',
  'fill',
  'shape',
  'datasetType',
  'schemaDefinition',
  'propertyIndex',
])
const LOSSES = 3

interface Record {
  readonly opening: PooledTenant
  secrets: SecretsArgument | null
  deployment: DeploymentText | null
}

type SecretsArgument = Parameters<Calls['secrets']>[0]

export class PumpPool {
  readonly #options: PoolOptions
  readonly #seats: readonly Seat[]
  readonly #runs: PoolRuns
  readonly #tenants = new Map<string, Record>()
  readonly #homes = new Homes({ choose: (preferred) => this.#chooseReady(preferred) })
  readonly #watch: NodeJS.Timeout
  #patience: number
  #isClosing = false

  constructor(options: PoolOptions) {
    const { threads, patienceMs = PATIENCE_MS } = options
    this.#options = options
    this.#patience = Math.ceil(patienceMs / LOOK_MS)
    this.#seats = Array.from({ length: threads }, (_, number) => this.#seat(number))
    this.#runs = new PoolRuns({
      now: Date.now,
      choose: (preferred) => this.#choose(preferred),
      announce: ({ tenant, pipe }, isRunning) =>
        void this.#tellAll((thread) => thread.call('running', { tenant, pipe, isRunning })),
      isClosing: () => this.#isClosing,
      patienceSeconds: patienceMs / 1_000,
    })
    this.#watch = setInterval(() => {
      for (const seat of this.#seats) seat.look(this.#patience)
    }, LOOK_MS)
    this.#watch.unref()
  }

  async open(opening: PooledTenant): Promise<void> {
    const keeper = this.#seats[0] as Seat
    const isFirst = !keeper.isStarted
    this.#tenants.set(opening.tenant, { opening, secrets: null, deployment: null })
    if (isFirst) await keeper.thread()
    else await this.#tellAll((thread) => this.#openOn(thread, opening))
  }

  /** All threads know it when it resolves. */
  async deploy(
    deployment: DeploymentText,
    { changed, isFresh }: { readonly changed: readonly string[]; readonly isFresh: boolean },
  ): Promise<void> {
    const { tenant } = deployment
    const record = this.#tenants.get(tenant)
    if (record !== undefined) record.deployment = deployment
    for (const pipe of changed) this.#runs.forget({ tenant, pipe })
    await this.#tellAll((thread, seat) => thread.call('deploy', { ...deployment, isFresh, isKeeper: seat === 0 }), true)
  }

  /** All threads use them when it resolves. */
  async setSecrets(argument: SecretsArgument): Promise<void> {
    const record = this.#tenants.get(argument.tenant)
    if (record !== undefined) record.secrets = argument
    await this.#tellAll((thread) => thread.call('secrets', argument))
  }

  /** Runs of the tenant end between two batches. */
  async closeTenant(tenant: string): Promise<void> {
    this.#tenants.delete(tenant)
    await this.#tellAll((thread) => thread.call('close', { tenant }))
    this.#homes.forget((key) => (JSON.parse(key) as string[])[1] === tenant)
  }

  /** From now on no thread is replaced, and none may hold up the end. */
  beginClosing(): void {
    this.#isClosing = true
    this.#patience = Math.min(this.#patience, Math.ceil(ENDING_PATIENCE_MS / LOOK_MS))
  }

  async close(): Promise<void> {
    this.beginClosing()
    clearInterval(this.#watch)
    await Promise.all(this.#seats.map((seat) => seat.close()))
  }

  /** On the least busy thread. Codes: already-running, run-lost, run-paused, run-interrupted. */
  run(argument: RunArgument, placing: RunPlacing): Promise<RunReport> {
    const report = this.#runs.run(argument, placing)
    this.#keepSpare()
    return report
  }

  /** Somebody asks for a run of it: that it cost a thread before does not count. */
  excuse(pipe: PipeName): void {
    this.#runs.excuse(pipe)
  }

  /** Ends its run, or the compaction after it, between two batches. */
  async stop(pipe: PipeName): Promise<void> {
    const seats = new Set([
      ...this.#runs.of(pipe).map(({ seat }) => seat),
      this.#homes.known(keyOf('compaction', pipe.tenant)),
    ])
    await Promise.all(
      [...seats].map((seat) => seat?.use((thread) => thread.call('stop', pipe)).catch((error) => unlessLost(error))),
    )
  }

  /** The thread on which the pipe runs. */
  threadOf(pipe: PipeName): number | null {
    return this.#runs.of(pipe).find(({ isBackground }) => !isBackground)?.seat.number ?? null
  }

  async call<K extends Placed>(
    method: K,
    argument: Parameters<Calls[K]>[0],
    transfer: readonly Transferable[] = [],
  ): Promise<Awaited<ReturnType<Calls[K]>>> {
    for (let losses = 1; ; losses++) {
      try {
        const answer = this.#placeOf(method, argument as Placing).use((thread) =>
          thread.call(method, argument, transfer),
        )
        this.#keepSpare()
        return await answer
      } catch (error) {
        const loss = lossOf(error)
        if (loss === null || this.#isClosing || losses === LOSSES || !AGAIN.has(method)) throw error
      }
    }
  }

  /**
   * Something is sent to a receiver, in one call or several, which all go to one thread. Before, its home may become another
   * one: not in the midst of a full sync, which the thread knows of.
   */
  receiving<T>({ tenant, pipe }: PipeName, { isFull }: PushParameters, work: () => Promise<T>): Promise<T> {
    return this.#homes.within(keyOf('receiver', tenant, pipe), work, {
      mayMove: !isFull,
      letGo: (former) => former.use((thread) => thread.call('letGo', { tenant, pipe })),
    })
  }

  /** Erases an entity; no thread keeps anything of it in memory. */
  async erase(argument: Parameters<Calls['erase']>[0]): Promise<number> {
    const erased = await this.call('erase', argument)
    const { tenant, dataset } = argument
    await this.#tellAll((thread) => thread.call('forget', { tenant, dataset }))
    return erased
  }

  /** No thread knows what the pipe's entities looked like. */
  async discardSchema(pipe: PipeName): Promise<void> {
    await this.#tellAll((thread) => thread.call('discardSchema', pipe))
  }

  async *stream<K extends keyof Streams & string>(
    method: K,
    argument: Parameters<Streams[K]>[0],
    signal: AbortSignal,
  ): AsyncGenerator<ReturnType<Streams[K]> extends AsyncIterable<infer T> ? T : never> {
    // What the programs of a publisher remember is where it was asked before.
    const { tenant, pipe } = argument as Placing
    const seat = method === 'publish' ? this.#homes.of(keyOf('publisher', tenant, pipe)) : this.#chooseReady()
    const leave = seat.enter()
    try {
      yield* (await seat.thread()).stream(method, argument, signal)
    } finally {
      leave()
    }
  }

  status(): readonly ThreadStatus[] {
    const runs = this.#runs.underWay()
    return this.#seats.map((seat) => {
      const { number, losses, lastLoss } = seat
      const { busy } = seat.load(Date.now())
      return {
        number,
        isStarted: seat.isStarted,
        busy,
        runs: runs.flatMap((run) =>
          run.seat === seat ? [{ tenant: run.tenant, pipe: run.pipe, startedAt: run.startedAt }] : [],
        ),
        restarts: losses,
        lastLoss: lastLoss && { at: lastLoss.at, message: lastLoss.loss.message, ...lastLoss.loss.culprit },
      }
    })
  }

  #seat(number: number): Seat {
    return new Seat({
      number,
      hear: (event) => {
        if (event.type === 'log') this.#options.logger[event.level](event.message, event.details)
        else this.#options.hear(event)
      },
      pool: this.#services,
      prepare: (thread) => this.#prepare(thread, number),
      onLost: (seat, loss) => this.#replace(seat, loss),
    })
  }

  /** What threads ask of one another. */
  readonly #services: PoolMethods = {
    calls: {
      fill: (index) => this.call('fill', index),
      relieve: (argument) => this.call('relieve', argument),
    },
    streams: {},
  }

  async #prepare(thread: PumpThread, seat: number): Promise<void> {
    for (const { opening, secrets, deployment } of [...this.#tenants.values()]) {
      await this.#openOn(thread, opening)
      if (secrets !== null) await thread.call('secrets', secrets)
      if (deployment !== null) await thread.call('deploy', { ...deployment, isFresh: true, isKeeper: seat === 0 })
    }
  }

  #openOn(thread: PumpThread, { tenant, base, path, infersTypes, connect }: PooledTenant): Promise<void> {
    const journal = connect()
    const running = this.#runs.underWay().flatMap((run) => (run.tenant === tenant ? [run.pipe] : []))
    return thread.call('open', { tenant, base, path, journal, running, infersTypes }, [journal])
  }

  #replace(seat: Seat, { message, culprit }: Loss): void {
    if (this.#isClosing) return
    const of = culprit === null ? '' : ` while it worked for pipe '${culprit.pipe}'`
    this.#options.logger.error(`Pump thread ${seat.number} was lost${of}: ${message}. Another one takes its place.`, {
      event: 'pump-thread-lost',
      thread: seat.number,
      ...culprit,
    })
    // What it knew is gone: nobody needs to wait for the next one.
    this.#homes.forgetSeat(seat)
    if (seat.failedStarts >= FAILED_STARTS) {
      this.#options.onFatal(new Error(`No thread that runs pipes can be started: ${message}`))
    } else seat.thread().catch(() => {})
  }

  async #tellAll(work: (thread: PumpThread, seat: number) => Promise<unknown>, isLong = false): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.tell((thread) => work(thread, seat.number), isLong)))
  }

  /** When all threads that are there have something to do, the next one starts: what comes then need not wait for it. */
  #keepSpare(): void {
    if (this.#isClosing) return
    const now = Date.now()
    if (this.#seats.some((seat) => seat.isStarted && seat.load(now).underWay === 0)) return
    this.#seats
      .find((seat) => !seat.isStarted)
      ?.thread()
      .catch(() => {})
  }

  #choose(preferred?: Seat): Seat {
    const now = Date.now()
    const place = leastBusy(
      this.#seats.map((seat) => seat.load(now)),
      preferred?.number,
    )
    return this.#seats[place] as Seat
  }

  /** For what somebody waits for: no thread is started for it. */
  #chooseReady(preferred?: Seat): Seat {
    const now = Date.now()
    const ready = this.#seats.filter((seat) => seat.load(now).isReady)
    const known = preferred === undefined ? -1 : ready.indexOf(preferred)
    const place = leastBusy(
      ready.map((seat) => seat.load(now)),
      known < 0 ? undefined : known,
    )
    return ready[place] ?? (this.#seats[0] as Seat)
  }

  /** Where this is done: at its home, if it has one. */
  #placeOf(method: Placed, argument: Placing): Seat {
    const key = homeOf(method, argument)
    return key === null ? this.#chooseReady() : this.#homes.of(key)
  }
}

interface Placing {
  readonly tenant: string
  readonly pipe?: string
  readonly dataset?: string
}

const keyOf = (...parts: readonly (string | undefined)[]): string => JSON.stringify(parts)

/**
 * What must be done by one thread, or is best done there: a receiver knows of the full sync that is under way; one
 * compaction of a dataset must not meet another; a shape is folded on from where it was; an index is filled once.
 */
function homeOf(method: Placed, { tenant, pipe, dataset }: Placing): string | null {
  switch (method) {
    case 'receive':
    case 'beginReceive':
    case 'addReceived':
    case 'endReceive':
      return keyOf('receiver', tenant, pipe)
    case 'compact':
    case 'settle':
    case 'trim':
    case 'relieve':
    case 'erase':
      return keyOf('compaction', tenant)
    case 'fill':
    case 'propertyIndex':
    case 'expose':
      return keyOf('dataset', tenant, dataset)
    case 'shape':
    case 'datasetType':
      return keyOf('shape', tenant, dataset)
    default:
      return null
  }
}

function unlessLost(error: unknown): void {
  if (lossOf(error) === null) throw error
}
