/** The pipe runner as the doors see it: it runs all pipes, again and again, until nothing changes any more (rest-api.md §8). */

export interface RunnerOptions {
  /** Passes in a row, beyond the first, in which nothing may change before all counts as settled. */
  readonly extraZeroRuns: number
  readonly maxRunSeconds: number
  /** Passes at most. */
  readonly maxRuns: number
  /** Begins from nothing: offsets are reset, and what the pipes wrote is deleted. */
  readonly resets: boolean
  /** What receivers were sent goes too. */
  readonly deletesInputs: boolean
  /** A failing pipe that reads something outside the hub makes the run fail. */
  readonly checksInputs: boolean
  /** Compacts the execution logs before it begins. */
  readonly compactsLogs: boolean
}

export interface RunnerResult {
  readonly status: 'success' | 'failed'
  /** Why it failed. */
  readonly reason: string | null
  /** What each pipe did, as a table. */
  readonly statistics: string
}

/** `not-running`: nobody knows this token. */
export type RunnerStatus = 'running' | RunnerResult['status'] | 'not-running'

export interface RunnerLine {
  /** Of each line another one, later than that of the line before as text, too. */
  readonly timestamp: string
  readonly loglevel: 'INFO' | 'WARNING' | 'ERROR'
  readonly logdata: string
}

export interface Runner {
  /** Begins a run. Code: runner-active. `ended` never rejects. */
  start(options: RunnerOptions): { readonly token: string; readonly ended: Promise<RunnerResult> }
  status(token: string): RunnerStatus
  /** Of the run under way, or the last one: lines after the one with this timestamp. */
  lines(since?: string, token?: string): readonly RunnerLine[]
  /** Ends the run between two batches of its pumps; waits so long at most. Gives whether nothing runs any more. */
  stop(timeoutMs: number): Promise<boolean>
}
