/** The one place that loads Oxigraph: a WebAssembly module that is started on first use, and started anew after it trapped. */

import { createRequire } from 'node:module'
import type * as Oxigraph from 'oxigraph'

const require = createRequire(import.meta.url)

export const oxigraph = (): typeof Oxigraph => require('oxigraph') as typeof Oxigraph

/** A trap leaves the module's memory as it was at that instant: nothing of it may be used again. */
export const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError

export function startAnew(): void {
  delete require.cache[require.resolve('oxigraph')]
}
