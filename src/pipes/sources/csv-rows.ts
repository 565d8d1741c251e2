/** Parses CSV text into rows as it comes. A broken row is named, and the rows before it are given first. */

import { finished } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { PipeError } from '../errors.ts'
import { detectDelimiter } from './csv-dialect.ts'

export interface CsvRow {
  readonly fields: readonly string[]
  /** From 1, the header and rows with line breaks in them counted as one each, blank lines not at all. */
  readonly number: number
  /** The line on which it ends, from 1. */
  readonly line: number
}

/** A quote that is never closed would otherwise take the rest of the file into one field. */
const ROW_BYTES = 16 * 1024 * 1024
const SAMPLE_BYTES = 64 * 1024

/** Rows of quoted CSV. `delimiter` null: guessed from the beginning. Throws `bad-row`. */
export async function* csvRows(
  pieces: AsyncIterable<Buffer>,
  delimiter: string | null,
  what: string,
): AsyncIterable<readonly CsvRow[]> {
  let parser: RowParser | undefined
  let sample: Buffer[] = []
  const begin = (): AsyncIterable<readonly CsvRow[]> => {
    const beginning = Buffer.concat(sample)
    sample = []
    parser = new RowParser(delimiter ?? detectDelimiter(beginning.toString('utf8', 0, SAMPLE_BYTES)), what)
    return parser.push(beginning)
  }
  try {
    for await (const piece of pieces) {
      if (parser !== undefined) yield* parser.push(piece)
      else {
        sample.push(piece)
        if (delimiter !== null || sizeOf(sample) >= SAMPLE_BYTES) yield* begin()
      }
    }
  } catch (error) {
    // The text broke off. What came is whole lines, so the rows in them are good; a parser that failed itself gives none.
    if (parser === undefined) yield* begin()
    yield* (parser as unknown as RowParser).lastRows()
    throw error
  }
  if (parser === undefined) yield* begin()
  yield* (parser as unknown as RowParser).end()
}

class RowParser {
  readonly #what: string
  readonly #parser: ReturnType<typeof parse>
  #rows: CsvRow[] = []
  #count = 0

  constructor(delimiter: string, what: string) {
    this.#what = what
    this.#parser = parse({
      delimiter,
      bom: true,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: ROW_BYTES,
      // Rows are taken here and not from the stream, which drops what it holds when a later row is broken.
      on_record: (fields: string[], { lines }) => {
        this.#rows.push({ fields, number: ++this.#count, line: lines })
        return null
      },
    })
    this.#parser.on('error', () => {})
    this.#parser.resume()
  }

  async *push(piece: Buffer): AsyncIterable<readonly CsvRow[]> {
    yield* this.#after(
      new Promise<void>((resolve, reject) => {
        this.#parser.write(piece, (error) => (error == null ? resolve() : reject(error)))
      }),
    )
  }

  async *end(): AsyncIterable<readonly CsvRow[]> {
    this.#parser.end()
    yield* this.#after(finished(this.#parser))
  }

  /** Rows that were held back, if the text so far can be an end. */
  async *lastRows(): AsyncIterable<readonly CsvRow[]> {
    this.#parser.end()
    await finished(this.#parser).catch(() => {})
    if (this.#rows.length > 0) yield this.#rows
  }

  async *#after(parsed: Promise<void>): AsyncIterable<readonly CsvRow[]> {
    let failure: unknown
    await parsed.catch((error: unknown) => {
      failure = error
    })
    const rows = this.#rows
    this.#rows = []
    if (rows.length > 0) yield rows
    if (failure !== undefined) throw this.#broken(failure as Error & { code?: string; lines?: number })
  }

  #broken(cause: Error & { code?: string; lines?: number }): PipeError {
    const row = this.#count + 1
    const reason = reasons[cause.code ?? ''] ?? cause.message
    return brokenRow(this.#what, row, cause.lines ?? 0, reason, cause)
  }
}

/** The error that names a row. */
export function brokenRow(what: string, row: number, line: number, reason: string, cause?: unknown): PipeError {
  return new PipeError('bad-row', `Row ${row} (line ${line}) of ${what} is broken: ${reason}.`, {
    details: { row, line, reason },
    hint: 'The rows before it were read. Rows are counted with the header as row 1.',
    cause,
  })
}

const reasons: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'text follows a closing quote; a quote inside quotes is written twice',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'text follows a closing quote; a quote inside quotes is written twice',
  INVALID_OPENING_QUOTE:
    'a quote stands in the middle of a field without quotes; it is written twice, in a quoted field',
  CSV_MAX_RECORD_SIZE: `it is longer than ${ROW_BYTES} bytes; a quote may be opened and never closed`,
}

const sizeOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0)
