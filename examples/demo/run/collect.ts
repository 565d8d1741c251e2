/** Watches a hub collect until it holds what it should, and says how far it is. */

import type { World } from '../world/records.ts'
import { actualCounts, type Counts, datasets, differences, expectedCounts, until } from './expect.ts'
import type { Hub } from './hub.ts'
import { number, progress } from './paper.ts'

/** Milliseconds it took. */
export async function settle(hub: Hub, erp: string, world: World, limitMs: number): Promise<number> {
  const expected = expectedCounts(world)
  let missing: readonly string[] = []
  const isTrue = async () => {
    const stored = await datasets(hub.url)
    progress(summary(stored, expected))
    missing = differences(only(expected, stored), stored)
    if (missing.length === 0) missing = differences(expected, await actualCounts(hub.url, erp))
    return missing.length === 0
  }
  return until(hub, limitMs, isTrue, () => missing.join('; '))
}

const only = (counts: Counts, names: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => name in names))

function summary(stored: Counts, expected: Counts): string {
  const collected = (counts: Counts) =>
    Object.entries(counts).reduce((sum, [name, count]) => sum + (name.endsWith('-collect') ? (count ?? 0) : 0), 0)
  return [
    `records ${number(collected(stored))} of ${number(collected(expected))}`,
    `people ${number(stored['global-person'] ?? 0)}`,
    `organisations ${number(stored['global-organisation'] ?? 0)}`,
  ].join(' · ')
}
