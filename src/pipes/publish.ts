/** What a publisher answers: the entities its pipe makes at the moment of the request, as bytes in chunks (rest-api.md §10). */

import type { Entity } from '../model/entity.ts'
import type { TextForm } from '../model/text-form.ts'
import { PipeError } from './errors.ts'
import { inBytes } from './in-bytes.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import { charsetOf } from './sinks/csv-charset.ts'
import { type CsvEndpointConfig, csvChunks } from './sinks/csv-endpoint.ts'
import { excelBytes } from './sinks/excel.ts'
import { entityListChunks } from './sinks/http-endpoint.ts'
import { type XmlEndpointConfig, xmlChunks } from './sinks/xml-endpoint.ts'

/** As the last part of a publisher's address names it. */
export type PublisherForm = 'entities' | 'csv' | 'xml' | 'excel'

/** The sink that publishes in a form. There is none for spreadsheets: what is CSV can be one (hub.md §15.6). */
const SINKS: Readonly<Record<PublisherForm, string>> = {
  entities: 'http_endpoint',
  csv: 'csv_endpoint',
  xml: 'xml_endpoint',
  excel: 'csv_endpoint',
}

export const publishes = (sink: PipeSink, form: PublisherForm): boolean =>
  sink.kind === 'publisher' && sink.type === SINKS[form]

/** `text` is for the form `entities` only. */
export function publishedBytes(
  { id, sink }: Pipe,
  form: PublisherForm,
  text: TextForm,
  batches: AsyncIterable<readonly Entity[]>,
): AsyncIterable<Uint8Array> {
  if (sink.kind !== 'publisher' || !publishes(sink, form)) {
    throw new PipeError('not-a-publisher', `Pipe '${id}' does not publish ${form}; its sink is '${sink.type}'.`)
  }
  switch (form) {
    case 'entities':
      return inBytes(entityListChunks(batches, text))
    case 'csv': {
      const config = sink.config as CsvEndpointConfig
      return inBytes(csvChunks(config, batches), charsetOf(config.encoding) === 'iso-8859-1' ? 'latin1' : 'utf8')
    }
    case 'xml':
      return inBytes(xmlChunks(sink.config as XmlEndpointConfig, batches))
    case 'excel':
      return excelBytes(id, sink.config as CsvEndpointConfig, batches)
  }
}
