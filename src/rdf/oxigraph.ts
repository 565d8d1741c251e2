/** The one place that loads Oxigraph: a WebAssembly module that is started on first use, and started anew after it trapped. */

import { createRequire } from 'node:module'
import type * as Oxigraph from 'oxigraph'

const require = createRequire(import.meta.url)

export const oxigraph = (): typeof Oxigraph => require('oxigraph') as typeof Oxigraph

/**
 * Whether an error is not Oxigraph's own, which are plain ones, but the module's end: a trap, a stack that ran over, a
 * string too long for JavaScript. The module's memory is then as it was at that instant, and nothing of it may be used again.
 */
export const isTrap = (error: unknown): boolean => !(error instanceof Error) || error.constructor !== Error

export function startAnew(): void {
  delete require.cache[require.resolve('oxigraph')]
}
