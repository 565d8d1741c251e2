/** Lenses: how a value of a system becomes one of the model (get) and back (put), as DTL expressions. */

import { didYouMean } from '../../../src/config/problems.ts'
import type { Part } from './part.ts'

/** An expression of DTL, as JSON. */
export type Expression =
  | string
  | number
  | boolean
  | null
  | readonly Expression[]
  | { readonly [name: string]: Expression }

export interface Lens {
  /** What is not of the expected kind drops out. */
  get(value: Expression): Expression
  put(value: Expression): Expression
}

/** A controlled vocabulary: what people write ↔ the identifier of the concept. */
export interface Table {
  readonly name: string
  readonly class: string
  /** Model property that holds the code. */
  readonly is: string
  readonly entries: readonly TableEntry[]
}

export interface TableEntry {
  readonly code: string
  /** The first is the one that is written. */
  readonly names: readonly string[]
  readonly wikidata?: string
}

export const conceptNi = (table: Table, code: string): string => `~:${table.name}:${code}`

const KNOWN = ['trim', 'lower', 'upper', 'email', 'digits', 'phone', 'table'] as const
/** Named by the specification of mappings, and not done here. */
const LATER = ['url', 'decimal', 'scale', 'bool', 'date', 'datetime', 'code', 'split', 'join', 'name.split', 'const']
const LATER_TOO = ['default', 'html.text', 'json', 'dtl']

const same = (value: Expression): Expression => value

/** `trim`, or with a setting `{ phone: { region: "NO" } }`. */
export function readLens(part: Part, tables: ReadonlyMap<string, Table>): Lens | null {
  const [name, setting] =
    typeof part.value === 'string' ? [part.value, part] : [part.names()[0] ?? '', part.at(part.names()[0] ?? '')]
  switch (name) {
    case 'trim':
      return { get: (value) => ['strip', value], put: same }
    case 'lower':
      return { get: (value) => ['lower', value], put: same }
    case 'upper':
      return { get: (value) => ['upper', value], put: same }
    case 'email':
      return { get: (value) => ['filter', ['matches', '?*@?*', '_.'], ['lower', ['strip', value]]], put: same }
    case 'digits':
      return { get: (value) => ['map', onlyCharacters('0123456789'), value], put: same }
    case 'phone':
      return phoneLens(setting)
    case 'table':
      return tableLens(setting, tables)
    default: {
      const isLater = [...LATER, ...LATER_TOO].includes(name)
      if (isLater) part.problem(`The lens '${name}' is not supported by this version.`)
      else part.problem(`There is no lens '${name}'.`, didYouMean(name, KNOWN) ?? `There are ${KNOWN.join(', ')}.`)
      return null
    }
  }
}

/** The characters of `_.` that are among these, in order; numbers are taken by their digits. */
const onlyCharacters = (characters: string): Expression => [
  'join',
  '',
  ['filter', ['in', '_.', ['list', ...characters]], ['split', '', ['string', '_.']]],
]

/** Calling code, and how many digits a number has behind it. */
const REGIONS: Readonly<Record<string, readonly [code: string, digits: number]>> = { NO: ['47', 8], DK: ['45', 8] }

/** Any notation → E.164. What has neither a country's prefix nor the region's length is no phone number. */
function phoneLens(part: Part): Lens | null {
  const region = part.object(['region']).at('region')
  const known = REGIONS[region.text()]
  if (known === undefined) {
    region.problem(`The region is not supported by this version.`, `There are ${Object.keys(REGIONS).join(', ')}.`)
    return null
  }
  const [code, digits] = known
  const number: Expression = [
    'case',
    ['and', ['matches', '+*', '_.'], ['gt', ['length', '_.'], digits]],
    '_.',
    ['and', ['matches', '00*', '_.'], ['gt', ['length', '_.'], digits]],
    ['concat', '+', ['substring', 2, '_.']],
    ['eq', ['length', '_.'], digits],
    ['concat', `+${code}`, '_.'],
    ['and', ['matches', `${code}*`, '_.'], ['eq', ['length', '_.'], digits + code.length]],
    ['concat', '+', '_.'],
  ]
  // The notation +47 (0) … holds a zero that is not dialled.
  const typed = onlyCharacters('+0123456789')
  return { get: (value) => ['map', number, ['map', typed, ['replace', '(0)', '', ['string', value]]]], put: same }
}

function tableLens(part: Part, tables: ReadonlyMap<string, Table>): Lens | null {
  const name = part.text()
  const table = tables.get(name)
  if (table === undefined) {
    part.problem(`There is no table '${name}'.`, didYouMean(name, tables.keys()))
    return null
  }
  const read = table.entries.flatMap(({ code, names }) =>
    [...new Set([...names, code].map((text) => text.toLowerCase()))].flatMap((text) => [text, conceptNi(table, code)]),
  )
  const written = table.entries.flatMap(({ code, names }) => [conceptNi(table, code), names[0] ?? code])
  return {
    get: (value) => ['map', ['case-eq', ['lower', ['strip', '_.']], ...read], value],
    put: (value) => ['map', ['case-eq', '_.', ...written], value],
  }
}
