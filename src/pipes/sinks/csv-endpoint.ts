/** Publishes entities as a CSV file to whoever asks (rest-api.md §10.2). */

import { type Static, Type } from 'typebox'
import { get } from '../../model/dict.ts'
import { type Entity, isDeleted } from '../../model/entity.ts'
import { defineSink } from '../contract.ts'
import { errorAt, type Finding } from '../finding.ts'
import { charsetOf, representable } from './csv-charset.ts'
import { csvRow } from './csv-text.ts'
import { fileSettings } from './file-settings.ts'

const character = { minLength: 1, maxLength: 1 }

const config = Type.Object({
  type: Type.Literal('csv_endpoint'),
  columns: Type.Array(Type.String(), { minItems: 1, description: 'The properties to write, in this order.' }),
  quoting: Type.Enum(['minimal', 'all', 'non-numeric', 'none'], {
    default: 'minimal',
    description: 'Which values to put in quotes.',
  }),
  delimiter: Type.String({ ...character, default: ',', description: 'What stands between the columns.' }),
  doublequote: Type.Boolean({
    default: true,
    description: 'A quote in a value is written twice; otherwise it is escaped.',
  }),
  include_header: Type.Boolean({ default: true, description: 'The first row names the columns.' }),
  escapechar: Type.Union([Type.String(character), Type.Null()], {
    default: null,
    description: 'Written before what would be misread; a backslash when doublequote is false.',
  }),
  lineterminator: Type.String({
    default: '\r\n',
    minLength: 1,
    description: 'What ends every row, the last one included.',
  }),
  quotechar: Type.String({ ...character, default: '"', description: 'What stands around values in quotes.' }),
  byte_order_mark: Type.Boolean({ default: false, description: 'Begin with U+FEFF.' }),
  encoding: Type.String({ default: 'utf-8', description: 'utf-8, latin-1 or ascii.' }),
  encode_error_strategy: Type.Enum(['backslashreplace', 'ignore', 'replace', 'xmlcharrefreplace'], {
    default: 'backslashreplace',
    description: 'What to write for characters that the encoding does not have.',
  }),
  'skip-deleted-entities': Type.Boolean({ default: true, description: 'Leave deleted entities out.' }),
  ...fileSettings,
  comment: Type.Optional(Type.Unknown()),
})

export type CsvEndpointConfig = Static<typeof config>

/** `csv_endpoint` (hub.md §15.4). */
export const csvEndpointSink = defineSink({
  type: 'csv_endpoint',
  summary: 'A CSV file, at an address of the hub.',
  config,
  examples: [
    { type: 'csv_endpoint', columns: ['_id', 'name'] },
    { type: 'csv_endpoint', columns: ['name'], delimiter: ';', encoding: 'latin-1', filename: 'people.csv' },
  ],
  kind: 'publisher',
  removesNamespaces: true,
  check(config): readonly Finding[] {
    const charset = charsetOf(config.encoding)
    if (charset === undefined) {
      const hint = 'Known are utf-8, latin-1 and ascii.'
      return [errorAt('/encoding', `The encoding "${config.encoding}" is not supported by this version.`, hint)]
    }
    if (!config.byte_order_mark || charset === 'utf-8') return []
    return [errorAt('/byte_order_mark', `A byte order mark cannot be written in ${config.encoding}.`)]
  },
})

/** The file as text, a chunk for each batch. It holds only what its encoding can say: as bytes it is latin1 or, for the others, UTF-8. */
export async function* csvChunks(
  config: CsvEndpointConfig,
  batches: AsyncIterable<readonly Entity[]>,
): AsyncIterable<string> {
  const { columns } = config
  const row = csvRow(config)
  const written = representable(charsetOf(config.encoding) ?? 'utf-8', config.encode_error_strategy)
  const head = config.include_header ? row(columns) : ''
  if (config.byte_order_mark || head !== '') yield (config.byte_order_mark ? '\ufeff' : '') + written(head)
  for await (const entities of batches) {
    let chunk = ''
    for (const entity of entities) {
      if (config['skip-deleted-entities'] && isDeleted(entity)) continue
      chunk += row(columns.map((column) => get(entity, column)))
    }
    if (chunk !== '') yield written(chunk)
  }
}
