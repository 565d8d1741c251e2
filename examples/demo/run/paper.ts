/** How the demo writes: headings, tables, and a line of progress that moves on a terminal. */

const isTerminal = process.stdout.isTTY === true

export const number = (value: number): string => new Intl.NumberFormat('en').format(value)

export function line(text = ''): void {
  clearProgress()
  process.stdout.write(`${text}\n`)
}

export const heading = (text: string): void => line(`\n${isTerminal ? `\x1b[1m${text}\x1b[0m` : text}`)

export const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((each) => (each === '' ? '' : `  ${each}`))
    .join('\n')

const CELL = 60

/** Columns as wide as what they hold; what is too long is cut. */
export function table(rows: readonly (readonly string[])[]): string {
  const cut = rows.map((row) => row.map((cell) => (cell.length > CELL ? `${cell.slice(0, CELL - 1)}…` : cell)))
  const widths = cut.reduce<number[]>(
    (least, row) => row.map((cell, place) => Math.max(least[place] ?? 0, cell.length)),
    [],
  )
  return cut
    .map((row) =>
      row
        .map((cell, place) => cell.padEnd(widths[place] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

let hasProgress = false
let lastPlain = 0

/** Rewritten in place on a terminal; elsewhere a plain line every two seconds at most. */
export function progress(text: string): void {
  if (isTerminal) {
    process.stdout.write(`\r\x1b[K  ${text}`)
    hasProgress = true
  } else if (Date.now() - lastPlain > 2000) {
    lastPlain = Date.now()
    process.stdout.write(`  ${text}\n`)
  }
}

function clearProgress(): void {
  if (hasProgress) process.stdout.write('\r\x1b[K')
  hasProgress = false
}
