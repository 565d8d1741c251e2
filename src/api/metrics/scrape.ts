/** Puts together what a monitor reads: a little at a time, so that nobody has to wait for it, and once for all who ask at once. */

import { collectDefaultMetrics, type Registry } from 'prom-client'
import type { Node, PipeFigures, Tenant } from '../../hub/contract.ts'
import { Exposition, type Family, type FamilyType, type Format, type LabelText, labelText } from './exposition.ts'
import { PIPE_CONFIG, PIPE_GAUGES, PUMP_COUNTERS, PUMP_GAUGES } from './pipe-families.ts'

/** Time after which others get their turn. */
const SLICE_MS = 4

const STATES = ['healthy', 'unhealthy', 'unknown'] as const

interface Row {
  readonly pipe: PipeFigures
  readonly labels: LabelText
  readonly tenant: string
}

export class Scrape {
  readonly #node: Node
  /** What counts by itself: requests, lags, the process. */
  readonly #register: Registry
  readonly #underWay = new Map<Format, Promise<string>>()
  #turnAt = 0

  constructor(node: Node, register: Registry) {
    this.#node = node
    this.#register = register
    collectDefaultMetrics({ register })
  }

  text(format: Format): Promise<string> {
    let text = this.#underWay.get(format)
    if (text === undefined) {
      text = this.#write(format).finally(() => this.#underWay.delete(format))
      this.#underWay.set(format, text)
    }
    return text
  }

