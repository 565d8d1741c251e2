/** `--threads`: how many threads run pipes. */

import { type Arguments, UsageError } from './arguments.ts'

/** More than this is a mistake: each has a heap of its own. */
const MOST = 256

/** Nothing when it is left to the hub. */
export function threadsOf(given: Arguments): { threads?: number } {
  const text = given.text('threads')
  if (text === undefined) return {}
  const threads = Number(text)
  if (!/^\d{1,3}$/.test(text) || threads < 1 || threads > MOST) {
    throw new UsageError(`--threads ${text} is not a number of threads: 1 to ${MOST}.`)
  }
  return { threads }
}
