/** What a publisher's answer says of itself: type, file name and the headers of JSON Pull (rest-api.md §6.2, §10.1). */

import { inherited } from '../pipes/completeness.ts'
import { isPublisher, type Pipe } from '../pipes/pipe.ts'
import { charsetOf } from '../pipes/sinks/csv-charset.ts'
import type { Publication } from './contract.ts'
import { datasetHeaders, type Readable, withSnapshot } from './datasets.ts'
import { HubError } from './errors.ts'

type Form = 'entities' | 'csv'

/** Throws `not-a-publisher`. */
export function assertPublishes(pipe: Pipe, form: Form): void {
  const { type } = pipe.sink
  if (isPublisher(pipe) && type === (form === 'csv' ? 'csv_endpoint' : 'http_endpoint')) return
  throw new HubError('not-a-publisher', `Pipe '${pipe.id}' does not publish ${form}; its sink is '${type}'.`)
}

export function publicationOf(tenant: Readable, pipe: Pipe, form: Form, text: AsyncIterable<string>): Publication {
  const config = (pipe.sink.kind === 'publisher' ? pipe.sink.config : {}) as Record<string, string | undefined>
  const { filename, content_disposition: disposition, encoding } = config
  const charset = form === 'csv' ? (charsetOf(encoding ?? 'utf-8') ?? 'utf-8') : 'utf-8'
  return {
    contentType: `${form === 'csv' ? 'text/csv' : 'application/json'}; charset=${charset}`,
    ...(filename === undefined
      ? {}
      : { fileName: filename, disposition: (disposition ?? 'attachment') as 'attachment' }),
    headers: {
      ...headersOfInput(tenant, pipe),
      ...(isFiltered(pipe) ? { 'X-Dataset-Filtered': 'true' } : {}),
    },
    body: charset === 'iso-8859-1' ? latin1(text) : text,
  }
}

/** The entity at the highest offset may never be seen. */
const isFiltered = ({ transforms, source }: Pipe): boolean =>
  transforms.length > 0 || (source.config.subset !== undefined && source.config.subset !== null)

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

async function* latin1(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk, 'latin1')
}
