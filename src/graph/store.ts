/** The quads in Oxigraph: entities' graphs, and the default graph with what global datasets hold, each statement once. */

import type { Store as OxigraphStore, Quad } from 'oxigraph'
import { oxigraph } from '../rdf/oxigraph.ts'
import type { EntityText, Statement } from './entity-text.ts'

/** What becomes of one entity's graph. */
export interface GraphChange {
  readonly graph: string
  /** Its statements are in the default graph, too. */
  readonly isGlobal: boolean
  /** What the graph holds from now on; null: there is none. */
  readonly text: EntityText | null
  /** There was no such graph before: nobody looks for it. */
  readonly isNew: boolean
}

export class GraphStore {
  readonly #store: OxigraphStore
  /** Whether a graph's statements count for the default graph. */
  readonly #isGlobalGraph: (graph: string) => boolean
  #quads = 0
  #isExact = true
  #removed = 0

  constructor(isGlobalGraph: (graph: string) => boolean) {
    this.#store = new (oxigraph().Store)()
    this.#isGlobalGraph = isGlobalGraph
  }

  /** For queries alone. */
  get store(): OxigraphStore {
    return this.#store
  }

  /** Never too few: a statement that was in the default graph already may be counted again until {@link count}. */
  get quads(): number {
    return this.#quads
  }

  get isExact(): boolean {
    return this.#isExact
  }

  /** Quads removed so far. The store never gives their memory back. */
  get removed(): number {
    return this.#removed
  }

  /** Counts exactly: 40 ms for a million quads. */
  count(): void {
    this.#quads = this.#store.size
    this.#isExact = true
  }

  /**
   * Makes the graphs what they should be, by the statements that differ: one update for what goes, one load for what comes,
   * and, for what global entities no longer hold, a look whether another does. Each graph at most once.
   */
  apply(changes: readonly GraphChange[]): void {
    const going = new UpdateText()
    const leaving = new Set<Statement>()
    // Pieces joined once: adding them to one string as they come costs several times the load itself.
    const coming: string[] = []
    for (const change of changes) {
      if (change.isNew) this.#add(change, null, coming)
      else this.#replace(change, going, leaving, coming)
    }
    this.#update(going)
    if (coming.length > 0) this.#store.load(coming.join(''), { format: 'application/n-quads', no_transaction: true })
    if (leaving.size > 0) this.#leaveDefaultGraph([...leaving])
  }

  #replace(change: GraphChange, going: UpdateText, leaving: Set<Statement>, coming: string[]): void {
    const { graph, isGlobal, text } = change
    // Statements are looked up once: what is kept leaves the set, what is left in it goes.
    const gone = new Set(this.#statementsOf(graph))
    if (text === null && gone.size > 0) going.drop(graph)
    if (text !== null) this.#add(change, gone, coming)
    if (text !== null && gone.size > 0) going.remove(gone, graph)
    this.#countRemoved(gone.size)
    if (!isGlobal) return
    const about = subjectOf(graph)
    for (const statement of gone) if (!statement.startsWith(about)) leaving.add(statement)
  }

  /** The lines of what is not there already; what is leaves `before`. */
  #add({ graph, isGlobal, text }: GraphChange, before: Set<Statement> | null, coming: string[]): void {
    if (text === null) return
    const ending = ` <${graph}> .\n`
    const pieces = coming.length
    const isThere = (statement: Statement): boolean => before?.delete(statement) === true
    for (const statement of text.about) if (!isThere(statement)) coming.push(statement, ending)
    for (const statement of text.statements) {
      if (isThere(statement)) continue
      coming.push(statement, ending)
      if (isGlobal) coming.push(statement, ' .\n')
    }
    this.#quads += (coming.length - pieces) / 2
    // The default graph may have had the statement, and an entity may say a thing twice.
    this.#isExact &&= coming.length === pieces
  }

  /** IRIs of the graphs that are part of a dataset. */
  graphsOf(datasetIri: string): string[] {
    const query = `SELECT ?g { GRAPH ?g { ?g <http://purl.org/dc/terms/isPartOf> <${datasetIri}> } }`
    const table = this.#store.query(query, { results_format: 'text/tab-separated-values' }) as string
    return table
      .split('\n')
      .slice(1, -1)
      .map((row) => row.slice(1, -1))
  }

  #statementsOf(graph: string): Statement[] {
    const text = this.#store.dump({
      format: 'application/n-triples',
      from_graph_name: oxigraph().namedNode(graph),
    })
    const statements = text.split(' .\n')
    statements.pop()
    return statements
  }

  /** Of statements that a global entity no longer holds, removes those that no other holds either. */
  #leaveDefaultGraph(statements: readonly Statement[]): void {
    const quads = oxigraph().parse(statements.map((statement) => `${statement} .\n`).join(''), {
      format: 'application/n-triples',
    })
    const going = new UpdateText()
    const gone = statements.filter((_, place) => !this.#isHeld(quads[place] as Quad))
    if (gone.length === 0) return
    going.remove(gone, null)
    this.#countRemoved(gone.length)
    this.#update(going)
  }

  #isHeld({ subject, predicate, object }: Quad): boolean {
    return this.#store
      .match(subject, predicate, object, null)
      .some(({ graph }) => graph.termType === 'NamedNode' && this.#isGlobalGraph(graph.value))
  }

  #update(update: UpdateText): void {
    const text = update.text()
    if (text !== '') this.#store.update(text)
  }

  #countRemoved(quads: number): void {
    this.#quads -= quads
    this.#removed += quads
  }
}

/** Statements about a graph have it as their subject. */
const subjectOf = (graph: string): string => `<${graph}> `

/** SPARQL that removes statements and graphs. */
class UpdateText {
  readonly #removals: string[] = []
  readonly #drops: string[] = []

  remove(statements: Iterable<Statement>, graph: string | null): void {
    if (graph !== null) this.#removals.push(`GRAPH <${graph}> {\n`)
    for (const statement of statements) this.#removals.push(statement, ' .\n')
    if (graph !== null) this.#removals.push('}\n')
  }

  drop(graph: string): void {
    this.#drops.push(`DROP SILENT GRAPH <${graph}>;\n`)
  }

  text(): string {
    const removals = this.#removals.length === 0 ? '' : `DELETE DATA {\n${this.#removals.join('')}};\n`
    return removals + this.#drops.join('')
  }
}
