/** What sources and sinks make of a system's answer that is not the one they hoped for. */

import { PipeError } from './errors.ts'
import type { SystemPort, SystemResponse } from './systems/contract.ts'

/** How much of an answer goes into a message. */
const SHOWN_BYTES = 300
const READ_BYTES = 4096

/** Gives the answer back when its status is 2xx; otherwise throws `bad-status` with the address, the status and how the answer begins. */
export async function accepted(port: SystemPort, method: string, answer: SystemResponse): Promise<SystemResponse> {
  const { status, address, headers } = answer
  if (status >= 200 && status < 300) return answer
  const body = await beginningOf(port, answer.body)
  throw new PipeError(
    'bad-status',
    `${method} ${address} was answered with ${status}${body === '' ? '.' : `: ${body}`}`,
    {
      details: { address, status, body, ...askedPause(status, headers['retry-after']) },
      hint: hintFor(status),
    },
  )
}

/** What `Retry-After` asks for, where the status lets it: seconds, or a time. */
function askedPause(status: number, asked: string | undefined): { readonly retryAfterSeconds?: number } {
  if (asked === undefined || (status !== 429 && status !== 503)) return {}
  const seconds = /^\d+$/.test(asked) ? Number(asked) : (Date.parse(asked) - Date.now()) / 1000
  return Number.isNaN(seconds) ? {} : { retryAfterSeconds: Math.max(0, seconds) }
}

/** The first part of a text for a message, on one line. */
export function shown(start: Uint8Array | string): string {
  const text = typeof start === 'string' ? start : Buffer.from(start.subarray(0, SHOWN_BYTES)).toString('utf8')
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > SHOWN_BYTES ? `${line.slice(0, SHOWN_BYTES)}…` : line
}

/** How an answer begins, for a message; the rest is not read. */
export async function beginningOf(port: SystemPort, body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const part of body) {
      parts.push(part)
      length += part.length
      if (length >= READ_BYTES) break
    }
  } catch {
    // The status is the news; that its text broke off as well is not.
  }
  // Masked before it is cut: half a secret would not be recognised.
  return shown(port.mask(Buffer.concat(parts).toString('utf8')))
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return 'Check the credentials of the system.'
  if (status === 404) return 'Check url_pattern of the system and url of the source or sink.'
  if (status === 429 || status === 503) return 'The system asks for a pause: run less often, or try again later.'
  if (status >= 300 && status < 400) return 'It has moved: give the new address.'
  return status >= 500 ? 'The system failed: its own log says why.' : 'The system refused the request.'
}
