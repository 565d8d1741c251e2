/** What a publisher's answer says of itself: type, file name and the headers of JSON Pull (rest-api.md §6.2, §10.1). */

import { inherited } from '../pipes/completeness.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { type PublisherForm, publishes } from '../pipes/publish.ts'
import { charsetOf } from '../pipes/sinks/csv-charset.ts'
import type { Publication, TextForm } from './contract.ts'
import { datasetHeaders, type Readable, withSnapshot } from './datasets.ts'
import { HubError } from './errors.ts'

export { linkSheet } from '../pipes/sinks/excel.ts'

/** Throws `not-a-publisher`. */
export function assertPublishes({ id, sink }: Pipe, form: PublisherForm): void {
  if (publishes(sink, form)) return
  throw new HubError('not-a-publisher', `Pipe '${id}' does not publish ${form}; its sink is '${sink.type}'.`)
}

export function publicationOf(
  tenant: Readable,
  pipe: Pipe,
  form: PublisherForm,
  text: TextForm,
  body: AsyncIterable<Uint8Array>,
): Publication {
  const config = (pipe.sink.kind === 'publisher' ? pipe.sink.config : {}) as Record<string, string | undefined>
  const { filename, content_disposition: disposition } = config
  return {
    contentType: typeOf(form, text, config.encoding),
    ...(filename === undefined
      ? {}
      : { fileName: filename, disposition: (disposition ?? 'attachment') as 'attachment' }),
    headers: {
      ...headersOfInput(tenant, pipe),
      ...(isFiltered(pipe) ? { 'X-Dataset-Filtered': 'true' } : {}),
    },
    body,
  }
}

function typeOf(form: PublisherForm, text: TextForm, encoding = 'utf-8'): string {
  switch (form) {
    case 'entities':
      return `application/${text === 'transit' ? 'transit+json' : 'json'}; charset=utf-8`
    case 'csv':
      return `text/csv; charset=${charsetOf(encoding) ?? 'utf-8'}`
    case 'xml':
      return 'application/xml; charset=utf-8'
    case 'excel':
      return 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
  }
}

/** The entity at the highest offset may never be seen. */
const isFiltered = ({ transforms, source }: Pipe): boolean =>
  transforms.length > 0 || (source.config.subset !== undefined && source.config.subset !== null)

/** The dataset that a publisher gives as it is; null: it makes something else of it. */
export function feedOf(pipe: Pipe): { readonly dataset: string; readonly history: boolean } | null {
  const { type, config } = pipe.source
  const { dataset, include_previous_versions: history, include_replaced: replaced } = config
  const changes = isFiltered(pipe) || pipe.addNamespaces || pipe.removeNamespaces || replaced === false
  const holdsBack = (config.completeness ?? config.initial_completeness ?? null) !== null
  if (type !== 'dataset' || typeof dataset !== 'string' || changes || holdsBack) return null
  return { dataset, history: history === true }
}

/** A publisher tells how its source dataset stands, if it has just one; of several only what can be said of all. */
function headersOfInput(tenant: Readable, pipe: Pipe): Record<string, string> {
  const [input, ...others] = pipe.source.inputs
  if (input === undefined) return {}
  const { isThere, isPopulated, completeness } = withSnapshot(tenant, (snapshot) => ({
    isThere: snapshot.dataset(input) !== undefined,
    isPopulated: pipe.source.populated(snapshot),
    completeness: inherited(pipe, snapshot).value,
  }))
  const { 'X-Dataset-Completeness': _, ...headers } =
    others.length === 0 && isThere ? datasetHeaders(tenant, input) : { 'X-Dataset-Populated': String(isPopulated) }
  // What its program reads counts as well.
  return typeof completeness === 'number' ? { ...headers, 'X-Dataset-Completeness': String(completeness) } : headers
}
