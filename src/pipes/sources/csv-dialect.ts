/** Guesses what separates the columns of a CSV text from how it begins. */

/** The ones least likely to stand in ordinary text come first: they win a tie. */
const candidates = ['\t', '|', ';', ','] as const

/** The separator that stands equally often in most rows, and most often; a comma when none does. */
export function detectDelimiter(beginning: string): string {
  let best = ','
  let bestScore = 0
  let bestColumns = 0
  for (const candidate of candidates) {
    const [header = 0, ...rows] = separatorsPerRow(beginning, candidate)
    if (header === 0) continue
    const score = (1 + rows.filter((count) => count === header).length) / (1 + rows.length)
    if (score > bestScore || (score === bestScore && header > bestColumns)) {
      best = candidate
      bestScore = score
      bestColumns = header
    }
  }
  return best
}

/** Of whole rows only, unless there is but one; blank ones and what stands between quotes are left out. */
function separatorsPerRow(text: string, separator: string): number[] {
  const counts: number[] = []
  let count = 0
  let inQuotes = false
  let isBlank = true
  for (const character of text) {
    if (!inQuotes && (character === '\n' || character === '\r')) {
      if (!isBlank) counts.push(count)
      count = 0
      isBlank = true
      continue
    }
    isBlank = false
    if (character === '"') inQuotes = !inQuotes
    else if (character === separator && !inQuotes) count++
  }
  return counts.length === 0 ? [count] : counts
}
