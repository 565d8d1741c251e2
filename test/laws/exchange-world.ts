/** Two hubs that exchange entities through unruly proxies, and histories of what happens to them. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openServer, type Server } from '../../src/api/server.ts'
import { doors } from '../../src/hub/doors.ts'
import { HubNode } from '../../src/hub/node.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { silent } from '../../src/pipes/logger.ts'
import { startUnrulyProxy, type UnrulyProxy } from '../fakes/unruly-proxy.ts'
import { live, push } from '../hub/running-hub.ts'

/** Numbers from 0 to 1. */
export type Draw = () => number

/** A hub with a door, that can be ended and opened again. */
export class ExchangingHub {
  readonly #data = mkdtempSync(join(tmpdir(), 'samtale-exchange-'))
  #node: HubNode | null = null
  #server: Server | null = null
  #over = () => {}
  /** Resolves when the hub that is open now has ended: what was asked of it and not answered by then never will be. */
  over: Promise<void> = Promise.resolve()
  /** In front of it. */
  proxy: UnrulyProxy | null = null

  async open(draw?: Draw): Promise<void> {
    this.#node = await HubNode.open({
      data: this.#data,
      developer: false,
      version: 'test',
      logger: silent,
      withGraph: false,
      threads: 1,
      onFatal: (error) => {
        throw error
      },
    })
    this.over = new Promise((resolve) => {
      this.#over = resolve
    })
    this.#server = await openServer(this.#node, { host: '127.0.0.1', port: 0, doors })
    if (draw !== undefined) this.proxy = await startUnrulyProxy(this.#server.url, draw)
    this.proxy?.lead(this.#server.url)
  }

  get tenant(): HubTenant {
    return this.#node?.tenant('default') as HubTenant
  }

  /** What goes on ends where it is. */
  async restart(): Promise<void> {
    await this.end()
    await this.open()
  }

  async end(): Promise<void> {
    await this.#server?.close()
    await this.#node?.close()
    this.#over()
  }

  async close(): Promise<void> {
    await this.proxy?.close()
    await this.end()
    rmSync(this.#data, { recursive: true, force: true })
  }
}

/** One of the ways in which a dataset gets from here to there. */
interface Way {
  readonly here: (id: string) => object[]
  readonly there: (id: string) => object[]
  /** The pipe that moves entities, and in which hub it is. */
  readonly pipe: (id: string) => string
  readonly isPushed: boolean
  /** The dataset in which they arrive. */
  readonly arrives: (id: string) => string
}

const manual = { mode: 'manual' }
const pipe = (_id: string, parts: object) => ({ _id, type: 'pipe', pump: manual, ...parts })

const pushed = (batchSize: number, pump: object = {}): Way => ({
  here: (id) => [
    pipe(`push-${id}`, {
      batch_size: 2 * batchSize,
      source: { type: 'dataset', dataset: id },
      sink: { type: 'json', system: 'there', url: `receivers/in-${id}/entities`, batch_size: batchSize },
      pump: { ...manual, ...pump },
    }),
  ],
  there: (id) => [{ _id: `in-${id}`, type: 'pipe', source: { type: 'http_endpoint' } }],
  pipe: (id) => `push-${id}`,
  isPushed: true,
  arrives: (id) => `in-${id}`,
})

const pulled = (source: object, url: (id: string) => string, here: Way['here'] = () => []): Way => ({
  here,
  there: (id) => [pipe(`pull-${id}`, { batch_size: 3, source: { system: 'here', url: url(id), ...source } })],
  pipe: (id) => `pull-${id}`,
  isPushed: false,
  arrives: (id) => `pull-${id}`,
})

const ofDataset = (id: string) => `datasets/${id}/entities`
const published = (id: string) => [
  pipe(`pub-${id}`, { source: { type: 'dataset', dataset: id }, sink: { type: 'http_endpoint' } }),
]
const inOrder = { supports_since: true, is_chronological: true }

/** Every way, with small batches and pages, so that there is something to cut. */
const WAYS: readonly Way[] = [
  pushed(1),
  pushed(3),
  pushed(2, { batch_retries: 2, write_retry_delay: 0 }),
  pushed(2, {
    max_write_errors_in_retry_dataset: 100,
    max_consecutive_write_errors: 50,
    max_retries_per_entity: 1_000,
    write_retry_delay: 0,
  }),
  pulled({ type: 'json' }, ofDataset),
  pulled({ type: 'json', ...inOrder }, ofDataset),
  pulled({ type: 'json', ...inOrder, page_size: 2 }, ofDataset),
  pulled({ type: 'binary', page_size: 3 }, ofDataset),
  pulled({ type: 'json', supports_since: true }, ofDataset),
  pulled({ type: 'json', ...inOrder }, (id) => `publishers/pub-${id}/entities`, published),
]

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const IDS = 8
const STEPS = 7

/** One dataset, the way it takes, and its history. */
export class Exchange {
  readonly id: string
  readonly way: Way
  readonly #draw: Draw
  #syncs = 0

  constructor(number: number, draw: Draw) {
    this.id = `d${number}`
    this.way = WAYS[number % WAYS.length] as Way
    this.#draw = draw
  }

  /** Something changes here, or is moved there; what fails on the way is no matter. */
  async step(here: ExchangingHub, there: ExchangingHub): Promise<void> {
    const draw = this.#draw()
    if (draw < 0.4) await Promise.race([here.over, push(here.tenant, this.id, this.#some(), {})])
    else if (draw < 0.5) await Promise.race([here.over, this.#replace(here.tenant)])
    else await this.move(here, there, draw > 0.85)
  }

  /** A run of its pipe, of everything with `rescan`. Gives how it ended. */
  async move(here: ExchangingHub, there: ExchangingHub, rescan = false): Promise<string> {
    const hub = this.way.isPushed ? here : there
    return Promise.race([hub.over.then(() => 'over'), this.#moved(hub.tenant, rescan)])
  }

  async #moved(tenant: HubTenant, rescan: boolean): Promise<string> {
    const pipe = this.way.pipe(this.id)
    if (!rescan) return (await tenant.runNow(pipe)).outcome
    await tenant.operate(pipe, 'start-rescan', {}, null).catch(() => {})
    // The next run waits for the end of that.
    return (await tenant.runNow(pipe)).outcome
  }

  /** What is here and what is there. */
  async both(here: HubTenant, there: HubTenant): Promise<readonly [unknown, unknown]> {
    return [await live(here, this.id), await live(there, this.way.arrives(this.id))]
  }

  #some(): object[] {
    const count = 1 + Math.floor(this.#draw() * 5)
    return Array.from({ length: count }, () => this.#entity(Math.floor(this.#draw() * IDS)))
  }

  #entity(n: number): object {
    if (this.#draw() < 0.25) return { _id: `e${n}`, _deleted: true }
    return { _id: `e${n}`, n: Math.floor(this.#draw() * 1_000), big: '~f12345678901234567890.50', at: `~:ns:${n}` }
  }

  /** A full sync of a few: all others are deleted. */
  async #replace(here: HubTenant): Promise<void> {
    await push(here, this.id, this.#some(), {
      isFull: true,
      isFirst: true,
      isLast: true,
      sequenceId: `s${this.#syncs++}`,
    })
  }
}

/** Histories that go on beside one another in the same two hubs; gives those that did not end alike. */
export async function exchangeAll(
  here: ExchangingHub,
  there: ExchangingHub,
  exchanges: readonly Exchange[],
  draw: Draw,
  restarts: number,
): Promise<readonly { readonly exchange: Exchange; readonly here: unknown; readonly there: unknown }[]> {
  await configure(here, there, exchanges)
  for (const hub of [here, there]) hub.proxy?.stir()
  const restarting = new Set(Array.from({ length: restarts }, () => Math.floor(draw() * STEPS)))
  for (let step = 0; step < STEPS; step++) {
    const steps = exchanges.map((one) => one.step(here, there).catch(() => {}))
    if (!restarting.has(step)) await Promise.all(steps)
    else {
      await pause(20 * draw())
      await (draw() < 0.5 ? here : there).restart()
      await Promise.all(steps)
    }
  }
  for (const hub of [here, there]) hub.proxy?.calm()
  const differing: { exchange: Exchange; here: unknown; there: unknown }[] = []
  await Promise.all(
    exchanges.map(async (exchange) => {
      const outcome = await settled(exchange, here, there)
      const [one, other] = await exchange.both(here.tenant, there.tenant)
      if (outcome !== 'completed' || JSON.stringify(one) !== JSON.stringify(other)) {
        differing.push({ exchange, here: one, there: outcome === 'completed' ? other : outcome })
      }
    }),
  )
  return differing
}

/** A full sync that a conflict ended begins anew: a few runs are enough where nothing is in the way. */
async function settled(exchange: Exchange, here: ExchangingHub, there: ExchangingHub): Promise<string> {
  let outcome = ''
  for (let attempt = 0; attempt < 4 && outcome !== 'completed'; attempt++) outcome = await exchange.move(here, there)
  return outcome
}

async function configure(here: ExchangingHub, there: ExchangingHub, exchanges: readonly Exchange[]): Promise<void> {
  const system = (id: string, hub: ExchangingHub) => ({
    _id: id,
    type: 'system:url',
    url_pattern: `${hub.proxy?.url}/api/%s`,
  })
  const source = ({ id }: Exchange) => ({ _id: id, type: 'pipe', source: { type: 'http_endpoint' } })
  await deployed(here.tenant, [
    system('there', there),
    ...exchanges.flatMap((one) => [source(one), ...one.way.here(one.id)]),
  ])
  await deployed(there.tenant, [system('here', here), ...exchanges.flatMap(({ id, way }) => way.there(id))])
}

async function deployed(tenant: HubTenant, components: readonly object[]): Promise<void> {
  const problems = await tenant.replaceConfig(JSON.stringify(components), true)
  const [error] = problems.filter(({ level }) => level === 'error')
  if (error !== undefined) throw new Error(`${error.component}${error.pointer}: ${error.message}`)
}
