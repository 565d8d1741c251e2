/** Reads the rows of a CSV file as entities. */

import { type Static, Type } from 'typebox'
import { newDict, type StoredKey, setStored, storedKey } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { accepted } from '../answers.ts'
import { defineSource, type Offset, type Surroundings } from '../contract.ts'
import { PipeError } from '../errors.ts'
import { errorAt, type Finding, refuseErrors } from '../finding.ts'
import { BatchBounds } from './batch-bounds.ts'
import { checkContinuation, continuationOf, continuationSettings, withOffsets } from './continuation.ts'
import { encodingLabel, utf8Bytes } from './csv-bytes.ts'
import { brokenRow, type CsvRow, csvRows } from './csv-rows.ts'
import { ifSourceEmpty } from './empty-source.ts'

const columnNames = (description: string) => Type.Optional(Type.Array(Type.String(), { description }))

const config = Type.Object({
  type: Type.Literal('csv'),
  system: Type.Optional(Type.String({ minLength: 1, description: 'The url system to ask.' })),
  url: Type.String({
    description: 'Where the file is; how it is joined to the address of the system, the system says.',
  }),
  primary_key: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
    description: 'The column that makes the _id, or several, joined with ":".',
  }),
  has_header: Type.Boolean({ default: true, description: 'The first row names the columns.' }),
  field_names: columnNames('Names for the columns, in place of the header.'),
  auto_dialect: Type.Boolean({ default: true, description: 'Guess the separator among , ; tab and |.' }),
  dialect: Type.Optional(
    Type.Enum(['excel', 'excel_tab', 'unix_dialect'], { description: 'A known kind of CSV; nothing is guessed then.' }),
  ),
  delimiter: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'The separator; nothing is guessed then. A comma without dialect or guess.',
    }),
  ),
  encoding: Type.String({ default: 'UTF-8', description: 'How characters are encoded.' }),
  decode_error_strategy: Type.Enum(['strict', 'replace'], {
    default: 'strict',
    description: 'replace: what is not text in this encoding becomes U+FFFD; strict: it is an error.',
  }),
  whitelist: columnNames('Only these columns become properties.'),
  blacklist: columnNames('These columns do not become properties.'),
  preserve_empty_strings: Type.Boolean({
    default: false,
    description: 'Empty columns become empty strings; otherwise they are left out.',
  }),
  escape_null_bytes: Type.Boolean({
    default: false,
    description: 'NUL bytes become the text \\x00; otherwise they are an error.',
  }),
  ...continuationSettings,
  if_source_empty: ifSourceEmpty,
  comment: Type.Optional(Type.Unknown()),
})

type Config = Static<typeof config>

/** `csv` (hub.md §14.10). */
export const csvSource = defineSource({
  type: 'csv',
  summary: 'The rows of a CSV file; all values are strings.',
  config,
  examples: [
    { type: 'csv', system: 'erp', url: 'customers.csv', primary_key: 'id' },
    {
      type: 'csv',
      system: 'erp',
      url: 'lines.txt',
      primary_key: ['order', 'line'],
      has_header: false,
      field_names: ['order', 'line', 'text'],
      delimiter: ';',
      encoding: 'windows-1252',
      blacklist: ['text'],
    },
  ],
  addsNamespaces: true,
  continuation: continuationOf,
  inputs: () => [],
  check,
  open(config, surroundings) {
    refuseErrors(`Source of pipe '${surroundings.pipe}'`, check(config))
    return {
      read: (since, signal) =>
        withOffsets(entities(config, surroundings, since, signal), continuationOf(config), since),
    }
  },
})

function check(config: Config): readonly Finding[] {
  const findings = [...checkContinuation(config)]
  if (!config.has_header && config.field_names === undefined) {
    findings.push(errorAt('/field_names', 'Without a header ("has_header": false) field_names are needed.'))
  }
  if (encodingLabel(config.encoding) === undefined) {
    findings.push(
      errorAt(
        '/encoding',
        `The encoding "${config.encoding}" is not known.`,
        'For example UTF-8, windows-1252, UTF-16.',
      ),
    )
  }
  for (const key of config.field_names === undefined ? [] : keysOf(config)) {
    if (!config.field_names?.includes(key)) findings.push(errorAt('/primary_key', `"${key}" is not among field_names.`))
  }
  return findings
}

