/** Publishes entities as an XML document to whoever asks (hub.md §15.5). */

import { type Static, Type } from 'typebox'
import { type Entity, isDeleted } from '../../model/entity.ts'
import { defineSink } from '../contract.ts'
import { checkXml, xmlForm, xmlSettings } from '../xml-text.ts'
import { fileSettings } from './file-settings.ts'

const config = Type.Object({
  type: Type.Literal('xml_endpoint'),
  ...xmlSettings,
  ...fileSettings,
  comment: Type.Optional(Type.Unknown()),
})

export type XmlEndpointConfig = Static<typeof config>

/** `xml_endpoint` (hub.md §15.5). */
export const xmlEndpointSink = defineSink({
  type: 'xml_endpoint',
  summary: 'An XML document, at an address of the hub.',
  config,
  examples: [
    { type: 'xml_endpoint', wrapper: 'people' },
    {
      type: 'xml_endpoint',
      wrapper: 'people',
      'root-attributes': { xmlns: 'https://example.org/people' },
      'include-xml-decl': true,
      filename: 'people.xml',
    },
  ],
  kind: 'publisher',
  removesNamespaces: true,
  check: checkXml,
})

/** The document as text, a chunk for each batch. When reading fails, it fails before the end of the wrapper. */
export async function* xmlChunks(
  config: XmlEndpointConfig,
  batches: AsyncIterable<readonly Entity[]>,
): AsyncIterable<string> {
  const { head, tail, element } = xmlForm(config)
  if (head !== '') yield head
  for await (const entities of batches) {
    let chunk = ''
    for (const entity of entities) {
      if (!(config['skip-deleted-entities'] && isDeleted(entity))) chunk += element(entity)
    }
    if (chunk !== '') yield chunk
  }
  if (tail !== '') yield tail
}
