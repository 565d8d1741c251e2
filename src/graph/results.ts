/** Rows of SELECT results as text: counted, and cut after so many. */

export interface CutText {
  readonly text: string
  readonly rows: number
  readonly isCut: boolean
}

export type TableFormat = 'json' | 'xml' | 'csv' | 'tsv'

/** The text with at most `maxRows` rows, still whole in its format. */
export function cutRows(text: string, format: TableFormat, maxRows: number): CutText {
  return cutters[format](text, maxRows)
}

const cutters: Readonly<Record<TableFormat, (text: string, maxRows: number) => CutText>> = {
  json: cutJson,
  xml: cutXml,
  csv: (text, maxRows) => cutLines(text, maxRows, csvRowEnd),
  // A line break in a value is written \n.
  tsv: (text, maxRows) => cutLines(text, maxRows, lineEnd),
}

/** The rows are the elements of one list; braces within strings are none. */
function cutJson(text: string, maxRows: number): CutText {
  const start = text.indexOf('"bindings":[') + '"bindings":['.length
  let rows = 0
  let depth = 0
  let cutAt = -1
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = stringEnd(text, at)
    else if (char === OPEN) {
      if (depth++ > 0) continue
      if (rows === maxRows) cutAt = rows === 0 ? at : text.lastIndexOf('}', at) + 1
      rows++
    } else if (char === CLOSE) {
      if (--depth < 0) break
    }
  }
  return cutAt < 0 ? whole(text, rows) : { text: `${text.slice(0, cutAt)}]}}`, rows: maxRows, isCut: true }
}

const QUOTE = 34
const OPEN = 123
const CLOSE = 125
const BACKSLASH = 92

/** Place of the quote that ends the string which begins here. */
function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

function cutXml(text: string, maxRows: number): CutText {
  let rows = 0
  let cutAt = -1
  // In values `<` is escaped, so this is always a row.
  for (let at = text.indexOf(ROW); at >= 0; at = text.indexOf(ROW, at + ROW.length)) {
    if (rows++ === maxRows) cutAt = at
  }
  return cutAt < 0
    ? whole(text, rows)
    : { text: `${text.slice(0, cutAt)}</results></sparql>`, rows: maxRows, isCut: true }
}

const ROW = '<result>'

/** The first row is the header. `rowEnd` gives the place after a row that begins at a place. */
function cutLines(text: string, maxRows: number, rowEnd: (text: string, start: number) => number): CutText {
  let rows = -1
  let cutAt = -1
  for (let at = 0; at < text.length; at = rowEnd(text, at)) if (rows++ === maxRows) cutAt = at
  return cutAt < 0 ? whole(text, rows) : { text: text.slice(0, cutAt), rows: maxRows, isCut: true }
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start)
  return end < 0 ? text.length : end + 1
}

/** A quoted value may hold line breaks; a quote within it is doubled, which opens and closes it once more. */
function csvRowEnd(text: string, start: number): number {
  for (let at = start; ; ) {
    const end = lineEnd(text, at)
    const quote = text.indexOf('"', at)
    if (quote < 0 || quote >= end) return end
    const closing = text.indexOf('"', quote + 1)
    if (closing < 0) return text.length
    at = closing + 1
  }
}

const whole = (text: string, rows: number): CutText => ({ text, rows, isCut: false })
