/** Looks at the datasets of a tenant and plans the GraphQL schema for them. */

import type { DatasetShape, PropertyShape, Tenant } from '../../hub/contract.ts'
import { storedKey } from '../../model/dict.ts'
import { idOf } from '../../model/entity.ts'
import type { Kind } from '../../model/value.ts'
import type { Doors } from '../doors.ts'
import { claimNames, graphqlName, upperFirst } from './names.ts'
import type { DatasetPlan, InversePlan, Plan, PropertyPlan, RelationPlan, ScalarName, TargetPlan } from './plan.ts'
import { RESERVED_FIELDS, RESERVED_TYPES } from './reserved.ts'

const SCALARS: Readonly<Record<Kind, ScalarName>> = {
  null: 'JSON',
  boolean: 'Boolean',
  integer: 'Integer',
  float: 'Float',
  decimal: 'Decimal',
  date: 'Date',
  datetime: 'DateTime',
  uuid: 'String',
  ni: 'String',
  uri: 'String',
  string: 'String',
  bytes: 'String',
  dict: 'JSON',
  list: 'JSON',
}

/** The property in which a merged entity lists all its identities (hub.md §1.3). */
const IDS = '$ids'
/** Probes of datasets between which other work gets its turn. */
const SLICE = 100

export interface Surveyed {
  readonly dataset: string
  readonly shape: DatasetShape
}

export async function survey(tenant: Tenant, doors: Doors, surveyed: readonly Surveyed[]): Promise<Plan> {
  const ordered = inOrder(surveyed, tenant.globalDatasets())
  const globals = new Set(tenant.globalDatasets())
  const pipes = pipesByDataset(tenant)
  const names = claimNames(
    ordered.map(({ dataset }) => dataset),
    graphqlName,
    (name) => [name, listName(name), ...typeNames(upperFirst(name))],
    RESERVED_TYPES,
  )
  const holders = await holdersOf(tenant, doors, ordered)
  const drafts = ordered.map(({ dataset, shape }) => ({
    dataset,
    isGlobal: globals.has(dataset),
    pipe: pipes.get(dataset)?.pipe ?? null,
    derivedFrom: pipes.get(dataset)?.derivedFrom ?? [],
    field: names.get(dataset) as string,
    listField: listName(names.get(dataset) as string),
    typeName: upperFirst(names.get(dataset) as string),
    identityNamespaces: identityNamespaces(shape),
    properties: planProperties(dataset, shape, holders),
  }))
  return { datasets: drafts.map((draft) => ({ ...draft, inverses: planInverses(draft, drafts) })) }
}

type Draft = Omit<DatasetPlan, 'inverses'>

const listName = (name: string): string => `${name}List`
const typeNames = (type: string): string[] => [type, `${type}Connection`, `${type}Edge`, `${type}Filter`]

function inOrder(surveyed: readonly Surveyed[], globals: readonly string[]): Surveyed[] {
  const place = (dataset: string): number => {
    const at = globals.indexOf(dataset)
    return at < 0 ? globals.length : at
  }
  return [...surveyed].sort((a, b) => place(a.dataset) - place(b.dataset) || (a.dataset < b.dataset ? -1 : 1))
}

interface Origin {
  readonly pipe: string
  readonly derivedFrom: readonly string[]
}

/** Parts of a pipe's document (rest-api.md §2.1). */
interface PipeDocument {
  readonly config?: { readonly effective?: { readonly sink?: { readonly dataset?: unknown } } }
  readonly runtime?: { readonly dependencies?: readonly string[] }
}

function pipesByDataset(tenant: Tenant): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>()
  for (const pipe of tenant.pipeIds()) {
    const { config, runtime } = JSON.parse(tenant.pipe(pipe) ?? '{}') as PipeDocument
    const dataset = config?.effective?.sink?.dataset
    if (typeof dataset === 'string') origins.set(dataset, { pipe, derivedFrom: runtime?.dependencies ?? [] })
  }
  return origins
}

/** Which datasets hold identifiers of a namespace, in order, as their own ids or as one of many. */
type Holders = ReadonlyMap<string, readonly Holder[]>
interface Holder {
  readonly dataset: string
  readonly how: 'id' | 'identity'
  readonly identityNamespaces: readonly string[]
}

