/** What the parts of a tenant share on a pump thread: its log open for reading, its journal, what is deployed there. */

import type { Journal } from '../../log/contract.ts'
import type { LogReader } from '../../log/reader.ts'
import { createNaming, type Naming } from '../../model/iri.ts'
import { masked } from '../../model/masked.ts'
import { Besides } from '../../pipes/beside/besides.ts'
import { IndexCompiler } from '../../pipes/dataset-writer.ts'
import { PipeError } from '../../pipes/errors.ts'
import { causedBy, type Logger } from '../../pipes/logger.ts'
import { FoundBefore } from '../../pipes/lookup.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import type { Secrets } from '../../pipes/secrets.ts'
import type { SystemPort, SystemSurroundings } from '../../pipes/systems/contract.ts'
import { SystemPool } from '../../pipes/systems/pool.ts'
import { OUTER_TARGETS, type TargetRules } from '../../pipes/systems/targets.ts'
import { urlSystem } from '../../pipes/systems/url.ts'
import type { UrlConfig } from '../../pipes/systems/url-config.ts'
import type { Turn } from '../../pipes/turn.ts'
import type { Deployment } from '../deployment.ts'
import type { PoolMethods, PumpEvent } from '../pump-protocol.ts'
import { KnownSecrets, type SecretBytes } from '../secrets/known.ts'
import type { Turns } from './turns.ts'

/** What the thread itself gives to all tenants on it. */
export interface ThreadPorts {
  readonly emit: (event: PumpEvent) => void
  readonly turns: Turns
  /** What is done by the thread that does it for all. */
  readonly pool: PoolMethods['calls']
}

export class PumpingCore {
  readonly name: string
  readonly log: LogReader
  readonly journal: Journal
  readonly emit: (event: PumpEvent) => void
  readonly pool: PoolMethods['calls']
  readonly found = new FoundBefore()
  readonly indexes = new IndexCompiler()
  readonly runs = new Map<string, AbortController>()
  /** Those in the background, and what they share with the runs beside them. */
  readonly rescans = new Map<string, AbortController>()
  readonly besides = new Besides()
  /** Pipes that run on other threads. */
  readonly elsewhere = new Set<string>()
  /** Of all work that goes on between two runs. */
  readonly closing = new AbortController()
  readonly #base: string
  readonly #turns: Turns
  readonly #work = new Set<Promise<void>>()
  #deployment: Deployment | null = null
  #systems: SystemPool
  /** What uses systems, from its beginning to its end. */
  readonly #uses = new Set<Promise<unknown>>()
  #secrets = new KnownSecrets()
  /** The secrets as they are now, also for who was given them before. */
  readonly secrets: Secrets = {
    valueOf: (name, system) => this.#secrets.valueOf(name, system),
    mask: (text) => this.#secrets.mask(text),
  }
  /** Which network addresses systems may reach. */
  #targets: TargetRules = OUTER_TARGETS
  #naming: Naming

  constructor(name: string, base: string, log: LogReader, journal: Journal, thread: ThreadPorts) {
    this.name = name
    this.log = log
    this.journal = journal
    this.emit = thread.emit
    this.pool = thread.pool
    this.#turns = thread.turns
    this.#base = base
    this.#naming = createNaming({ base })
    this.#systems = new SystemPool(new Map(), plainWeb, this.#surroundings(null))
  }

  get deployment(): Deployment | null {
    return this.#deployment
  }

  get naming(): Naming {
    return this.#naming
  }

  adopt(deployment: Deployment, targets: TargetRules): void {
    const former = this.#deployment
    const isOpenTo = JSON.stringify(targets) === JSON.stringify(this.#targets)
    const isSame = (system: string) =>
      isOpenTo &&
      former?.folder === deployment.folder &&
      former.systems.get(system)?.open === deployment.systems.get(system)?.open
    this.#deployment = deployment
    this.#targets = targets
    this.#naming = createNaming({ base: this.#base, namespaces: deployment.node.prefixes })
    this.#reopen(isSame)
  }

  /** A system that uses one that changed is opened anew by whoever uses it next. */
  setSecrets(secrets: readonly SecretBytes[]): void {
    const [former, now] = [this.#secrets, new KnownSecrets(secrets)]
    this.#secrets = now
    this.#reopen((id) => now.isSameFor(id, this.#deployment?.systems.get(id)?.secrets ?? [], former))
  }

  /** Runs under way keep the systems they were given; those are closed once nobody has them any more. */
  #reopen(isSame: (system: string) => boolean): void {
    const former = this.#systems
    const { systems = new Map(), folder = null } = this.#deployment ?? {}
    this.#systems = former.successor(systems, this.#surroundings(folder), isSame)
    this.track(Promise.allSettled([...this.#uses]).then(() => former.close()))
  }

  #surroundings(folder: string | null): SystemSurroundings {
    return { folder, targets: this.#targets, secrets: this.secrets }
  }

  /** Until what is given has ended, the systems it was given stay open. */
  use<T>(work: Promise<T>): Promise<T> {
    this.#uses.add(work)
    const forget = () => void this.#uses.delete(work)
    work.then(forget, forget)
    return work
  }

  pipe(id: string): Pipe {
    const deployed = this.#deployment?.pipes.get(id)
    if (deployed === undefined) throw new PipeError('unknown-pipe', `There is no pipe '${id}'.`)
    if (deployed.pipe === null) {
      throw new PipeError('invalid-pipe', `Pipe '${id}' has errors in its configuration and cannot run.`)
    }
    return deployed.pipe
  }

  /** The systems as they are now, also for who asks later. */
  systems(): (id: string | undefined) => SystemPort {
    const systems = this.#systems
    return (id) => systems.get(id)
  }

  /** A system as it is at that moment. */
  system(id: string | undefined): SystemPort {
    return this.#systems.get(id)
  }

  isRunning(pipe: string): boolean {
    return this.runs.has(pipe) || this.rescans.has(pipe) || this.elsewhere.has(pipe)
  }

  turn(pipe: string): Turn {
    return this.#turns.of(this.name, pipe)
  }

  /** `cause`: id of the request that asked. */
  logger(pipe: string, cause?: string): Logger {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (message: string, details = {}) =>
        this.emit({
          type: 'log',
          level,
          message: this.secrets.mask(message),
          details: masked({ tenant: this.name, pipe, ...details }, this.secrets.mask),
        })
    return causedBy({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, cause)
  }

  /** Work that is to end before the log is closed. */
  track(work: Promise<void>): void {
    const forget = () => void this.#work.delete(ended)
    const ended: Promise<void> = work.then(forget, forget)
    this.#work.add(ended)
  }

  /** `idle` resolves when what is not tracked has ended, too. */
  async close(idle: () => Promise<void>): Promise<void> {
    this.closing.abort()
    for (const run of [...this.runs.values(), ...this.rescans.values()]) run.abort()
    await Promise.all(this.#work)
    await idle()
    while (this.runs.size + this.rescans.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await this.#systems.close()
    await this.log.close()
  }
}

const PLAIN_WEB: UrlConfig = {
  type: 'system:url',
  url_pattern: '%s',
  verify_ssl: true,
  connect_timeout: 60,
  read_timeout: 1800,
  ignore_invalid_content_length_response_header: false,
}

/** A source or sink without a system has only absolute addresses. */
const plainWeb = (surroundings: SystemSurroundings): SystemPort => urlSystem.open('', PLAIN_WEB, surroundings)
