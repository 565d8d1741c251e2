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
    let coming = ''
    for (const change of changes) {
      const { graph, isGlobal, text } = change
      const before = change.isNew ? [] : this.#statementsOf(graph)
      const after = text === null ? NOTHING : new Set([...text.statements, ...text.about])
      const isAbout = aboutTest(graph)
      const gone = before.filter((statement) => !after.has(statement))
      if (after.size === 0 && before.length > 0) going.drop(graph)
      else if (gone.length > 0) going.remove(gone, graph)
      this.#countRemoved(gone.length)
      if (isGlobal) for (const statement of gone) if (!isAbout(statement)) leaving.add(statement)
      const known = before.length === 0 ? NOTHING : new Set(before)
      for (const statement of after) {
        if (known.has(statement)) continue
        coming += `${statement} <${graph}> .\n`
        this.#quads++
        if (!isGlobal || isAbout(statement)) continue
        coming += `${statement} .\n`
        this.#quads++
        this.#isExact = false
      }
    }
    this.#update(going)
    if (coming !== '') this.#store.load(coming, { format: 'application/n-quads', no_transaction: true })
    if (leaving.size > 0) this.#leaveDefaultGraph([...leaving])
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
    const lines = text.split('\n')
    lines.pop()
    return lines.map((line) => line.slice(0, -2))
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

const NOTHING: ReadonlySet<Statement> = new Set()

/** Statements about a graph have it as their subject. */
const aboutTest = (graph: string): ((statement: Statement) => boolean) => {
  const subject = `<${graph}> `
  return (statement) => statement.startsWith(subject)
}

/** SPARQL that removes statements and graphs. */
class UpdateText {
  #removals = ''
  #drops = ''

  remove(statements: readonly Statement[], graph: string | null): void {
    const lines = statements.map((statement) => `${statement} .\n`).join('')
    this.#removals += graph === null ? lines : `GRAPH <${graph}> {\n${lines}}\n`
  }

  drop(graph: string): void {
    this.#drops += `DROP SILENT GRAPH <${graph}>;\n`
  }

  text(): string {
    return `${this.#removals === '' ? '' : `DELETE DATA {\n${this.#removals}};\n`}${this.#drops}`
  }
}
