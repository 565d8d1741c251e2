/** Whether a hub holds what is known to be true, and waiting until it does. */

import { setTimeout as pause } from 'node:timers/promises'
import type { World } from '../world/records.ts'
import { type Truth, truthOf } from '../world/truth.ts'
import { datasetCounts, getJson, graphLag, sparql } from './client.ts'
import type { Hub } from './hub.ts'
import { queryFile } from './queries.ts'

/** What is found where, by name. */
export type Counts = Readonly<Record<string, number | null>>

const KINDS = ['crm/organisation', 'crm/person', 'erp/organisation', 'erp/contact', 'hr/employer', 'hr/person']
const datasetOf = (kind: string, step: string): string => `${kind.replace('/', '-')}-${step}`

export function expectedCounts(world: World): Counts {
  const { records, person, organisation, employed, employedByShared }: Truth = truthOf(world)
  return {
    ...Object.fromEntries(
      KINDS.flatMap((kind) => ['collect', 'enrich'].map((step) => [datasetOf(kind, step), records[kind] ?? 0])),
    ),
    'global-organisation': organisation.things,
    'global-person': person.things,
    'organisations in the ERP': organisation.things,
    'people in the graph': person.things,
    'organisations in the graph': organisation.things,
    'people with an employer': employed,
    'people with an employer that CRM and ERP know': employedByShared,
    'entities that are not in the graph yet': 0,
  }
}

export async function datasets(hub: string): Promise<Counts> {
  const names = [
    ...KINDS.flatMap((kind) => ['collect', 'enrich'].map((step) => datasetOf(kind, step))),
    'global-organisation',
    'global-person',
  ]
  const counts = await Promise.all(names.map((name) => datasetCounts(hub, name)))
  return Object.fromEntries(names.map((name, place) => [name, counts[place]?.existing ?? null]))
}

export async function actualCounts(hub: string, erp: string): Promise<Counts> {
  const [stored, lag, graph, shared] = await Promise.all([
    datasets(hub),
    graphLag(hub),
    sparql(hub, queryFile('counts.rq')),
    getJson(`${erp}/api/organisations`) as Promise<readonly unknown[]>,
  ])
  const inGraph = (name: string) => (graph?.[0]?.[name] === undefined ? null : Number(graph[0][name]))
  return {
    ...stored,
    'organisations in the ERP': shared.length,
    'people in the graph': inGraph('people'),
    'organisations in the graph': inGraph('organisations'),
    'people with an employer': inGraph('employed'),
    'people with an employer that CRM and ERP know': inGraph('employedByShared'),
    'entities that are not in the graph yet': lag,
  }
}

export const differences = (expected: Counts, actual: Counts): readonly string[] =>
  Object.entries(expected)
    .filter(([name, count]) => actual[name] !== count)
    .map(([name, count]) => `${name}: ${actual[name] ?? 'nothing'} instead of ${count}`)

/** Asks until the answer is true; milliseconds it took. Throws with what `missing` says when it takes too long. */
export async function until(
  hub: Hub,
  limitMs: number,
  test: () => Promise<boolean>,
  missing: () => string = () => 'What was waited for did not come.',
): Promise<number> {
  const start = performance.now()
  const holds = () =>
    test().catch((error: Error) => {
      hub.checkAlive()
      throw error
    })
  while (!(await holds())) {
    hub.checkAlive()
    if (performance.now() - start > limitMs) throw new Error(`After ${limitMs / 1000} s: ${missing()}`)
    await pause(25)
  }
  return Math.round(performance.now() - start)
}
