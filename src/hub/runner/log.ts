/** What the pipe runner tells while it is at work: the last lines of it, each with a time of its own. */

import type { RunnerLine } from './contract.ts'

/** Lines that are kept, and characters of each: a log that nobody reads stays below 20 MB. */
const LINES = 10_000
const LENGTH = 2_000

export class RunnerLog {
  readonly #now: () => number
  #lines: RunnerLine[] = []
  /** Microseconds of the last line. */
  #last = 0

  constructor(now: () => number) {
    this.#now = now
  }

  tell(loglevel: RunnerLine['loglevel'], text: string): void {
    // Clients ask for what is newer than the last line that they know: no two may have one time.
    this.#last = Math.max(this.#last + 1, this.#now() * 1_000)
    const logdata = text.length > LENGTH ? `${text.slice(0, LENGTH)} …` : text
    this.#lines.push({ timestamp: timeText(this.#last), loglevel, logdata })
    // Cut now and then, so that a line costs the same however many there are.
    if (this.#lines.length >= 2 * LINES) this.#lines = this.#lines.slice(-LINES)
  }

  /** Strictly after that time. */
  since(timestamp = ''): readonly RunnerLine[] {
    return this.#lines.filter((line) => line.timestamp > timestamp).slice(-LINES)
  }
}

/** ISO 8601 with microseconds: sorts as text. */
function timeText(microseconds: number): string {
  const whole = new Date(Math.floor(microseconds / 1_000)).toISOString()
  return `${whole.slice(0, -1)}${String(microseconds % 1_000).padStart(3, '0')}Z`
}
