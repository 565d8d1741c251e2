/** The numbered batches of the crash suite. */

export const ENTITIES = 25

/** Some ids come again in each batch, some in every third, some once. */
export const idOf = (batch: number, i: number): string =>
  i < 10 ? `e${i}` : i < 20 ? `f${batch % 3}-${i}` : `g${batch}-${i}`

/** Of the entities of a batch in the indexes `batch` and `again`. */
export const keysOf = (expression: string, batch: number): Uint8Array[] => [
  Buffer.from(expression === 'again' ? `${batch % 100}` : `${batch}`),
]
