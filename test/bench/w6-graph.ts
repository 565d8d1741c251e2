/** W6: the log as a graph, 60,000 persons: load it, and find one entity by its subject. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Oxigraph from 'oxigraph'
import type { GraphSettings } from '../../src/graph/contract.ts'
import { Projection } from '../../src/graph/projection.ts'
import { entity as entityOf, withSnapshot } from '../../src/hub/datasets.ts'
import { HubNode } from '../../src/hub/node.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { hash128 } from '../../src/model/canonical.ts'
import type { Entity } from '../../src/model/entity.ts'
import { parseJson } from '../../src/model/json.ts'
import { silent } from '../../src/pipes/logger.ts'
import { bodies, persons } from './data.ts'
import { type Figure, inTurn, mustEqual } from './measure.ts'

const oxigraph = createRequire(import.meta.url)('oxigraph') as typeof Oxigraph
const COUNT = 60_000
const POINTS = 2_000
const BATCH = 60_000

export async function graph(rounds: number): Promise<Figure[]> {
  const data = await mkdtemp(join(tmpdir(), 'samtale-bench-'))
  const node = await HubNode.open({
    data,
    developer: false,
    version: 'bench',
    logger: silent,
    withGraph: false,
    onFatal: (error) => {
      throw error
    },
  })
  try {
    const tenant = node.tenant('default') as HubTenant
    for (const body of bodies(persons(COUNT, 10_000), 1_000)) await tenant.write('person', parseJson(body) as Entity[])
    return measure(tenant, rounds)
  } finally {
    await node.close()
    await rm(data, { recursive: true, force: true })
  }
}

async function measure(tenant: HubTenant, rounds: number): Promise<Figure[]> {
  const settings: GraphSettings = {
    base: tenant.base,
    namespaces: {},
    properties: {},
    datasets: [{ id: 'person', global: false, pipe: null, derivedFrom: [] }],
    budget: 10_000_000,
  }
  let projected = project(tenant, settings)
  const lines = projected.graph.store
    .dump({ format: 'application/n-quads' })
    .split('\n')
    .filter((line) => line !== '')
  const batches: string[] = []
  for (let at = 0; at < lines.length; at += BATCH) batches.push(`${lines.slice(at, at + BATCH).join('\n')}\n`)
  const hash = digestOf(lines)
  let raw = new oxigraph.Store()
  const load = await inTurn(
    {
      // A store left to the garbage collector is not given back before the turn ends, and ten of them do not fit.
      ours: () => {
        free(projected.graph.store)
        const startedAt = performance.now()
        projected = project(tenant, settings)
        return lines.length / seconds(startedAt)
      },
      peer: () => {
        free(raw)
        const startedAt = performance.now()
        raw = new oxigraph.Store()
        for (const text of batches) raw.load(text, { format: 'application/n-quads', lenient: true })
        return lines.length / seconds(startedAt)
      },
    },
    rounds,
  )
  mustEqual('quads of the peer', raw.size, projected.graph.store.size)
  const again = projected.graph.store
    .dump({ format: 'application/n-quads' })
    .split('\n')
    .filter((line) => line !== '')
  mustEqual('hash of the graph', digestOf(again), hash)

  const subjects = Array.from({ length: POINTS }, (_, n) => `p${(n * 7919) % COUNT}`)
  const query = (store: Oxigraph.Store, id: string) =>
    store.query(`SELECT ?p ?o { GRAPH ?g { <${projected.naming.entityIri(id)}> ?p ?o } }`, {
      results_format: 'application/sparql-results+json',
    }) as unknown as string
  for (const id of subjects.slice(0, 20))
    mustEqual(`answer about ${id}`, sorted(query(projected.graph.store, id)), sorted(query(raw, id)))
  const point = await inTurn(
    {
      ours: () => perSecond(subjects, (id) => query(projected.graph.store, id)),
      peer: () => perSecond(subjects, (id) => query(raw, id)),
      log: () => perSecond(subjects, (id) => entityOf(tenant, 'person', id)),
    },
    rounds,
  )
  return [
    {
      name: 'W6 load, log → graph',
      unit: 'quads/s',
      values: load.ours,
      target: 180_000,
      peer: { name: 'oxigraph, the same quads as ready text', values: load.peer },
      notes: [`${lines.length.toLocaleString('en')} quads of ${COUNT.toLocaleString('en')} persons`],
    },
    {
      name: 'W6 point, SPARQL by subject in process',
      unit: 'queries/s',
      values: point.ours,
      target: 4_000,
      peer: { name: 'oxigraph', values: point.peer },
    },
    { name: 'W6 point, an entity from the log', unit: 'entities/s', values: point.log, target: 50_000 },
  ]
}

function project(tenant: HubTenant, settings: GraphSettings): Projection {
  const projection = new Projection(settings)
  withSnapshot(tenant, (snapshot) => {
    while (projection.step(snapshot)) {}
  })
  return projection
}

/** In the library, but not in its types. */
const free = (store: Oxigraph.Store): void => (store as Oxigraph.Store & { free(): void }).free()

const seconds = (startedAt: number): number => (performance.now() - startedAt) / 1000

function perSecond(ids: readonly string[], work: (id: string) => unknown): number {
  const startedAt = performance.now()
  for (const id of ids) work(id)
  return ids.length / seconds(startedAt)
}

/** Order tells nothing in a graph. */
const digestOf = (lines: readonly string[]): string => hash128([...lines].sort().join('\n'))
const sorted = (answer: string): string => {
  const { results } = JSON.parse(answer) as { results: { bindings: unknown[] } }
  return results.bindings
    .map((row) => JSON.stringify(row))
    .sort()
    .join()
}
