/** What is wrong with a configuration: all of it at once, each with its place and what to do. */

export interface Problem {
  readonly level: 'error' | 'warning'
  readonly message: string
  readonly hint?: string
  /** Id of the pipe or system, `node` for the metadata. */
  readonly component: string
  /** Where the component came from, if from a file. */
  readonly file?: string
  /** JSON pointer inside the component. */
  readonly pointer: string
}

/** One step of a JSON pointer (RFC 6901). */
export const pointerStep = (name: string | number): string =>
  typeof name === 'number' ? `/${name}` : `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`

/** `/source/type` as the API writes a path: `$['source']['type']`. */
export function elementsOf(pointer: string): string {
  const names = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return `$${names.map((name) => (/^\d+$/.test(name) ? `[${name}]` : `['${name.replaceAll("'", "\\'")}']`)).join('')}`
}

/** The known name that was most likely meant, if one is close enough. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const typed = name.toLowerCase()
  let best: string | undefined
  // About one slip in three letters; anything further is another word, and of one letter nothing would be left.
  let least = name.length < 2 ? 1 : Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(typed, candidate.toLowerCase(), least)
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

/** `Did you mean …?` when there is a near name. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const meant = nearest(name, known)
  return meant === undefined ? undefined : `Did you mean '${meant}'?`
}

/** Insertions, deletions, replacements and swaps of neighbours; `limit` or more is `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, place) => place)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return Math.min(limit, last[b.length]!)
}