async function holdersOf(tenant: Tenant, doors: Doors, ordered: readonly Surveyed[]): Promise<Holders> {
  const namespaces = new Set(
    ordered.flatMap(({ shape }) => shape.properties.flatMap((property) => property.namespaces)),
  )
  const holders = new Map<string, Holder[]>()
  let probes = 0
  for (const namespace of namespaces) {
    const found: Holder[] = []
    for (const { dataset, shape } of ordered) {
      if (++probes % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
      const identities = identityNamespaces(shape)
      if (holdsIds(tenant, doors, dataset, namespace))
        found.push({ dataset, how: 'id', identityNamespaces: identities })
      else if (identities.includes(namespace)) found.push({ dataset, how: 'identity', identityNamespaces: identities })
    }
    holders.set(namespace, found)
  }
  return holders
}

function holdsIds(tenant: Tenant, doors: Doors, dataset: string, namespace: string): boolean {
  const prefix = `${namespace}:`
  for (const entity of doors.scan(tenant, dataset, { after: prefix, limit: 1 })) return idOf(entity).startsWith(prefix)
  return false
}

const identityNamespaces = (shape: DatasetShape): readonly string[] =>
  shape.properties.find(({ name }) => name === IDS)?.namespaces ?? []

function planProperties(dataset: string, shape: DatasetShape, holders: Holders): PropertyPlan[] {
  const fields = claimNames(
    shape.properties.map(({ name }) => name),
    (name) => propertyName(dataset, name),
    (name) => [name, textName(name)],
    RESERVED_FIELDS,
  )
  return shape.properties.map((property) => {
    const field = fields.get(property.name) as string
    return {
      property: property.name,
      key: storedKey(property.name),
      field,
      scalar: scalarOf(property),
      kinds: property.kinds,
      isList: property.list,
      relation: isRelation(property) ? planRelation(dataset, property, field, holders) : null,
    }
  })
}

/** A property's own name when its namespace is the dataset's or none; otherwise with its namespace in front. */
function propertyName(dataset: string, name: string): string {
  const colon = name.lastIndexOf(':')
  const namespace = name.slice(0, Math.max(0, colon))
  const local = graphqlName(name.slice(colon + 1))
  return namespace === '' || namespace === dataset ? local : `${graphqlName(namespace)}_${local}`
}

const textName = (field: string): string => `${field}_ni`
const isRelation = ({ kinds }: PropertyShape): boolean => kinds.length === 1 && kinds[0] === 'ni'
const scalarOf = ({ kinds }: PropertyShape): ScalarName =>
  kinds.length === 1 ? (SCALARS[kinds[0] as Kind] ?? 'JSON') : 'JSON'

function planRelation(dataset: string, property: PropertyShape, field: string, holders: Holders): RelationPlan {
  // The identities of a merged entity lead to the records it was made from, not back to itself.
  const isIdentity = property.name === IDS
  const firsts = new Set<string>()
  const targets = new Map<string, TargetPlan>()
  let isOpen = property.namespaces.length === 0
  for (const namespace of property.namespaces) {
    const candidates = (holders.get(namespace) ?? []).filter(
      ({ dataset: holder, how }) => !isIdentity || (how === 'id' && holder !== dataset),
    )
    if (candidates[0] === undefined) isOpen = true
    else firsts.add(candidates[0].dataset)
    for (const { dataset: holder, identityNamespaces } of candidates) {
      targets.set(holder, { dataset: holder, identityNamespaces: isIdentity ? [] : identityNamespaces })
    }
  }
  const [only] = firsts
  return {
    textField: textName(field),
    targets: [...targets.values()],
    leadsTo: firsts.size === 1 && !isOpen ? (only as string) : null,
  }
}

/** What points here: `employerOf` from a global dataset, `employerOfCrmPerson` from another. */
function planInverses(target: Draft, drafts: readonly Draft[]): InversePlan[] {
  const sources = new Map<string, { readonly draft: Draft; readonly property: PropertyPlan }>(
    drafts.flatMap((draft) =>
      draft.properties
        .filter(({ relation }) => pointsTo(relation, target.dataset))
        .map((property) => [`${draft.dataset} ${property.property}`, { draft, property }] as const),
    ),
  )
  const long = (key: string): string => {
    const { draft, property } = sources.get(key) as { draft: Draft; property: PropertyPlan }
    return `${property.field}Of${draft.typeName}`
  }
  const short = (key: string): string => {
    const { draft, property } = sources.get(key) as { draft: Draft; property: PropertyPlan }
    return draft.isGlobal ? `${property.field}Of` : long(key)
  }
  const keys = [...sources.keys()]
  const taken = new Set([...RESERVED_FIELDS, ...target.properties.flatMap(fieldsOf)])
  const proposed = keys.map(short)
  const isFree = (name: string): boolean => !taken.has(name) && proposed.indexOf(name) === proposed.lastIndexOf(name)
  const names = claimNames(keys, (key) => (isFree(short(key)) ? short(key) : long(key)), undefined, taken)
  return [...sources].map(([key, { draft, property }]) => ({
    field: names.get(key) as string,
    dataset: draft.dataset,
    property: property.property,
  }))
}

const pointsTo = (relation: RelationPlan | null, dataset: string): boolean =>
  relation !== null &&
  (relation.leadsTo === dataset ||
    (relation.leadsTo === null && relation.targets.some((target) => target.dataset === dataset)))

const fieldsOf = ({ field, relation }: PropertyPlan): string[] =>
  relation === null ? [field] : [field, relation.textField]
