/** What a csv_endpoint publishes as CSV, as a spreadsheet (hub.md §15.6): the same rows, values as what they are. */

import type { SheetData } from 'write-excel-file/node'
import { get } from '../../model/dict.ts'
import { type Entity, isDeleted } from '../../model/entity.ts'
import { Datetime, Decimal, Float, LocalDate, type Value } from '../../model/value.ts'
import { PipeError } from '../errors.ts'
import { plainText } from '../plain-text.ts'
import type { CsvEndpointConfig } from './csv-endpoint.ts'

type Cell =
  | string
  | number
  | boolean
  | null
  | { readonly value: string | Date; readonly type: unknown; readonly format?: string }

/** A sheet is put together in memory. */
const MOST_CELLS = 2_000_000
/** Limits of the format itself. */
const MOST_ROWS = 1_048_576
const MOST_CHARACTERS = 32_767

/** The file, once all rows are known. Throws `too-many-rows`, `missing-package`. */
export async function* excelBytes(
  pipe: string,
  config: CsvEndpointConfig,
  batches: AsyncIterable<readonly Entity[]>,
): AsyncGenerator<Uint8Array> {
  const { columns } = config
  const rows: Cell[][] = config.include_header ? [columns.map(textCell)] : []
  for await (const entities of batches) {
    for (const entity of entities) {
      if (config['skip-deleted-entities'] && isDeleted(entity)) continue
      rows.push(columns.map((column) => cellOf(get(entity, column))))
      if (rows.length > MOST_ROWS || rows.length * columns.length > MOST_CELLS) throw tooMany(pipe, rows.length)
    }
  }
  yield await sheetOf(rows)
}

/** A sheet with one cell, which leads to an address: for programs that open a link and not what is behind it. */
export function linkSheet(url: string): Promise<Uint8Array> {
  return sheetOf([[{ value: `HYPERLINK("${url.replaceAll('"', '""')}")`, type: 'Formula' }]])
}

async function sheetOf(rows: readonly (readonly Cell[])[]): Promise<Uint8Array> {
  const { default: write } = await import('write-excel-file/node').catch((cause: Error) => {
    throw new PipeError(
      'missing-package',
      "Spreadsheets need the package 'write-excel-file', which is not installed.",
      {
        hint: 'Install it: npm install write-excel-file.',
        cause,
      },
    )
  })
  const file = await write(rows as SheetData).toBuffer()
  // In memory of its own, to be given to another thread.
  return new Uint8Array(file)
}

/** Numbers as numbers where no digit is lost, dates as dates where the format knows them, everything else as CSV has it. */
function cellOf(value: Value | undefined): Cell {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof Float) return value.value
  if (value instanceof Decimal && isExact(value)) return Number(plainText(value))
  if (value instanceof LocalDate && value.days >= FIRST_DAY) {
    return { value: new Date(value.days * DAY_MS), type: Date, format: 'yyyy-mm-dd' }
  }
  if (value instanceof Datetime && value.nanoseconds % 1_000_000n === 0n) {
    const ms = Number(value.nanoseconds / 1_000_000n)
    if (ms >= FIRST_DAY * DAY_MS) return { value: new Date(ms), type: Date, format: 'yyyy-mm-dd hh:mm:ss' }
  }
  return textCell(plainText(value))
}

/** Digits that a double holds in any case. */
const isExact = ({ unscaled }: Decimal): boolean => unscaled < 10n ** 15n && unscaled > -(10n ** 15n)

const DAY_MS = 86_400_000
/** 1900-03-01: the days before are counted wrongly by the programs. */
const FIRST_DAY = -25_508

const textCell = (text: string): Cell =>
  text === '' ? null : { value: text.length > MOST_CHARACTERS ? text.slice(0, MOST_CHARACTERS) : text, type: String }

const tooMany = (pipe: string, rows: number): PipeError =>
  new PipeError(
    'too-many-rows',
    `Pipe '${pipe}' publishes more than a spreadsheet can hold: more than ${rows - 1} rows.`,
    {
      hint: 'Ask for CSV, or for less with limit.',
    },
  )
