/** Answers in gzip, for whoever asks for it, and requests that come in it. */

import { pipeline, type Readable } from 'node:stream'
import { promisify } from 'node:util'
import { createGunzip, createGzip, type Gunzip, gzip } from 'node:zlib'
import { ApiError } from './errors.ts'

/** Below, an answer fits into a packet as it is. */
const LEAST_BYTES = 1_400
/** Quick rather than small: the texts of entities become a quarter of what they were all the same. */
const QUICK = { level: 1 }

const compress = promisify<Uint8Array, { level: number }, Buffer>(gzip)

export const COMPRESSED = { 'Content-Encoding': 'gzip' } as const

/** Whether gzip is asked for, and the type gains by it. */
export const isWorthwhile = (asked: string | undefined, contentType: string): boolean =>
  asksForGzip(asked) && /^text\/|\b(?:json|xml|turtle|trig|n-triples|n-quads|javascript)\b/.test(contentType)

export const isLarge = (bytes: number): boolean => bytes >= LEAST_BYTES

export const compressed = (body: Uint8Array): Promise<Buffer> => compress(body, QUICK)

/** A stream that fails where the other one does. */
export function compressedStream(source: Readable): Readable {
  const target = createGzip(QUICK)
  // Whoever reads the target hears of errors there.
  pipeline(source, target, () => {})
  return target
}

/** RFC 9110 §12.5.3: what is named counts, then the star; a quality of 0 is a refusal. */
function asksForGzip(asked = ''): boolean {
  let star = false
  for (const part of asked.toLowerCase().split(',')) {
    const [coding, ...parameters] = part.split(';').map((piece) => piece.trim())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    const isWanted = quality === undefined || Number(quality.slice(2)) > 0
    if (coding === 'gzip' || coding === 'x-gzip') return isWanted
    if (coding === '*') star = isWanted
  }
  return star
}

/** The body as it was before it was compressed; how much it may become is for the reader to say. Throws `unsupported-media-type`. */
export function inflated(encoding: string | undefined, body: Readable, mostRatio: number): Readable {
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return body
  if (!/^(?:x-)?gzip$/i.test(encoding)) {
    throw new ApiError(
      'unsupported-media-type',
      `Bodies with Content-Encoding '${encoding}' are not read; send them in gzip, or plain.`,
    )
  }
  const target = bounded(createGunzip(), mostRatio)
  pipeline(body, target, () => {})
  // Whoever reads it hears of it; where nobody reads (a route without a body) it must not end the process.
  target.on('error', () => {})
  // Fastify compares it with Content-Length.
  return Object.defineProperty(target, 'receivedEncodedLength', { get: () => target.bytesWritten })
}

/** Bytes that may come of however few. */
const FREE_BYTES = 1024 * 1024

/** Ends with an error where a few bytes become more than any honest text does. */
function bounded(target: Gunzip, mostRatio: number): Gunzip {
  const push = target.push.bind(target)
  let given = 0
  target.push = (chunk: Uint8Array | null) => {
    given += chunk?.length ?? 0
    if (given > FREE_BYTES && given > mostRatio * target.bytesWritten) {
      target.destroy(
        new ApiError('body-too-large', `The body becomes more than ${mostRatio} times as long as it came.`),
      )
      return false
    }
    return push(chunk)
  }
  return target
}
