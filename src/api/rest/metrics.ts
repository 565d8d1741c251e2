/** What a monitor reads: figures of the node, its pipes, pumps and graph, and of requests (hub.md §25.4). */

import { Histogram, Registry } from 'prom-client'
import { Type } from 'typebox'
import type { Node } from '../../hub/contract.ts'
import { choose } from '../accept.ts'
import { countGuard } from '../limits/figures.ts'
import type { Guard } from '../limits/guard.ts'
import { CONTENT_TYPES } from '../metrics/exposition.ts'
import { Scrape } from '../metrics/scrape.ts'
import { type Route, route } from '../route.ts'

export interface Metrics {
  readonly route: Route
  /** Counts a request; `url` is the route's pattern, never an address with ids in it. */
  measure(method: string, url: string, status: number, seconds: number): void
}

export function createMetrics(node: Node, guard: Guard): Metrics {
  const register = new Registry()
  const requests = new Histogram({
    name: 'samtale_http_request_seconds',
    help: 'Time of requests by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.05, 0.2, 1, 5, 30],
    registers: [register],
  })
  const lags = new Histogram({
    name: 'samtale_flow_lag_seconds',
    help: 'From a change where the hub first stores it to its effect at the end of a chain of pipes.',
    labelNames: ['tenant', 'dataset', 'pipe'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600],
    registers: [register],
  })
  countGuard(register, guard)
  const scrape = new Scrape(node, register)
  return {
    measure: (method, url, status, seconds) => requests.labels(method, url, String(status)).observe(seconds),
    route: route({
      method: 'GET',
      path: '/api/metrics',
      tag: 'Node',
      action: 'read',
      access: 'read_metrics',
      resource: 'node',
      isNodeOnly: true,
      summary: 'Figures for Prometheus, as OpenMetrics when that is asked for.',
      answers: { 200: { description: 'Metrics as text.', schema: Type.String(), type: 'text/plain' } },
      handle: async ({ headers }) => {
        for (const tenant of node.tenants()) {
          for (const { end, seconds } of tenant.takeLags()) {
            lags.labels({ tenant: tenant.name, dataset: '', pipe: '', [end.kind]: end.id }).observe(seconds)
          }
        }
        const { accept } = headers
        const type = choose(typeof accept === 'string' ? accept : undefined, [
          'text/plain',
          'application/openmetrics-text',
        ])
        const format = type === 'application/openmetrics-text' ? 'openmetrics' : 'prometheus'
        return { contentType: CONTENT_TYPES[format], body: await scrape.text(format) }
      },
    }),
  }
}
