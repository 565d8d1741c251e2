/** What each pipe did in a run of the pipe runner, as a table for people. */

import type { RunReport } from '../../pipes/run-report.ts'

interface Total {
  runs: number
  read: number
  changes: number
  seconds: number
}

export class RunnerStatistics {
  readonly #totals = new Map<string, Total>()

  add(pipe: string, { read, changes, seconds }: Pick<RunReport, 'read' | 'changes' | 'seconds'>): void {
    const total = this.#totals.get(pipe) ?? { runs: 0, read: 0, changes: 0, seconds: 0 }
    total.runs++
    total.read += read
    total.changes += changes
    total.seconds += seconds
    this.#totals.set(pipe, total)
  }

  /** The slowest first. */
  text(): string {
    const rows = [...this.#totals]
      .sort(([, one], [, other]) => other.seconds - one.seconds)
      .map(([pipe, total]) => [
        pipe,
        String(total.runs),
        String(total.read),
        String(total.changes),
        total.seconds.toFixed(2),
      ])
    return aligned([['pipe', 'runs', 'read', 'changes', 'seconds'], ...rows])
  }
}

/** Names to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] as readonly string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  )
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] as number) : text.padStart(widths[column] as number)
  return rows.map((row) => row.map(cell).join('  ')).join('\n')
}
