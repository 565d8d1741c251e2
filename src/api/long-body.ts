/** Bodies that may be longer than memory: their beginning is looked at, and the rest is handed on piece by piece. */

import type { Readable } from 'node:stream'
import { ApiError } from './errors.ts'

/** The body of a request, as it comes. */
export interface Incoming {
  readonly stream: Readable
  /** What is held in memory of it at most. */
  readonly mostBytes: number
  /** Of Content-Length, as far as it says how long the body will be. */
  readonly announced: number | null
}

/** A body up to here is handed on as a whole, which is quicker. */
const SHORT_BYTES = 8 * 1024 * 1024
/** What is not read of a refused body is thrown away for so long; then the connection goes. */
const PATIENCE_MS = 5_000

export type Begun =
  /** All of it. */
  | { readonly bytes: Uint8Array; readonly rest: null }
  | { readonly bytes: Uint8Array; readonly rest: AsyncIterator<Uint8Array> }

/** Reads a body to its end, or until it is long. */
export async function begin({ stream, mostBytes }: Incoming): Promise<Begun> {
  // The connection stays, whoever stops reading.
  const pieces = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>
  return gather(pieces, [], 0, Math.min(SHORT_BYTES, mostBytes))
}

/** Reads on to the end. Throws `body-too-large` when that is further than the limit. */
export async function readOn({ bytes, rest }: Begun, { mostBytes, announced }: Incoming): Promise<Uint8Array> {
  if (rest === null) return bytes
  const whole = (announced ?? 0) > mostBytes ? null : await gather(rest, [bytes], bytes.length, mostBytes)
  if (whole !== null && whole.rest === null) return whole.bytes
  throw new ApiError('body-too-large', `The body is longer than ${mostBytes} bytes.`, {
    hint: 'Send it in several requests.',
  })
}

/** Piece by piece, from the beginning. */
export async function* piecesOf({ bytes, rest }: Begun): AsyncGenerator<Uint8Array> {
  yield bytes
  if (rest === null) return
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

/** What follows is not read by anybody: it is let go, so that the answer arrives. */
export function discard(request: Readable): void {
  if (request.readableEnded || request.destroyed) return
  const end = setTimeout(() => request.destroy(), PATIENCE_MS)
  request.once('close', () => clearTimeout(end))
  request.unpipe()
  request.resume()
}

async function gather(
  pieces: AsyncIterator<Uint8Array>,
  gathered: Uint8Array[],
  before: number,
  most: number,
): Promise<Begun> {
  let length = before
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    gathered.push(next.value)
    length += next.value.length
    if (length > most) return { bytes: joined(gathered), rest: pieces }
  }
  return { bytes: joined(gathered), rest: null }
}

/** In memory of its own, to be given to another thread. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined && only.byteLength === only.buffer.byteLength) return only
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
