/**
 * Lets requests whose bodies take a while to read have their turn one by one, each with a look at what else came in between: a
 * hundred of them at once must not keep everybody waiting for all.
 */

/** Smaller ones are read in less than a millisecond. */
const LARGE_BYTES = 16 * 1024

let last: Promise<void> = Promise.resolve()

/** Undefined: it need not wait. */
export function turnFor(bytes: number): Promise<void> | undefined {
  if (bytes < LARGE_BYTES) return undefined
  const mine = last
  last = last.then(() => new Promise((resolve) => setImmediate(resolve)))
  return mine
}
