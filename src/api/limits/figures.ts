/** What the guard has to do and whom it turned away, for Prometheus. */

import { Counter, Gauge, type Registry } from 'prom-client'
import type { Guard } from './guard.ts'
import { kindsOfWork, limitNames } from './limits.ts'

export function countGuard(register: Registry, guard: Guard): void {
  const registers = [register]
  new Counter({
    name: 'samtale_http_refused_total',
    help: 'Callers and requests that were turned away, by reason.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of guard.refusals.counts()) this.inc({ reason }, count)
    },
  })
  new Gauge({
    name: 'samtale_http_connections',
    help: 'Connections that are open.',
    registers,
    collect() {
      this.set(guard.connections.open)
    },
  })
  new Gauge({
    name: 'samtale_http_requests',
    help: 'Requests that are in, and that wait for their turn, by kind of work.',
    labelNames: ['work', 'state'],
    registers,
    collect() {
      for (const work of kindsOfWork) {
        const { atOnce, waiting } = guard.gate.figures(work)
        this.set({ work, state: 'in' }, atOnce)
        this.set({ work, state: 'waiting' }, waiting)
      }
    },
  })
  const limits = new Gauge({
    name: 'samtale_http_limit',
    help: 'Limits of samtale serve --limits.',
    labelNames: ['limit'],
    registers,
  })
  for (const limit of limitNames) limits.set({ limit }, guard.limits[limit])
}
