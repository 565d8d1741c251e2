/** The page of an entity: what each dataset says of it, what it is the same as, where it comes from. */

import { entries } from '../../model/dict.ts'
import { type Entity, idOf } from '../../model/entity.ts'
import { encodeTransit } from '../../model/transit.ts'
import { isDict, NI, Typed, type TypedScalar, URI, type Value } from '../../model/value.ts'
import { identities } from '../../rdf/statements.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../route.ts'
import { timeOf } from './describe.ts'
import type { Holding, Known } from './holdings.ts'
import { type Html, html, nothing, pageAnswer } from './page.ts'

/** Properties that may name a thing, the likeliest first. */
const NAMES = ['name', 'title', 'label', 'prefLabel', 'displayName', 'fullName']

export function entityPage(call: Call, id: string, { own, merged }: Known): Answer {
  const naming = call.tenant.naming()
  const all = [...own, ...merged]
  return pageAnswer({
    title: labelOf(all.map(({ entity }) => entity)) ?? id,
    crumb: html`<a href="${call.prefix}/api/datasets">${call.tenant.name}</a> / ${id}`,
    iri: naming.entityIri(id),
    path: call.prefix + call.path,
    body: html`${sameAs(call, id, all)}${all.map((holding) => section(call, id, holding))}`,
  })
}

/** One entity of one dataset. */
export function graphPage(call: Call, holding: Holding): Answer {
  const naming = call.tenant.naming()
  const id = idOf(holding.entity)
  return pageAnswer({
    title: labelOf([holding.entity]) ?? id,
    crumb: html`<a href="${hrefOf(call, naming.datasetIri(holding.dataset))}">${holding.dataset}</a> / ${link(call, id)}`,
    iri: naming.graphIri(holding.dataset, id),
    path: call.prefix + call.path,
    body: section(call, id, holding),
  })
}

/** A path when the IRI is of this hub, whatever host it was asked by. */
export function hrefOf({ tenant, prefix }: Call, iri: string): string {
  return iri.startsWith(`${tenant.base}/`) ? prefix + iri.slice(tenant.base.length) : iri
}

export const link = (call: Call, id: string): Html =>
  html`<a href="${hrefOf(call, call.tenant.naming().entityIri(id))}">${id}</a>`

export function labelOf(entities: readonly Entity[]): string | null {
  for (const wanted of NAMES) {
    for (const entity of entities) {
      for (const [name, value] of entries(entity)) {
        const first = Array.isArray(value) ? (value as readonly Value[])[0] : value
        if (typeof first === 'string' && first !== '' && localName(name) === wanted) return first
      }
    }
  }
  return null
}

function sameAs(call: Call, id: string, holdings: readonly Holding[]): Html {
  const others = new Set(holdings.flatMap(({ entity }) => [idOf(entity), ...identities(entity)]))
  others.delete(id)
  if (others.size === 0) return nothing
  return html`<h2>The same as</h2>
<ul>${[...others].map((other) => html`<li>${link(call, other)}</li>`)}</ul>
`
}

function section(call: Call, id: string, holding: Holding): Html {
  const { dataset, entity, pipe } = holding
  const naming = call.tenant.naming()
  const other = idOf(entity)
  const time = timeOf(entity)
  return html`<h2><a href="${hrefOf(call, naming.datasetIri(dataset))}">${dataset}</a>${other === id ? nothing : html` · ${link(call, other)}`}</h2>
<table>${rows(call, entity)}</table>
<p class="note"><a href="${hrefOf(call, naming.graphIri(dataset, other))}">graph</a>${pipe === null ? nothing : html` · made by pipe <a href="${hrefOf(call, naming.pipeIri(pipe))}">${pipe}</a>`}${time === null ? nothing : html` · <time datetime="${time}">${time}</time>`}</p>
`
}

function rows(call: Call, entity: Entity): readonly Html[] {
  return entries(entity)
    .filter(([name]) => !name.startsWith('_'))
    .map(([name, value]) => row(call, name, value))
}

function row(call: Call, name: string, value: Value): Html {
  const namespace = name.slice(0, Math.max(0, name.lastIndexOf(':')))
  const iri = call.tenant.naming().propertyToIri(name)
  return html`<tr><th title="${iri}">${localName(name)}${namespace === '' ? nothing : html`<small>${namespace}</small>`}</th><td>${cell(call, value)}</td></tr>
`
}

function cell(call: Call, value: Value): Html {
  if (Array.isArray(value)) {
    const list = value as readonly Value[]
    return list.length === 1
      ? cell(call, list[0] as Value)
      : html`<ul>${list.map((one) => html`<li>${cell(call, one)}</li>`)}</ul>`
  }
  if (value instanceof NI) return link(call, value.text)
  if (value instanceof URI)
    return isWeb(value.text) ? html`<a href="${value.text}" rel="noreferrer">${value.text}</a>` : html`${value.text}`
  if (value instanceof Typed) return html`${encodeTransit(value as TypedScalar).replace(/^~[a-z]/, '')}`
  if (isDict(value)) return html`<table>${entries(value).map(([name, inner]) => row(call, name, inner))}</table>`
  return html`${String(value)}`
}

/** Other schemes (`javascript:`) are shown, never linked. */
const isWeb = (text: string): boolean => /^https?:\/\//i.test(text)
const localName = (name: string): string => name.slice(name.lastIndexOf(':') + 1)
