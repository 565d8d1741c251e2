/** What a deployment changes for those that are at work: what is the same object is the same pipe, and goes on undisturbed. */

import type { Deployment } from './deployment.ts'

/** Pipes that are new, are others now, or are gone. */
export function changedPipes(former: Deployment | null, next: Deployment): readonly string[] {
  const before = former?.pipes ?? new Map()
  const now = [...next.pipes].flatMap(([id, { pipe }]) => (before.get(id)?.pipe === pipe && before.has(id) ? [] : [id]))
  return [...now, ...[...before.keys()].filter((id) => !next.pipes.has(id))]
}