  async #write(format: Format): Promise<string> {
    this.#turnAt = performance.now()
    const exposition = new Exposition(format)
    await this.#writeNode(exposition)
    const rows: Row[] = []
    for (const tenant of this.#node.tenants()) {
      for await (const slice of tenant.figures()) {
        for (const pipe of slice)
          rows.push({ pipe, labels: labelText({ tenant: tenant.name, pipe: pipe.id }), tenant: tenant.name })
      }
    }
    this.#turnAt = performance.now()
    await this.#writePipes(exposition, rows)
    await this.#writeRegister(exposition, format)
    return exposition.end()
  }

  async #writeNode(exposition: Exposition): Promise<void> {
    const node = this.#node
    const tenants = node.tenants()
    const healths = await Promise.all(tenants.map(({ name }) => node.health(name)))
    const gauge = (name: string, help: string): Family => ({ name, type: 'gauge', help })
    exposition.family(
      { name: 'sesam_health', type: 'stateset', help: 'Whether anybody has to look at the hub.' },
      (samples) => {
        tenants.forEach(({ name: tenant }, place) => {
          samples.states({ tenant }, STATES, healths[place]?.isWell === true ? 'healthy' : 'unhealthy')
        })
      },
    )
    exposition.family(
      { name: 'sesam_backup_health', type: 'stateset', help: 'Whether backups are made as they should be.' },
      (samples) => {
        for (const tenant of tenants) samples.states({ tenant: tenant.name }, STATES, tenant.backupHealth())
      },
    )
    exposition.family(
      gauge('sesam_service_restarts', 'Starts of the hub since its version became what it is.'),
      (samples) => samples.add('', node.restarts),
    )
    exposition.family(gauge('samtale_build_info', 'The version of the hub.'), (samples) =>
      samples.add(labelText({ version: node.version, node: node.id }), 1),
    )
    exposition.family(gauge('samtale_health_ready', 'Whether the hub answers as it should.'), (samples) => {
      tenants.forEach(({ name: tenant }, place) => {
        samples.add(labelText({ tenant }), healths[place]?.isReady === true ? 1 : 0)
      })
    })
    this.#writeDisks(exposition)
    this.#writeGraphs(exposition, tenants)
    this.#writeThreads(exposition)
    this.#writeNotifications(exposition, tenants)
    await this.#turn()
  }

  #writeDisks(exposition: Exposition): void {
    const disks = this.#node.disks()
    for (const [name, help, of] of [
      ['samtale_disk_free_bytes', 'Room on the disk of a folder.', 'freeBytes'],
      ['samtale_disk_total_bytes', 'Size of the disk of a folder.', 'totalBytes'],
    ] as const) {
      exposition.family({ name, type: 'gauge', help }, (samples) => {
        for (const disk of disks) samples.add(labelText({ folder: disk.what }), disk[of])
      })
    }
  }

  #writeGraphs(exposition: Exposition, tenants: readonly Tenant[]): void {
    const graphs = tenants.map((tenant) => ({
      labels: labelText({ tenant: tenant.name }),
      status: graphStatusOf(tenant),
    }))
    for (const [name, help, of] of [
      ['samtale_graph_quads', 'Statements in the graph.', 'quads'],
      ['samtale_graph_budget', 'Statements the graph may hold.', 'budget'],
      ['samtale_graph_lag', 'Entities that are not in the graph yet.', 'lag'],
    ] as const) {
      exposition.family({ name, type: 'gauge', help }, (samples) => {
        for (const { labels, status } of graphs) samples.add(labels, status?.[of])
      })
    }
  }

  #writeThreads(exposition: Exposition): void {
    const threads = this.#node.threads()
    const write = (name: string, help: string, of: (thread: (typeof threads)[number]) => number) =>
      exposition.family({ name, type: 'gauge', help }, (samples) => {
        for (const thread of threads) samples.add(labelText({ thread: thread.number }), of(thread))
      })
    write('samtale_pump_thread_busy', 'Share of its time that a pump thread was busy of late.', ({ busy }) => busy)
    write('samtale_pump_thread_runs', 'Runs under way on a pump thread.', ({ runs }) => runs.length)
    write('samtale_pump_thread_restarts', 'Times that a pump thread was lost and replaced.', ({ restarts }) => restarts)
  }

  #writeNotifications(exposition: Exposition, tenants: readonly Tenant[]): void {
    const all = tenants.map((tenant) => ({
      labels: labelText({ tenant: tenant.name }),
      figures: tenant.notifications.figures(),
    }))
    for (const [name, help, of] of [
      ['samtale_notifications_ongoing', 'Notifications that go on.', 'ongoing'],
      ['samtale_notification_deliveries_waiting', 'Notifications that somebody is still to be told of.', 'waiting'],
    ] as const) {
      exposition.family({ name, type: 'gauge', help }, (samples) => {
        for (const { labels, figures } of all) samples.add(labels, figures[of])
      })
    }
    for (const [name, help, of] of [
      ['samtale_notification_messages_sent', 'Messages that were sent, each of one notification or many.', 'sent'],
      ['samtale_notification_deliveries_given_up', 'Notifications that nobody could be told of.', 'givenUp'],
    ] as const) {
      exposition.family({ name, type: 'counter', help }, (samples) => {
        for (const { labels, figures } of all) samples.count(labels, figures[of], figures.createdAt)
      })
    }
  }

  async #writePipes(exposition: Exposition, rows: readonly Row[]): Promise<void> {
    const now = Date.now()
    exposition.family(PIPE_CONFIG, (samples) => {
      for (const { pipe, tenant } of rows) {
        const { id, configGroup: config_group, isLeaf, isValid } = pipe
        samples.add(labelText({ tenant, pipe: id, config_group, leaf: isLeaf ? 1 : 0 }), isValid ? 1 : 0)
      }
    })
    for (const family of PIPE_GAUGES) {
      await this.#turn()
      exposition.family(family, (samples) => {
        for (const { pipe, labels } of rows) samples.add(labels, family.read(pipe))
      })
    }
    const pumps = rows.flatMap(({ pipe: { pump }, labels }) => (pump === null ? [] : [{ pump, labels }]))
    for (const family of PUMP_GAUGES) {
      await this.#turn()
      exposition.family(family, (samples) => {
        for (const { pump, labels } of pumps) samples.add(labels, family.read(pump, now))
      })
    }
    for (const family of PUMP_COUNTERS) {
      await this.#turn()
      exposition.family(family, (samples) => {
        for (const { pump, labels } of pumps) samples.count(labels, family.read(pump), pump.counters.created)
      })
    }
  }

  async #writeRegister(exposition: Exposition, format: Format): Promise<void> {
    for (const {
      name,
      help,
      type,
      values,
    } of (await this.#register.getMetricsAsJSON()) as unknown as readonly Registered[]) {
      await this.#turn()
      const family = { name: type === 'counter' ? name.replace(/_total$/, '') : name, type: type as FamilyType, help }
      exposition.family(family, (samples) => {
        for (const { labels, value, metricName = name } of values) {
          const written = format === 'openmetrics' ? canonical(labels) : labels
          samples.add(labelText(written), value, metricName.slice(family.name.length))
        }
      })
    }
  }

  /** Lets others go first when it took long enough. */
  async #turn(): Promise<void> {
    if (performance.now() - this.#turnAt < SLICE_MS) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#turnAt = performance.now()
  }
}

/** As prom-client tells of a metric. */
interface Registered {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string | number>>
    readonly value: number
    readonly metricName?: string
  }[]
}

/** The bounds of buckets as OpenMetrics writes numbers: always with a point. */
function canonical(labels: Readonly<Record<string, string | number>>): Readonly<Record<string, string | number>> {
  const { le } = labels
  return typeof le === 'number' ? { ...labels, le: Number.isInteger(le) ? `${le}.0` : le } : labels
}

/** Null for a hub that runs without a graph. */
function graphStatusOf(tenant: Tenant): ReturnType<Tenant['graphStatus']> | null {
  try {
    return tenant.graphStatus()
  } catch (error) {
    if ((error as { code?: unknown }).code === 'no-graph') return null
    throw error
  }
}
