/** Signals between a tenant and other hubs: who asked to hear of its datasets, and what its own pipes asked others for. */

import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Webhook } from '../../pipes/contract.ts'
import { HttpClient } from '../../pipes/http.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { type TargetRules, Targets } from '../../pipes/systems/targets.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import type { Scheduler } from '../scheduler.ts'
import { type Subscription, Webhooks } from '../webhooks.ts'
import type { TenantCore } from './core.ts'

const CONNECT_MS = 10_000
const READ_MS = 30_000

export class TenantSignalling {
  readonly #core: TenantCore
  readonly #scheduler: Scheduler
  readonly #hooks: Webhooks
  #http: HttpClient
  /** What {@link #http} was made with: they may change while the hub runs. */
  #targets: TargetRules
  /** What others are to say when they call: one for each pipe, forgotten when the hub ends. */
  readonly #tokens = new Map<string, string>()

  constructor(core: TenantCore, scheduler: Scheduler) {
    this.#core = core
    this.#scheduler = scheduler
    this.#targets = core.options.targets()
    this.#http = clientFor(this.#targets)
    this.#hooks = new Webhooks({
      now: Date.now,
      end: (dataset) => withSnapshot(core, (snapshot) => snapshot.dataset(dataset)?.counts().end ?? 0),
      grown: (seen, timeoutMs) => core.feed.changed(seen, timeoutMs),
      grownTo: () => core.feed.commits(),
      post: (url, token, signal) => this.#post(url, token, signal),
      logger: core.options.logger,
    })
  }

  async close(): Promise<void> {
    await this.#hooks.close()
    await this.#http.close()
  }

  /** Codes: bad-webhook, too-many-webhooks, target-refused. */
  subscribe(subscription: Subscription): void {
    if (URL.canParse(subscription.url))
      new Targets(this.#core.options.targets()).check(new URL(subscription.url).hostname)
    this.#hooks.subscribe(subscription)
  }

  /** Where another hub may call when there is news for the pipe; undefined when it is not to, or nobody knows where that is. */
  webhookOf({ id, source }: Pipe): Webhook | undefined {
    const address = this.#core.options.address?.() ?? null
    if (address === null || !source.subscribes) return undefined
    const token = this.#tokens.get(id) ?? randomUUID()
    this.#tokens.set(id, token)
    return { url: `${address}/api/pipes/${encodeURIComponent(id)}/webhook`, token }
  }

  /** Another hub says that there is news for a pipe. Codes: unknown-pipe, unknown-webhook. */
  called(id: string, token: string): void {
    this.#core.known(id)
    if (!isSame(token, this.#tokens.get(id))) {
      throw new HubError('unknown-webhook', `The pipe '${id}' asked for no signals with this token.`, {
        hint: 'Forget the webhook: the pipe asks again when it runs.',
      })
    }
    this.#scheduler.signal(id)
  }

  async #post(url: string, token: string, signal: AbortSignal): Promise<number> {
    const headers = () => ({ 'content-type': 'application/json' })
    const body = JSON.stringify({ token })
    const http = await this.#client()
    const answer = await http.send({ method: 'POST', url: new URL(url), headers, body }, signal)
    for await (const _ of answer.body) if (signal.aborted) break
    return answer.status
  }

  /** Held to the same targets as systems. */
  async #client(): Promise<HttpClient> {
    const targets = this.#core.options.targets()
    if (isDeepStrictEqual(targets, this.#targets)) return this.#http
    const former = this.#http
    this.#targets = targets
    this.#http = clientFor(targets)
    await former.close()
    return this.#http
  }
}

const clientFor = (targets: TargetRules): HttpClient =>
  new HttpClient({
    connectTimeoutMs: CONNECT_MS,
    readTimeoutMs: READ_MS,
    verifyCertificates: true,
    targets,
    mask: (text) => text,
  })

/** How long it takes says nothing of how much of it is right. */
function isSame(given: string, wanted: string | undefined): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return wanted !== undefined && timingSafeEqual(digest(given), digest(wanted))
}
