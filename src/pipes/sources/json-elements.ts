/** Finds the elements of a JSON array in a stream of bytes, without parsing them: only brackets and quotes are looked at. */

import { shown } from '../answers.ts'
import { PipeError } from '../errors.ts'

/** Neighbouring elements with the commas between them; or one object, when that is all there is. */
export interface ElementGroup {
  readonly bytes: Uint8Array
  readonly count: number
  /** Place of the first of them in the array, from 1. */
  readonly first: number
}

export interface ElementLimits {
  readonly elements: number
  /** A group that has come so far is not made longer. */
  readonly bytes: number
  /** One element larger than this is an error. */
  readonly elementBytes: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const CLOSING_BRACKET = 0x5d

/** What a byte means outside of strings; every other one is part of a number, a word, or of nothing valid. */
const Kind = { other: 0, space: 1, quote: 2, open: 3, close: 4, comma: 5 } as const
const kinds = new Uint8Array(256)
for (const [characters, kind] of [
  [' \t\r\n', Kind.space],
  ['"', Kind.quote],
  ['[{', Kind.open],
  [']}', Kind.close],
  [',', Kind.comma],
] as const) {
  for (const character of characters) kinds[character.charCodeAt(0)] = kind
}

/** Memory is bounded by the limits, however long the stream. Elements need not be valid JSON: parsing them tells. */
export class ElementSplitter {
  readonly #limits: ElementLimits
  /** For messages: what the stream is. */
  readonly #what: string
  #state: 'start' | 'array' | 'object' | 'end' = 'start'
  #depth = 0
  #inString = false
  /** The last chunk ended with a backslash inside a string. */
  #escaped = false
  /** The current element has begun. */
  #begun = false
  /** Bytes before the current chunk. */
  #position = 0
  #elementStart = 0
  /** The current group: bytes of chunks before this one, elements that are complete. */
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #count = 0
  /** Elements in the groups before. */
  #before = 0

  constructor(what: string, limits: ElementLimits) {
    this.#what = what
    this.#limits = limits
  }

  /** The groups that this chunk completes. Throws `bad-json`, `entity-too-large`. */
  push(chunk: Uint8Array): ElementGroup[] {
    const groups: ElementGroup[] = []
    let at = 0
    if (this.#state === 'start') at = this.#start(chunk)
    if (this.#state === 'array' || this.#state === 'object') at = this.#scan(chunk, at, groups)
    if (this.#state === 'end') this.#expectNothing(chunk, at)
    this.#position += chunk.length
    if (this.#state !== 'end' && this.#position - this.#elementStart > this.#limits.elementBytes) {
      throw new PipeError(
        'entity-too-large',
        `Element ${this.#total + 1} of ${this.#what} is larger than ${this.#limits.elementBytes} bytes.`,
      )
    }
    return groups
  }

  /** The stream is over. Throws `bad-json` when there was nothing, and `json-truncated` when its end is missing. */
  finish(): void {
    if (this.#state === 'end') return
    if (this.#state === 'start') throw new PipeError('bad-json', `${this.#what} is empty; a JSON array was expected.`)
    const whole = this.#state === 'array' ? ` after ${this.#total} whole elements` : ''
    throw new PipeError('json-truncated', `${this.#what} ends too early, at byte ${this.#position}${whole}.`, {
      details: { elements: this.#total, bytes: this.#position },
      hint: 'The sender stopped in the middle. Nothing is taken for deleted; the next run reads again.',
    })
  }

  get #total(): number {
    return this.#before + this.#count
  }

  /** Skips white space and a byte order mark, and tells an array from an object. */
  #start(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number
      const isMark = this.#position + at < 3 && byte === [0xef, 0xbb, 0xbf][this.#position + at]
      if (kinds[byte] === Kind.space || isMark) continue
      if (kinds[byte] !== Kind.open) {
        const beginning = shown(chunk.subarray(at))
        throw new PipeError(
          'bad-json',
          `${this.#what} is neither a JSON array nor a JSON object; it begins with: ${beginning}`,
          {
            details: { beginning },
            hint: 'Is the address right? An error page or a login page looks like this.',
          },
        )
      }
      const isArray = String.fromCharCode(byte) === '['
      this.#state = isArray ? 'array' : 'object'
      const first = isArray ? at + 1 : at
      this.#elementStart = this.#position + first
      return first
    }
    return chunk.length
  }

  #scan(chunk: Uint8Array, from: number, groups: ElementGroup[]): number {
    let depth = this.#depth
    let inString = this.#inString
    let begun = this.#begun
    let start = from
    let at = from
    if (this.#escaped && at < chunk.length) {
      at++
      this.#escaped = false
    }
    while (at < chunk.length) {
      if (inString) {
        while (at < chunk.length) {
          const byte = chunk[at++]
          if (byte === QUOTE) {
            inString = false
            break
          }
          if (byte === BACKSLASH && at++ === chunk.length) this.#escaped = true
        }
        continue
      }
      const byte = chunk[at++] as number
      const kind = kinds[byte]
      if (kind === Kind.space) continue
      if (kind === Kind.comma && depth === 0) {
        if (!begun) throw this.#misplaced(',', at)
        begun = false
        this.#count++
        this.#elementStart = this.#position + at
        if (this.#count >= this.#limits.elements || this.#pendingBytes + at - start >= this.#limits.bytes) {
          groups.push(this.#group(chunk.subarray(start, at - 1)))
          start = at
        }
        continue
      }
      if (kind === Kind.close) {
        if (depth === 0) {
          if (byte !== CLOSING_BRACKET || (!begun && this.#total > 0))
            throw this.#misplaced(String.fromCharCode(byte), at)
          if (begun) this.#count++
          if (this.#count > 0) groups.push(this.#group(chunk.subarray(start, at - 1)))
          this.#state = 'end'
          return at
        }
        depth--
        if (depth === 0 && this.#state === 'object') {
          this.#count = 1
          groups.push(this.#group(chunk.subarray(start, at)))
          this.#state = 'end'
          return at
        }
      } else if (kind === Kind.open) depth++
      else if (kind === Kind.quote) inString = true
      begun = true
    }
    this.#depth = depth
    this.#inString = inString
    this.#begun = begun
    this.#pending.push(chunk.subarray(start))
    this.#pendingBytes += chunk.length - start
    return chunk.length
  }

  #group(last: Uint8Array): ElementGroup {
    const bytes = this.#pending.length === 0 ? last : Buffer.concat([...this.#pending, last])
    const group = { bytes, count: this.#count, first: this.#before + 1 }
    this.#before += this.#count
    this.#count = 0
    this.#pending = []
    this.#pendingBytes = 0
    return group
  }

  #expectNothing(chunk: Uint8Array, from: number): void {
    for (let at = from; at < chunk.length; at++) {
      if (kinds[chunk[at] as number] === Kind.space) continue
      throw new PipeError('bad-json', `${this.#what} goes on after its end, with: ${shown(chunk.subarray(at))}`)
    }
  }

  #misplaced(character: string, at: number): PipeError {
    return new PipeError('bad-json', `${this.#what} has a misplaced "${character}" after element ${this.#total}.`, {
      details: { element: this.#total, byte: this.#position + at - 1 },
    })
  }
}
