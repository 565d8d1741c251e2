/** Undoes the compression of an answer while it comes. */

import type { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** `encoding` is the Content-Encoding; one that is not known leaves the body as it is. */
export function decodedBody(body: Readable, encoding: string | undefined): AsyncIterable<unknown> {
  const decoder = decoderOf(encoding)
  if (decoder === undefined) return body
  body.on('error', (error) => decoder.destroy(error))
  return body.pipe(decoder)
}

function decoderOf(encoding: string | undefined): Transform | undefined {
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
