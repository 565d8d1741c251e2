/** Answers what never became a request: too large a head, one that came too slowly, or no HTTP at all. */

import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError } from '../errors.ts'
import { problemOf } from '../problem.ts'
import type { Refusals } from './refusals.ts'

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, refusals: Refusals): void {
  const { _httpMessage: answering } = socket as unknown as { readonly _httpMessage?: { readonly headersSent: boolean } }
  // Within an answer nothing else can be said: it is cut, and looks it.
  if (error.code === 'ECONNRESET' || !socket.writable || answering?.headersSent === true) {
    socket.destroy()
    return
  }
  const [reason, refused] = refusalOf(error)
  refusals.count(reason, socket.remoteAddress ?? null)
  socket.end(rawAnswer(refused), () => socket.destroySoon())
}

function refusalOf({ code }: NodeJS.ErrnoException): ['headers' | 'slow-sender' | 'malformed', ApiError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return ['headers', new ApiError('headers-too-large', 'The headers of the request are too large.')]
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['slow-sender', new ApiError('slow-sender', 'The request did not come in time.')]
    default:
      return ['malformed', new ApiError('bad-request', 'This is no request of HTTP/1.1.')]
  }
}

/** A whole answer as text, for a connection that has no request to answer. */
export function rawAnswer(error: ApiError): string {
  const { status, headers, body } = problemOf(error)
  const text = JSON.stringify(body)
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text)),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`
}
