/** Calls whoever wants to be told by a program: one POST, signed so that the receiver knows whom it is from. */

import { createHmac } from 'node:crypto'
import type { HttpClient } from '../../pipes/http.ts'
import { HubError } from '../errors.ts'

export interface HookCall {
  readonly url: string
  readonly body: string
  /** The same when it is made again. */
  readonly delivery: string
  /** Null: the call is not signed. */
  readonly secret: string | null
  /** Seconds since 1970. */
  readonly at: number
}

/** What is read of an answer. */
const ANSWER_BYTES = 64 * 1024
const PATIENCE_MS = 15_000

/** Throws unless it is answered with 2xx; `isFinal` in the details: it is not to be called again. */
export async function callHook(http: HttpClient, call: HookCall, signal: AbortSignal): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'x-samtale-delivery': call.delivery,
    ...(call.secret === null ? {} : { 'x-samtale-signature': signatureOf(call.secret, call.at, call.body) }),
  }
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
  const url = new URL(call.url)
  const answer = await http.send({ method: 'POST', url, headers: () => headers, body: call.body }, patience)
  let read = 0
  for await (const chunk of answer.body) {
    read += chunk.length
    if (read > ANSWER_BYTES) break
  }
  if (answer.status >= 200 && answer.status < 300) return
  throw new HubError('webhook-failed', `The webhook at ${url.host} answered ${answer.status}.`, {
    details: { status: answer.status, isFinal: answer.status === 410 },
  })
}

/** `t=<seconds since 1970>,v1=<HMAC-SHA256 of "<t>.<body>", hexadecimal>`: the time is signed, so that nobody repeats it later. */
export const signatureOf = (secret: string, at: number, body: string): string =>
  `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`
