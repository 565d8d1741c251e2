/** How far back a partial rescan begins: an offset with a part taken from it (hub.md §5.1). */

/**
 * The offset moved back by a number, or by as many seconds where it is a time; each part of a list by itself. Null: it is
 * neither, and nobody but its source knows what lies before it.
 */
export function movedBack(offset: string, delta: number): string | null {
  const parts = offset.split(',').map((part) => (part === '' ? part : (number(part, delta) ?? time(part, delta))))
  return parts.includes(null) ? null : parts.join(',')
}

/** Never below what stands before the first one: sources count from 0. */
function number(part: string, delta: number): string | null {
  if (!/^-?\d+$/.test(part)) return null
  const moved = BigInt(part) - BigInt(delta)
  return String(part.startsWith('-') || moved >= -1n ? moved : -1n)
}

const TIME = /^(~t)?(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?$/

/** Before it there are no dates that are written like this. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z')

/** As it was written: what stands behind the seconds, and the zone, stay. */
function time(part: string, delta: number): string | null {
  const [, tag = '', day, between = 'T', clock = '00:00:00', fraction = '', zone = ''] = TIME.exec(part) ?? []
  if (day === undefined) return null
  const milliseconds = Date.parse(`${day}T${clock}Z`)
  if (Number.isNaN(milliseconds)) return null
  const moved = new Date(Math.max(milliseconds - delta * 1000, FIRST_MS))
  const [movedDay, movedClock] = moved.toISOString().slice(0, 19).split('T')
  return `${tag}${movedDay}${between}${movedClock}${fraction}${zone}`
}
