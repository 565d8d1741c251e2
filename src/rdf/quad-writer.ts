/** What each RDF format that is written must be able to do. */

import type { Quad } from '@rdfjs/types'

/** Turns quads into pieces of text; what it gives together is the document. */
export interface QuadWriter {
  start(): string
  quad(quad: Quad): string
  end(): string
}
