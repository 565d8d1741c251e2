/** The page of a dataset: what it is, and its entities a page at a time. */

import { idOf } from '../../model/entity.ts'
import type { Answer } from '../answer.ts'
import type { Call } from '../route.ts'
import type { DatasetFacts } from './describe.ts'
import { hrefOf, labelOf, link } from './entity-page.ts'
import { html, nothing, pageAnswer } from './page.ts'

const ROWS = 100

export function datasetPage(call: Call, { id, count, pipe }: DatasetFacts, after: string | undefined): Answer {
  const naming = call.tenant.naming()
  const path = call.prefix + call.path
  const range = { limit: ROWS + 1, ...(after === undefined ? {} : { after }) }
  const entities = [...call.doors.scan(call.tenant, id, range)]
  const shown = entities.slice(0, ROWS)
  const last = shown.at(-1)
  const more =
    entities.length > ROWS && last !== undefined ? `${path}?format=html&after=${encodeURIComponent(idOf(last))}` : null
  return pageAnswer({
    title: id,
    crumb: html`<a href="${call.prefix}/api/datasets">${call.tenant.name}</a> / dataset`,
    iri: naming.datasetIri(id),
    path,
    body: html`<p>${count} ${count === 1 ? 'entity' : 'entities'}${pipe === null ? nothing : html`, made by pipe <a href="${hrefOf(call, naming.pipeIri(pipe))}">${pipe}</a>`}. <a href="${call.prefix}/api/datasets/${encodeURIComponent(id)}/export">Export</a>, <a href="${call.prefix}/api/datasets/${encodeURIComponent(id)}/entities">JSON</a>.</p>
<table>${shown.map((entity) => html`<tr><th>${link(call, idOf(entity))}</th><td>${labelOf([entity]) ?? ''}</td></tr>\n`)}</table>
${more === null ? nothing : html`<p><a href="${more}" rel="next">More</a></p>`}`,
  })
}
