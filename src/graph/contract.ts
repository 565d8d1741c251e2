/** What others see of the graph: a projection of the log that answers questions, in a thread of its own. */

export interface Graph {
  /** Answers when the projection has caught up with what the log held at start; rejects GraphError `graph-not-ready` before, `query-timeout`, `query-invalid`, `graph-lost`, `update-refused`. */
  query(request: GraphQuery): Promise<GraphAnswer>
  status(): GraphStatus
  /** Resolves when everything committed to the log before the call is in the graph. */
  caughtUp(timeoutMs: number): Promise<boolean>
  /** Tells the graph what to project from now on (datasets, prefixes, mapping of properties to terms). */
  configure(settings: GraphSettings): void
  close(): Promise<void>
}

export interface GraphQuery {
  readonly query: string
  /** Media type of the answer: SELECT and ASK as JSON, XML, CSV or TSV results; CONSTRUCT and DESCRIBE as Turtle, N-Triples, JSON-LD, RDF/XML. */
  readonly accept: string
  /** Milliseconds; the thread is ended when it takes longer. */
  readonly timeoutMs: number
  /** Rows of a SELECT at most. */
  readonly maxRows: number
  readonly defaultGraphs?: readonly string[]
  readonly namedGraphs?: readonly string[]
}

export interface GraphAnswer {
  readonly body: string
  readonly contentType: string
  /** More rows were there than `maxRows`. */
  readonly cut: boolean
  readonly rows: number | null
}

export interface GraphSettings {
  readonly base: string
  readonly namespaces: Readonly<Record<string, string>>
  /** Property name -> IRI where it is not the default one. */
  readonly properties: Readonly<Record<string, string>>
  /** Datasets to project, those that matter most first. */
  readonly datasets: readonly ProjectedDataset[]
  /** Quads at most. */
  readonly budget: number
}

export interface ProjectedDataset {
  readonly id: string
  /** Its statements are in the default graph too. */
  readonly global: boolean
  /** Pipe that writes it, for provenance. */
  readonly pipe: string | null
  /** Datasets it is made from, for provenance. */
  readonly derivedFrom: readonly string[]
}

export interface GraphStatus {
  readonly state: 'loading' | 'ready' | 'rebuilding' | 'stopped'
  readonly quads: number
  readonly budget: number
  /** Entities committed to projected datasets and not in the graph yet. */
  readonly lag: number
  /** Datasets left out because the budget is used up. */
  readonly leftOut: readonly string[]
  readonly offsets: Readonly<Record<string, number>>
}