async function* entities(
  config: Config,
  { system, batchSize, batchBytes }: Surroundings,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<readonly Entity[]> {
  const port = system(config.system)
  const query = config.supports_since && since !== null ? { since } : {}
  const answer = await accepted(port, 'GET', await port.request({ url: config.url, query }, signal))
  const encoding = {
    label: encodingLabel(config.encoding) as string,
    strict: config.decode_error_strategy === 'strict',
    escapesNull: config.escape_null_bytes,
  }
  const text = utf8Bytes(answer.body, encoding, answer.address)
  let batch: Entity[] = []
  let bounds = new BatchBounds(batchSize, batchBytes)
  try {
    let columns: Columns | undefined
    let isEmpty = true
    for await (const rows of csvRows(text, delimiterOf(config), answer.address)) {
      isEmpty = false
      for (const row of rows) {
        if (columns === undefined) {
          columns = new Columns(config, config.field_names ?? (config.has_header ? row.fields : []), answer.address)
          if (config.has_header) continue
        }
        batch.push(columns.entityOf(row))
        if (!bounds.add(lengthOf(row))) continue
        yield batch
        batch = []
        bounds = new BatchBounds(batchSize, batchBytes)
      }
    }
    // A file that promises a header and has not even that was cut off, or is not the file: believed, it would delete all.
    if (isEmpty && config.has_header && since === null && answer.status !== 204) throw noHeader(answer.address)
  } catch (error) {
    // The rows before a broken one are good.
    if (batch.length > 0) yield batch
    throw error
  }
  if (batch.length > 0) yield batch
}

const lengthOf = ({ fields }: CsvRow): number => fields.reduce((sum, { length }) => sum + length, 0)

const noHeader = (what: string): PipeError =>
  new PipeError('bad-header', `${what} has no header: it is empty.`, {
    details: { address: what },
    hint: 'Nothing was deleted. A file without rows has its header all the same; for one that never has any set has_header to false and give field_names.',
  })

/** Null: to be guessed. */
function delimiterOf({ auto_dialect, dialect, delimiter }: Config): string | null {
  if (delimiter !== undefined) return delimiter
  if (dialect !== undefined) return dialect === 'excel_tab' ? '\t' : ','
  return auto_dialect ? null : ','
}

const keysOf = ({ primary_key: key }: Config): readonly string[] => (typeof key === 'string' ? [key] : key)

/** Which columns there are, and what becomes of them. */
class Columns {
  readonly #what: string
  readonly #count: number
  readonly #keys: readonly number[]
  readonly #kept: readonly (readonly [place: number, key: StoredKey])[]
  readonly #keepsEmpty: boolean

  constructor(config: Config, names: readonly string[], what: string) {
    this.#what = what
    this.#count = names.length
    this.#keepsEmpty = config.preserve_empty_strings
    this.#keys = keysOf(config).map((key) => {
      const place = names.indexOf(key)
      if (place >= 0) return place
      throw new PipeError('bad-header', `${what} has no column "${key}", which is its primary key.`, {
        details: { address: what, columns: names },
        hint: `Its columns are ${names.map((name) => `"${name}"`).join(', ')}.`,
      })
    })
    const { whitelist, blacklist = [] } = config
    const kept = [...names.entries()].filter(([, name]) => {
      // Nameless columns (a separator at the end of each row) hold nothing; _id is made from the primary key.
      return name !== '' && name !== '_id' && (whitelist?.includes(name) ?? true) && !blacklist.includes(name)
    })
    for (const [place, name] of [...kept, ...this.#keys.map((key) => [key, names[key] as string] as const)]) {
      if (names.indexOf(name) === names.lastIndexOf(name)) continue
      throw new PipeError('bad-header', `${what} has several columns "${name}", of which one would be lost.`, {
        details: { address: what, column: name, place: place + 1 },
        hint: 'Name them with field_names, or leave the name out with blacklist.',
      })
    }
    this.#kept = kept.map(([place, name]) => [place, storedKey(name)])
  }

  /** Throws `bad-row`. */
  entityOf({ fields, number, line }: CsvRow): Entity {
    if (fields.length !== this.#count) {
      throw brokenRow(this.#what, number, line, `it has ${fields.length} columns where ${this.#count} are expected`)
    }
    if (this.#keys.every((key) => fields[key] === '')) {
      throw brokenRow(this.#what, number, line, 'its primary key is empty')
    }
    const entity = newDict()
    setStored(entity, idKey, this.#keys.map((key) => fields[key]).join(':'))
    for (const [place, key] of this.#kept) {
      const value = fields[place] as string
      if (value !== '' || this.#keepsEmpty) setStored(entity, key, value)
    }
    return entity
  }
}

const idKey = storedKey('_id')
