/** Time zones of the IANA database: what a clock on the wall shows at an instant, and the other way round. */

import { Temporal } from 'temporal-polyfill'

/** Times are whole seconds since 1970: of the time line, or as a clock in the zone counts them. */
export interface Zone {
  readonly name: string
  /** Seconds that the zone is ahead of UTC at an instant. */
  offsetAt(instant: number): number
  /** The instant of a local time: the first of two; one that is left out is read with the offset before the change. */
  instantOf(local: number): number
}

const known = new Map<string, Zone | null>()
/** Names remembered, wrong ones included. */
const NAMES_KEPT = 2_000

/** The zone of a name of the database, links and any letter case included; null when there is none. */
export function zoneOf(name: string): Zone | null {
  let zone = known.get(name)
  if (zone === undefined) {
    zone = isName(name) ? new IanaZone(name) : null
    if (known.size >= NAMES_KEPT) known.clear()
    known.set(name, zone)
  }
  return zone
}

/** The polyfill would also take offsets, and whole datetimes with a zone in them. */
function isName(name: string): boolean {
  if (!/^[a-z][a-z0-9_+\-/]*$/i.test(name)) return false
  try {
    at(0, name)
    return true
  } catch {
    return false
  }
}

const at = (instant: number, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(instant * 1000).toZonedDateTimeISO(zone)

/** A time without a change of the offset: from its start until before its end. */
interface Span {
  readonly start: number
  readonly end: number
  readonly offset: number
}

const DAY = 86_400
/** A thousand years with two changes each. */
const SPANS_KEPT = 2_000

class IanaZone implements Zone {
  readonly name: string
  /** Asking the polyfill takes from 60 µs to some milliseconds; entities are mostly of a few years. */
  readonly #spans: Span[] = []
  #last: Span | null = null

  constructor(name: string) {
    this.name = name
  }

  offsetAt(instant: number): number {
    const last = this.#last
    if (last !== null && instant >= last.start && instant < last.end) return last.offset
    const span = this.#span(instant)
    this.#last = span
    return span.offset
  }

  instantOf(local: number): number {
    // No zone is a day off, so the changes around this time lie between.
    const [before, after] = [this.offsetAt(local - DAY), this.offsetAt(local + DAY)]
    const [early, late] = before > after ? [local - before, local - after] : [local - after, local - before]
    if (this.offsetAt(early) === local - early) return early
    if (this.offsetAt(late) === local - late) return late
    return local - before
  }

  #span(instant: number): Span {
    const place = this.#placeOf(instant)
    const found = this.#spans[place]
    if (found !== undefined && instant >= found.start) return found
    const asked = at(instant, this.name)
    const [start, end] = [asked.getTimeZoneTransition('previous'), asked.getTimeZoneTransition('next')]
    const span = {
      // A change at the very instant belongs to the time that it begins, and is not previous to it.
      start: startsAt(asked) ? instant : start === null ? Number.NEGATIVE_INFINITY : start.epochMilliseconds / 1000,
      end: end === null ? Number.POSITIVE_INFINITY : end.epochMilliseconds / 1000,
      offset: asked.offsetNanoseconds / 1e9,
    }
    if (this.#spans.length >= SPANS_KEPT) this.#spans.length = 0
    this.#spans.splice(this.#placeOf(instant), 0, span)
    return span
  }

  /** The first span that ends after the instant: the one it is in, or before which one for it belongs. */
  #placeOf(instant: number): number {
    let [low, high] = [0, this.#spans.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#spans[middle] as Span).end > instant) high = middle
      else low = middle + 1
    }
    return low
  }
}

const startsAt = (asked: Temporal.ZonedDateTime): boolean =>
  asked.subtract({ nanoseconds: 1 }).offsetNanoseconds !== asked.offsetNanoseconds
