/** A dataset together with what a circuit breaker holds back of it (hub.md §13). */

import type { DatasetView, UncommittedView, Version } from './contract.ts'

type Changes = DatasetView['changes']

/** `staged` goes on where `real` ended when its run began; what was exposed of it since then is in both. */
export function withStaged(real: DatasetView, staged: DatasetView): UncommittedView {
  const { end } = real.counts()
  const hidden = (version: Version | undefined) =>
    version !== undefined && version.sequence >= end ? version : undefined
  function* committed(since: number | null, options: Parameters<Changes>[1] & {}): Generator<Version> {
    for (const version of real.changes(since, options)) {
      if (options.history !== false || (staged.head(version.id)?.sequence ?? -1) < end) yield version
    }
  }
  function* uncommitted(since: number | null, { reverse = false, ...options }: Parameters<Changes>[1] & {}) {
    const from = reverse ? since : Math.max(since ?? -1, end - 1)
    for (const version of staged.changes(from, { ...options, reverse })) {
      if (version.sequence >= end) yield version
      else if (reverse) return
    }
  }
  return {
    document: real.document,
    counts: () => ({ ...real.counts(), end: Math.max(end, staged.counts().end) }),
    latest: (id) => hidden(staged.latest(id)) ?? real.latest(id),
    version: (sequence) => (sequence < end ? real : staged).version(sequence),
    *changes(since, { limit = Number.POSITIVE_INFINITY, ...options } = {}) {
      let left = limit
      const parts = [() => committed(since, options), () => uncommitted(since, options)]
      for (const part of options.reverse ? parts.reverse() : parts) {
        for (const version of part()) {
          if (left-- <= 0) return
          yield version
        }
      }
    },
  }
}
