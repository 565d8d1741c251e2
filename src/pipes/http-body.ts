/** Undoes the compression of an answer while it comes, and stops where a few bytes become more than any honest text does. */

import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, type Zlib } from 'node:zlib'

/** Bytes that may come of however few. */
const FREE_BYTES = 64 * 1024 * 1024
/** Beyond them: bytes that may come of one. Entities that repeat themselves reach a hundred. */
const MOST_RATIO = 250

/** `encoding` is the Content-Encoding; one that is not known leaves the body as it is. */
export function decodedBody(body: Readable, encoding: string | undefined): AsyncIterable<unknown> {
  const decoder = decoderOf(encoding)
  if (decoder === undefined) return body
  body.on('error', (error) => decoder.destroy(error))
  return bounded(body.pipe(decoder))
}

async function* bounded(decoder: Transform & Zlib): AsyncIterable<Uint8Array> {
  let given = 0
  for await (const chunk of decoder) {
    given += (chunk as Uint8Array).length
    if (given > FREE_BYTES && given > MOST_RATIO * decoder.bytesWritten) {
      throw new Error(`${decoder.bytesWritten} compressed bytes became more than ${MOST_RATIO} times as many`)
    }
    yield chunk as Uint8Array
  }
}

function decoderOf(encoding: string | undefined): (Transform & Zlib) | undefined {
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'deflate':
      return createInflate()
    case 'br':
      return createBrotliDecompress()
    default:
      return undefined
  }
}
