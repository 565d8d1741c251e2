/** What the hub knows under an identifier: the datasets that hold it, and the merged entities it is part of. */

import { type Entity, idOf } from '../../model/entity.ts'
import { NI } from '../../model/value.ts'
import type { Built, SchemaKeeper } from '../graphql/keeper.ts'
import type { Plan } from '../graphql/plan.ts'
import { datasetIds } from '../rest/datasets.ts'
import type { Call } from '../route.ts'

export interface Holding {
  readonly dataset: string
  readonly entity: Entity
  readonly pipe: string | null
  /** Datasets that the pipe reads. */
  readonly derivedFrom: readonly string[]
}

export interface Known {
  /** Entities of exactly this id, global datasets first. */
  readonly own: readonly Holding[]
  /** Entities that list it among their identities. */
  readonly merged: readonly Holding[]
}

/** A page does not wait longer than this for what is only an addition to it. */
const PLAN_WAIT_MS = 1_000

export async function knownAs(call: Call, id: string, keeper: SchemaKeeper): Promise<Known> {
  const plan = await soon(keeper.current())
  const known = await knownIn(call, id, plan)
  if (known.own.length + known.merged.length > 0) return known
  // It may have come a moment ago.
  const later = await soon(keeper.isStale() ? keeper.refresh().then(() => keeper.current()) : keeper.current())
  return later === plan ? known : knownIn(call, id, later)
}

async function knownIn(call: Call, id: string, plan: Plan): Promise<Known> {
  const { tenant, doors, may } = call
  const isSeen = (dataset: string): boolean => may('read_data', 'dataset', dataset)
  const plans = new Map(plan.datasets.map((one) => [one.dataset, one]))
  const hold = (dataset: string, entity: Entity): Holding => {
    const { pipe = null, derivedFrom = [] } = plans.get(dataset) ?? {}
    return { dataset, entity, pipe, derivedFrom: derivedFrom.filter(isSeen) }
  }
  const own: Holding[] = []
  for (const dataset of inOrder(call).filter(isSeen)) {
    const entity = doors.entity(tenant, dataset, id)
    if (entity !== undefined) own.push(hold(dataset, entity))
  }
  const namespace = id.slice(0, Math.max(0, id.lastIndexOf(':')))
  const merging = plan.datasets.filter(
    ({ dataset, identityNamespaces }) => identityNamespaces.includes(namespace) && isSeen(dataset),
  )
  const merged = await Promise.all(
    merging.map(async ({ dataset }) => {
      const entities = await doors.lookup(tenant, dataset, '$ids', new NI(id)).catch(withoutIndex)
      return entities.map((entity) => hold(dataset, entity))
    }),
  )
  const isOther = ({ dataset, entity }: Holding): boolean =>
    !own.some((holding) => holding.dataset === dataset && idOf(holding.entity) === idOf(entity))
  return { own, merged: merged.flat().filter(isOther) }
}

/** While the index is being made, a page goes without what it would have added. */
function withoutIndex(error: unknown): readonly Entity[] {
  if ((error as { code?: unknown }).code === 'index-not-ready') return []
  throw error
}

function inOrder({ tenant }: Call): readonly string[] {
  const globals = tenant.globalDatasets()
  const all = datasetIds(tenant).filter((dataset) => !dataset.startsWith('system:'))
  const known = new Set(all)
  return [...new Set([...globals.filter((dataset) => known.has(dataset)), ...all.sort()])]
}

async function soon(built: Promise<Built>): Promise<Plan> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Plan>((resolve) => {
    timer = setTimeout(() => resolve({ datasets: [] }), PLAN_WAIT_MS)
  })
  try {
    return await Promise.race([built.then(({ plan }) => plan), late])
  } finally {
    clearTimeout(timer)
  }
}
