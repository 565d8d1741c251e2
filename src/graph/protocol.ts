/** What crosses between the main side of the graph and its thread: settings, queries and text, nothing with a life. */

import type { GraphAnswer, GraphQuery, GraphSettings } from './contract.ts'
import { GraphError, type GraphErrorCode } from './errors.ts'
import type { DatasetProgress } from './projection.ts'

/** What a thread is started with. */
export interface ThreadStart {
  readonly path: string
  readonly feed: SharedArrayBuffer
  readonly settings: GraphSettings
}

export type ToThread =
  | { readonly kind: 'configure'; readonly settings: GraphSettings }
  | { readonly kind: 'query'; readonly id: number; readonly query: GraphQuery }
  | { readonly kind: 'catch-up'; readonly id: number }
  | { readonly kind: 'close' }

export type FromThread =
  | { readonly kind: 'progress'; readonly progress: ThreadProgress }
  /** The thread has begun with it: from here its time is counted. */
  | { readonly kind: 'started'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: GraphAnswer }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: ErrorText }
  | { readonly kind: 'caught-up'; readonly id: number }
  /** The store trapped: nothing of this thread is of use any more. */
  | { readonly kind: 'lost'; readonly message: string; readonly id: number | null }

export interface ThreadProgress {
  /** It has what the log held when it started. */
  readonly isReady: boolean
  readonly quads: number
  /** Quads removed since it started; their memory is not given back. */
  readonly removed: number
  readonly datasets: readonly DatasetProgress[]
}

export interface ErrorText {
  readonly code: GraphErrorCode
  readonly message: string
  readonly hint: string
  readonly details: Readonly<Record<string, unknown>>
}

export const toErrorText = ({ code, message, hint, details }: GraphError): ErrorText => ({
  code,
  message,
  hint,
  details,
})

export const fromErrorText = ({ code, message, hint, details }: ErrorText): GraphError =>
  new GraphError(code, message, { hint, details })
