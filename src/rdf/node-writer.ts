/** Gathers the statements of a subject that come one after the other, for formats that write subjects as nodes. */

import type { Quad, Term } from '@rdfjs/types'

/** Statements of one subject in one graph. */
export interface Node {
  readonly graph: Term
  readonly subject: Term
  readonly statements: readonly Quad[]
}

export class NodeGatherer {
  #statements: Quad[] = []

  /** The node before, when this statement begins another. */
  take(quad: Quad): Node | null {
    const [first] = this.#statements
    const isSame = first?.subject.equals(quad.subject) === true && first.graph.equals(quad.graph)
    const done = isSame ? null : this.flush()
    this.#statements.push(quad)
    return done
  }

  flush(): Node | null {
    const [first] = this.#statements
    if (first === undefined) return null
    const node = { graph: first.graph, subject: first.subject, statements: this.#statements }
    this.#statements = []
    return node
  }
}
