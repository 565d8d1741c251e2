/** How output looks: colours and a moving line only on a terminal, plain lines everywhere else. */

import { stripVTControlCharacters } from 'node:util'

export interface Terminal {
  /** A finished line on standard output. */
  line(text: string): void
  /** A finished line on standard error. */
  note(text: string): void
  /** Somebody watches standard error, so {@link status} shows. */
  readonly isWatched: boolean
  /** What is going on, on standard error: one line that replaces itself on a terminal, nothing elsewhere. */
  status(text: string): void
  /** Takes the status line away. */
  clear(): void
  bold(text: string): string
  red(text: string): string
  yellow(text: string): string
  green(text: string): string
  dim(text: string): string
}

export function openTerminal(environment: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdout, stderr } = process
  const isAllowed = (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb'
  const hasColours = isAllowed && (stdout.isTTY === true || stderr.isTTY === true)
  const paint = (code: string) => (text: string) => (hasColours ? `\u001b[${code}m${text}\u001b[0m` : text)
  let isStatusShown = false
  const clear = () => {
    if (isStatusShown) stderr.write('\r\u001b[2K')
    isStatusShown = false
  }
  // One of the two may go to a file.
  const write = (stream: NodeJS.WriteStream, text: string) => {
    clear()
    stream.write(`${stream.isTTY === true ? text : stripVTControlCharacters(text)}\n`)
  }
  return {
    line: (text) => write(stdout, text),
    note: (text) => write(stderr, text),
    isWatched: stderr.isTTY === true,
    status(text) {
      if (stderr.isTTY !== true) return
      stderr.write(`\r\u001b[2K${text.slice(0, (stderr.columns ?? 80) - 1)}`)
      isStatusShown = true
    },
    clear,
    bold: paint('1'),
    red: paint('31'),
    yellow: paint('33'),
    green: paint('32'),
    dim: paint('2'),
  }
}

/** From now on a reader of these that goes away, as in `samtale serve | head -1`, is no failure: nobody misses the rest. */
export function outliveReaders(...streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}

/** Rows under headings, columns as wide as needed; numbers stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)))
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  )
  const isNumber = headings.map((_, column) => rows.some((row) => typeof row[column] === 'number'))
  const pad = (text: string, column: number) =>
    isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)
  return [headings, ...cells].map((row) => row.map(pad).join('  ').trimEnd())
}
