/** Times and sizes as people read them. */

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** The two greatest units: `2 d 3 h`. */
export function age(ms: number): string {
  let left = Math.max(0, ms)
  const parts: string[] = []
  for (const [size, name] of UNITS) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0 || (parts.length === 0 && name === 's')) parts.push(`${count} ${name}`)
    else if (parts.length > 0) break
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)))
  const scaled = count / 1000 ** power
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${units[power]}`
}
