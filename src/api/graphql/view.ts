/** The schema as somebody sees it who may read only some of the datasets: the others are not in it, not even by name. */

import type { Built } from './keeper.ts'
import type { DatasetPlan, PropertyPlan } from './plan.ts'
import { buildSchema } from './schema.ts'

/** Views of one schema that are kept: who may read the same sees the same. */
const MAX_VIEWS = 32

const views = new WeakMap<Built, Map<string, Built>>()

export function viewOf(built: Built, isSeen: (dataset: string) => boolean): Built {
  const { datasets } = built.plan
  const seen = new Set(datasets.flatMap(({ dataset }) => (isSeen(dataset) ? [dataset] : [])))
  if (seen.size === datasets.length) return built
  const kept = views.get(built) ?? new Map<string, Built>()
  views.set(built, kept)
  const place = JSON.stringify([...seen])
  const known = kept.get(place)
  if (known !== undefined) return known
  const plan = { datasets: datasets.filter(({ dataset }) => seen.has(dataset)).map((one) => narrowed(one, seen)) }
  const view = { plan, schema: buildSchema(plan) }
  if (kept.size >= MAX_VIEWS) kept.clear()
  kept.set(place, view)
  return view
}

const narrowed = (plan: DatasetPlan, seen: ReadonlySet<string>): DatasetPlan => ({
  ...plan,
  derivedFrom: plan.derivedFrom.filter((dataset) => seen.has(dataset)),
  properties: plan.properties.map((property) => narrowedProperty(property, seen)),
  inverses: plan.inverses.filter(({ dataset }) => seen.has(dataset)),
})

function narrowedProperty(property: PropertyPlan, seen: ReadonlySet<string>): PropertyPlan {
  const { relation } = property
  if (relation === null) return property
  const { leadsTo, targets } = relation
  return {
    ...property,
    relation: {
      ...relation,
      targets: targets.filter(({ dataset }) => seen.has(dataset)),
      leadsTo: leadsTo !== null && seen.has(leadsTo) ? leadsTo : null,
    },
  }
}
