/** Hands versions that may go to the writer, the oldest first, in slices that keep no commit waiting for long. */

import type { Journal, Place, Removal } from './contract.ts'

/** Of one slice at most. The writer ends one early that takes it too long. */
export const SLICE_VERSIONS = 2_000
const BLOCKS = 500
const BYTES = 4 << 20

type Ends = Pick<Removal, 'position' | 'settled'>

/**
 * Gives how many versions went. The last slice carries `ends`, so what it says holds as soon as it is there. Since the
 * oldest go first, whatever is interrupted leaves of each id everything from some version on.
 */
export async function removeInSlices(
  journal: Journal,
  dataset: { readonly id: string; readonly generation: string },
  places: readonly Place[],
  { ids = new Set(), ...ends }: Ends & { readonly ids?: ReadonlySet<number> },
  signal: AbortSignal,
  most = SLICE_VERSIONS,
): Promise<number> {
  const { id, generation } = dataset
  const slices = slicesOf(
    [...places].sort((a, b) => a.sequence - b.sequence),
    most,
  )
  let removed = 0
  for (const [at, blocks] of slices.entries()) {
    const isLast = at === slices.length - 1
    let left: Slice = blocks
    do {
      signal.throwIfAborted()
      const going = left.flatMap(([, sequences]) => sequences.filter((sequence) => ids.has(sequence)))
      const removal = { dataset: id, generation, blocks: left, ids: going, ...(isLast ? ends : {}) }
      const done = await journal.remove(removal)
      removed += done.versions
      left = left.slice(done.blocks)
    } while (left.length > 0)
  }
  return removed
}

type Slice = (readonly [block: number, sequences: number[]])[]

/** One at least: it carries the ends. */
function slicesOf(places: readonly Place[], most: number): Slice[] {
  const slices: Slice[] = [[]]
  let versions = 0
  let bytes = 0
  let block = -1
  for (const place of places) {
    let slice = slices.at(-1) as Slice
    const isNew = place.block !== block
    const isFull = versions >= most || (isNew && (slice.length >= BLOCKS || bytes + place.blockBytes > BYTES))
    if (isFull && slice.length > 0) {
      slice = []
      slices.push(slice)
      versions = 0
      bytes = 0
    }
    if (isNew || isFull) {
      slice.push([place.block, []])
      bytes += place.blockBytes
    }
    block = place.block
    slice.at(-1)?.[1].push(place.sequence)
    versions++
  }
  return slices
}
