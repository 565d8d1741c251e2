/** Posts entities to a web service: the client's side of JSON Push (rest-api.md §7). */

import { randomUUID } from 'node:crypto'
import { type Static, Type } from 'typebox'
import type { Entity } from '../../model/entity.ts'
import { writeJson } from '../../model/json.ts'
import { accepted, beginningOf } from '../answers.ts'
import type { Claims } from '../claims.ts'
import { defineSink, type OpenSink, type SinkRun } from '../contract.ts'
import { PipeError } from '../errors.ts'
import type { SystemPort } from '../systems/contract.ts'

const config = Type.Object({
  type: Type.Literal('json'),
  system: Type.String({ minLength: 1, description: 'The url system to send to.' }),
  url: Type.String({ description: 'Where to post; how it is joined to the address of the system, the system says.' }),
  batch_size: Type.Integer({ default: 100, minimum: 1, description: 'Entities in one request at most.' }),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Sent besides those of the system.' }),
  ),
  comment: Type.Optional(Type.Unknown()),
})

type Config = Static<typeof config>

/** `json` (hub.md §15.7). */
export const jsonSink = defineSink({
  type: 'json',
  summary: 'JSON arrays of entities, posted to an address.',
  config,
  examples: [{ type: 'json', system: 'erp', url: 'customers', batch_size: 500 }],
  kind: 'external',
  removesNamespaces: true,
  open: (config, { system }, run) => new Push(config, system(config.system), run),
})

/** The requests of one run: one sequence, or two where a full sync had to be given up. */
class Push implements OpenSink {
  readonly #config: Config
  readonly #port: SystemPort
  readonly #claims: Claims
  #isFull: boolean
  #sequenceId = randomUUID()
  /** A request of the full sync failed, and some receivers hear no more of it then. */
  #isDoubtful = false
  #requests = 0
  /** All that there is was sent. */
  #isEnd = false
  /** The last request that was accepted. */
  #previous: string | null = null
  #conflict: PipeError | null = null

  constructor(config: Config, port: SystemPort, { full, claims = { before: null, atEnd: null } }: SinkRun) {
    this.#config = config
    this.#port = port
    this.#isFull = full
    this.#claims = claims
  }

  async write(entities: readonly Entity[], signal: AbortSignal): Promise<void> {
    const { batch_size: size } = this.#config
    for (let at = 0; at < entities.length; at += size) await this.#post(entities.slice(at, at + size), false, signal)
  }

  /**
   * Only now is it known that a full sync is complete: its last request says so, and is empty. It is left out where
   * entities were refused: the receiver would delete what it has of them. After updates an empty request says how complete
   * they made it, if that is more than it was.
   */
  async end(signal: AbortSignal, { isComplete }: { readonly isComplete: boolean }): Promise<void> {
    if (!isComplete) return
    const { before, atEnd } = this.#claims
    this.#isEnd = true
    if (this.#isFull) await this.#post([], true, signal)
    else if (this.#requests > 0 && atEnd !== null && atEnd !== before) await this.#post([], false, signal)
  }

  async #post(entities: readonly Entity[], isLast: boolean, signal: AbortSignal): Promise<void> {
    if (this.#conflict !== null) throw this.#conflict
    try {
      await this.#request(entities, isLast, signal)
    } catch (error) {
      if (!this.#isFull || !this.#isDoubtful || error !== this.#conflict) {
        this.#isDoubtful ||= this.#isFull
        throw error
      }
      // What is left goes as updates, by which nothing is deleted.
      this.#conflict = null
      this.#isFull = false
      this.#previous = null
      this.#requests = 0
      this.#sequenceId = randomUUID()
      await this.#request(entities, isLast, signal)
    }
  }

  async #request(entities: readonly Entity[], isLast: boolean, signal: AbortSignal): Promise<void> {
    const requestId = String(++this.#requests)
    const answer = await this.#port.request(
      {
        method: 'POST',
        url: this.#config.url,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...this.#claim(),
          ...this.#config.headers,
        },
        query: this.#parameters(requestId, isLast),
        body: `[${entities.map((entity) => writeJson(entity)).join(',')}]`,
      },
      signal,
    )
    if (answer.status === 409) {
      this.#conflict = this.#conflictOf(answer.address, await beginningOf(this.#port, answer.body))
      throw this.#conflict
    }
    const { body } = await accepted(this.#port, 'POST', answer)
    // Read to its end, so that the connection is free again.
    for await (const _ of body);
    this.#previous = requestId
  }

  /** Until everything is there, no more is claimed than before this run. */
  #claim(): Readonly<Record<string, string>> {
    const claimed = this.#isEnd ? this.#claims.atEnd : this.#claims.before
    return claimed === null ? {} : { 'x-dataset-completeness': String(claimed) }
  }

  #parameters(requestId: string, isLast: boolean): Readonly<Record<string, string>> {
    return {
      sequence_id: this.#sequenceId,
      request_id: requestId,
      is_full: String(this.#isFull),
      ...(this.#previous === null ? {} : { previous_request_id: this.#previous }),
      ...(this.#isFull && this.#previous === null ? { is_first: 'true' } : {}),
      ...(isLast ? { is_last: 'true' } : {}),
    }
  }

  #conflictOf(address: string, said: string): PipeError {
    return new PipeError(
      'push-conflict',
      `POST ${address} was answered with 409: the receiver does not know this sequence of requests.${said === '' ? '' : ` It says: ${said}`}`,
      {
        details: { address, status: 409, sequence: this.#sequenceId, full: this.#isFull },
        hint: 'Nothing more of this sequence is sent. Start over: the next run begins a new one.',
      },
    )
  }
}
