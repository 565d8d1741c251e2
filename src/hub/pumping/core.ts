/** What the parts of a tenant share on a pump thread: its log open for reading, its journal, what is deployed there. */

import type { Journal } from '../../log/contract.ts'
import type { LogReader } from '../../log/reader.ts'
import { createNaming, type Naming } from '../../model/iri.ts'
import { Besides } from '../../pipes/beside/besides.ts'
import { IndexCompiler } from '../../pipes/dataset-writer.ts'
import { PipeError } from '../../pipes/errors.ts'
import { causedBy, type Logger } from '../../pipes/logger.ts'
import { FoundBefore } from '../../pipes/lookup.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import type { SystemPort, SystemSurroundings } from '../../pipes/systems/contract.ts'
import { openSystems, type SystemPool } from '../../pipes/systems/pool.ts'
import type { TargetRules } from '../../pipes/systems/targets.ts'
import { urlSystem } from '../../pipes/systems/url.ts'
import type { UrlConfig } from '../../pipes/systems/url-config.ts'
import type { Turn } from '../../pipes/turn.ts'
import type { Deployment } from '../deployment.ts'
import type { PoolMethods, PumpEvent } from '../pump-protocol.ts'
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
  #systems: SystemPool | null = null
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
  }

  get deployment(): Deployment | null {
    return this.#deployment
  }

  get naming(): Naming {
    return this.#naming
  }

  async adopt(deployment: Deployment, targets: TargetRules): Promise<void> {
    const former = this.#systems
    this.#deployment = deployment
    this.#naming = createNaming({ base: this.#base, namespaces: deployment.node.prefixes })
    this.#systems = openSystems(deployment.systems, plainWeb, {
      folder: deployment.folder,
      targets,
    })
    // Runs under way keep the systems they were given; those are closed once nobody waits on them.
    await former?.close()
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
    return (id) => {
      if (systems === null) throw new PipeError('unknown-system', 'No systems are deployed.')
      return systems.get(id)
    }
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
        this.emit({ type: 'log', level, message, details: { tenant: this.name, pipe, ...details } })
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
    await this.#systems?.close()
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
