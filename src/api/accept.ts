/** Content negotiation: which of the types we can make does the caller like best (RFC 9110 §12.5.1). */

interface Range {
  readonly type: string
  readonly subtype: string
  readonly quality: number
}

/**
 * The best of the offered media types, or undefined when none is wanted. `offers` are in our order of preference; among
 * those of equal quality the more exactly named wins, then the earlier.
 */
export function choose<T extends string>(accept: string | undefined, offers: readonly T[]): T | undefined {
  const ranges = rangesOf(accept ?? '')
  if (ranges.length === 0) return offers[0]
  let best: T | undefined
  let bestRank = 0
  for (const offer of offers) {
    const rank = rankOf(offer, ranges)
    if (rank > bestRank) {
      best = offer
      bestRank = rank
    }
  }
  return best
}

/** Quality first, exactness second: `text/html;q=0.9` loses to a wildcard of quality 1. */
function rankOf(offer: string, ranges: readonly Range[]): number {
  const [type, subtype] = offer.split('/')
  let exactness = 0
  let quality = 0
  for (const range of ranges) {
    const matched = range.type === type && range.subtype === subtype ? 3 : matchesWildly(range, type as string)
    if (matched > exactness) {
      exactness = matched
      quality = range.quality
    }
  }
  return quality === 0 ? 0 : quality * 1000 + exactness
}

function matchesWildly(range: Range, type: string): number {
  if (range.subtype !== '*') return 0
  return range.type === type ? 2 : range.type === '*' ? 1 : 0
}

function rangesOf(accept: string): Range[] {
  const ranges: Range[] = []
  for (const part of accept.split(',')) {
    const [range, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    const [type, subtype] = (range as string).split('/')
    if (!type || !subtype) continue
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    const quality = weight === undefined ? 1 : Number(weight.slice(2))
    ranges.push({ type, subtype, quality: Number.isFinite(quality) ? Math.min(1, Math.max(0, quality)) : 1 })
  }
  return ranges
}
