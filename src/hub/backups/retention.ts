/** Which backups are kept: the newest, and the newest of each of so many days, weeks and months (hub.md §25.2). */

export interface Retention {
  readonly daily: number
  readonly weekly: number
  readonly monthly: number
}

export const DEFAULT_RETENTION: Retention = { daily: 7, weekly: 4, monthly: 4 }

interface Kept {
  readonly id: string
  /** The backup it builds on. */
  readonly parent: string | null
  /** Milliseconds since 1970. */
  readonly time: number
}

/** Ids of those to be kept. What a kept one builds on is kept with it. */
export function retained(backups: readonly Kept[], { daily, weekly, monthly }: Retention): ReadonlySet<string> {
  const newestFirst = [...backups].sort((a, b) => b.time - a.time)
  const byId = new Map(backups.map((one) => [one.id, one]))
  const kept = new Set<string>()
  const keep = (backup: Kept | undefined): void => {
    for (let one = backup; one !== undefined && !kept.has(one.id); one = byId.get(one.parent ?? '')) kept.add(one.id)
  }
  keep(newestFirst[0])
  for (const [count, periodOf] of [
    [daily, dayOf],
    [weekly, weekOf],
    [monthly, monthOf],
  ] as const) {
    const seen = new Set<string>()
    for (const one of newestFirst) {
      const period = periodOf(one.time)
      if (seen.has(period)) continue
      if (seen.size === count) break
      seen.add(period)
      keep(one)
    }
  }
  return kept
}

const DAY_MS = 86_400_000

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
const monthOf = (time: number): string => new Date(time).toISOString().slice(0, 7)
/** Weeks begin on Monday; the first day of 1970 was a Thursday. */
const weekOf = (time: number): string => String(Math.floor((Math.floor(time / DAY_MS) + 3) / 7))
