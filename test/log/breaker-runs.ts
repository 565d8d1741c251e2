/** The runs of the child that is killed behind its circuit breaker: what each writes, and how it ends. */

export const BATCHES = 3
export const ENTITIES = 400

/** Every third run trips with its first batch; of these every second is rolled back. */
export const isTripping = (run: number): boolean => run % 3 === 2
export const outcomeOf = (run: number): 'kept' | 'dropped' => (run % 6 === 5 ? 'dropped' : 'kept')

export const batchOf = (run: number, batch: number): { readonly _id: string; readonly run: number }[] =>
  Array.from({ length: ENTITIES }, (_, i) => ({ _id: `e${batch}-${i}`, run }))

/** Versions that a run leaves when it is kept, and the offset it comes to. */
export const batchesOf = (run: number): number => (isTripping(run) ? 1 : BATCHES)
