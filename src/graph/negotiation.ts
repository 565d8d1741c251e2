/** Which of several media types an `Accept` header likes best (RFC 9110 §12.5.1). */

/** The one of `offered` that the header prefers, the earlier of equals; undefined when it accepts none. */
export function preferred(accept: string | undefined, offered: readonly string[]): string | undefined {
  const ranges = (accept ?? '').split(',').flatMap(range)
  if (ranges.length === 0) return offered[0]
  let best: string | undefined
  let bestQuality = 0
  for (const mediaType of offered) {
    const quality = qualityOf(mediaType, ranges)
    if (quality > bestQuality) {
      best = mediaType
      bestQuality = quality
    }
  }
  return best
}

interface Range {
  readonly type: string
  readonly quality: number
}

function range(text: string): Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  if (type === '') return []
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = weight === undefined ? 1 : Number(weight.slice(2))
  return [{ type, quality: Number.isFinite(quality) ? quality : 0 }]
}

/** The most specific range that covers the type decides. */
function qualityOf(mediaType: string, ranges: readonly Range[]): number {
  const [major] = mediaType.split('/')
  const covering = [mediaType, `${major}/*`, '*/*']
  for (const type of covering) {
    const found = ranges.find((candidate) => candidate.type === type)
    if (found !== undefined) return found.quality
  }
  return 0
}
