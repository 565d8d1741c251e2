/**
 * How far the compaction of a dataset has come: three positions that say exactly which versions are gone.
 *
 * A version u may go when at least `keep` newer versions of its id exist, when it is old enough, and when, for each
 * tracking offset T, a newer version of its id lies at or before T (design: hold-off by entity). All three are thresholds
 * in the log: the `keep`-th newer version lies at or before `pushed`; u lies at or before `aged`; and its successor lies
 * at or before `held`. So gone is what satisfies all three, and each walk of compaction.ts moves one of them. Of an id
 * that is always everything below some version, never something between: whoever follows `previous` finds all there is.
 */

export interface CompactionPosition {
  readonly keep: number
  readonly pushed: number
  /** Null: age holds nothing back. */
  readonly aged: number | null
  /** Null: no tracking offset holds anything back. */
  readonly held: number | null
  /** Up to here ids are gone whose newest version is a deleted one. */
  readonly deleted: number
  /** Up to here `$retract` was obeyed. */
  readonly retracted: number
  /** The restore after which the chains of `previous` were made whole; null: there was none. */
  readonly restored: string | null
}

export const BEGINNING: CompactionPosition = {
  keep: 1,
  pushed: -1,
  aged: null,
  held: null,
  deleted: -1,
  retracted: -1,
  restored: null,
}

export const readPosition = (text: string | undefined): CompactionPosition =>
  text === undefined ? BEGINNING : { ...BEGINNING, ...JSON.parse(text) }

export const writePosition = (position: CompactionPosition): string => JSON.stringify(position)

/** The smaller of two thresholds, where null is beyond everything. */
export const lower = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b)

/**
 * The position to go on from under other rules. A threshold that went back is taken as it is now: less is gone than it
 * says, at worst. With fewer versions to keep, all of the log pushes out more than before.
 */
export function under(
  position: CompactionPosition,
  keep: number,
  aged: number | null,
  held: number | null,
): CompactionPosition {
  return {
    ...position,
    keep,
    pushed: keep < position.keep ? -1 : position.pushed,
    aged: lower(position.aged, aged),
    held: lower(position.held, held),
  }
}
