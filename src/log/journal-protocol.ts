/** What crosses the ports of the writer thread: requests one way, answers the other. */

import type { MessagePort } from 'node:worker_threads'
import type { Journal } from './contract.ts'
import type { ErrorText } from './errors.ts'

export type Method = keyof Journal

export interface Request {
  readonly id: number
  readonly method: Method
  readonly args: readonly unknown[]
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorText }

/** To the thread, on its own port. */
export type Order = { readonly type: 'connect'; readonly port: MessagePort } | { readonly type: 'close' }

/** From the thread, once, on its own port. */
export type Report =
  | { readonly type: 'ready'; readonly feed: SharedArrayBuffer }
  | { readonly type: 'failed'; readonly error: ErrorText }

export interface WriterThreadData {
  readonly path: string
}
