/** What a publisher answers: the entities its pipe makes at the moment of the request, as text in chunks (rest-api.md §10). */

import type { Entity } from '../model/entity.ts'
import { PipeError } from './errors.ts'
import type { Pipe } from './pipe.ts'
import { type CsvEndpointConfig, csvChunks } from './sinks/csv-endpoint.ts'
import { jsonArrayChunks } from './sinks/http-endpoint.ts'

export function publishedText(
  pipe: Pipe,
  form: 'entities' | 'csv',
  batches: AsyncIterable<readonly Entity[]>,
): AsyncIterable<string> {
  const { sink } = pipe
  if (sink.kind === 'publisher' && form === 'entities' && sink.type === 'http_endpoint') return jsonArrayChunks(batches)
  if (sink.kind === 'publisher' && form === 'csv' && sink.type === 'csv_endpoint') {
    return csvChunks(sink.config as CsvEndpointConfig, batches)
  }
  throw new PipeError('not-a-publisher', `Pipe '${pipe.id}' does not publish ${form}; its sink is '${sink.type}'.`)
}
