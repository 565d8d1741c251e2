/** Publishes entities as a JSON array to whoever asks (rest-api.md §6). */

import { Type } from 'typebox'
import type { Entity } from '../../model/entity.ts'
import { type TextForm, textWriter } from '../../model/text-form.ts'
import { defineSink } from '../contract.ts'
import { fileSettings } from './file-settings.ts'

/** `http_endpoint` (hub.md §15.3). */
export const httpEndpointSink = defineSink({
  type: 'http_endpoint',
  summary: 'A JSON array of entities, at an address of the hub.',
  config: Type.Object({
    type: Type.Literal('http_endpoint'),
    ...fileSettings,
    comment: Type.Optional(Type.Unknown()),
  }),
  examples: [{ type: 'http_endpoint' }, { type: 'http_endpoint', filename: 'people.json' }],
  kind: 'publisher',
  removesNamespaces: true,
})

/** The text of a list, a chunk for each batch. When reading fails, it fails before the closing bracket (rest-api.md §1.1). */
export async function* entityListChunks(
  batches: AsyncIterable<readonly Entity[]>,
  form: TextForm = 'json',
): AsyncIterable<string> {
  const write = textWriter(form)
  let before = '['
  for await (const entities of batches) {
    if (entities.length === 0) continue
    yield before + entities.map((entity) => write(entity)).join(',')
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}
