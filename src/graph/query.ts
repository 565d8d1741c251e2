/** A query against the store: what is refused, which graphs it sees, its result as text, and what is wrong with it. */

import type { NamedNode } from 'oxigraph'
import type { Naming } from '../model/iri.ts'
import { isTrap, oxigraph } from '../rdf/oxigraph.ts'
import { prefixesOf } from '../rdf/prefixes.ts'
import { turtleText } from '../rdf/turtle-text.ts'
import type { GraphAnswer, GraphQuery } from './contract.ts'
import { GraphError } from './errors.ts'
import { explained } from './mistakes.ts'
import { preferred } from './negotiation.ts'
import { type QueryKind, type QueryText, readQuery } from './query-text.ts'
import { cutRows, type TableFormat } from './results.ts'
import type { GraphStore } from './store.ts'

/** Answers a query. Throws GraphError for what the caller can mend; a trap of the store passes as it is. */
export function answerQuery(graph: GraphStore, naming: Naming, query: GraphQuery): GraphAnswer {
  const text = readQuery(query.query)
  const mediaType = resultType(text.kind, query.accept)
  const options = {
    results_format: mediaType,
    ...graphsOptions(graph, naming, query, text),
  }
  if (mediaType === 'text/turtle')
    return turtleAnswer(run(graph, query, text, { ...options, results_format: TRIPLES }), naming, text)
  const result = run(graph, query, text, options)
  const table = TABLES[mediaType]
  if (text.kind !== 'select' || table === undefined) {
    return { body: result, contentType: mediaType, cut: false, rows: null }
  }
  const cut = cutRows(result, table, query.maxRows)
  return { body: cut.text, contentType: mediaType, cut: cut.isCut, rows: cut.rows }
}

const TRIPLES = 'application/n-triples'
/** Longer results are for programs, which read N-Triples as Turtle. */
const READABLE = 1_000_000

/** With the prefixes of the query, which its writer likes, and those of the tenant. */
function turtleAnswer(triples: string, naming: Naming, { prefixes }: QueryText): GraphAnswer {
  const body =
    triples.length > READABLE
      ? triples
      : turtleText(triples, { ...prefixesOf(naming), ...Object.fromEntries(prefixes) })
  return { body, contentType: 'text/turtle', cut: false, rows: null }
}

const TABLES: Readonly<Record<string, TableFormat>> = {
  'application/sparql-results+json': 'json',
  'application/sparql-results+xml': 'xml',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
}
const GRAPHS = [
  'text/turtle',
  'application/n-triples',
  'application/ld+json',
  'application/rdf+xml',
  'application/trig',
  'application/n-quads',
]

function resultType(kind: QueryKind, accept: string): string {
  const offered = kind === 'select' || kind === 'ask' ? Object.keys(TABLES) : GRAPHS
  const chosen = preferred(accept, offered)
  if (chosen !== undefined) return chosen
  throw new GraphError(
    'not-acceptable',
    `The result of this ${kind.toUpperCase()} query cannot be written as ${JSON.stringify(accept)}.`,
    {
      hint: `Ask for ${offered.join(', ')}.`,
      details: { accept, offered },
    },
  )
}

function run(graph: GraphStore, { query, maxRows }: GraphQuery, text: QueryText, options: object): string {
  const ask = (sparql: string): string => graph.store.query(sparql, options) as string
  // One row more than wanted tells that there are more.
  const limited = text.kind === 'select' ? text.limited(maxRows + 1) : query
  try {
    return ask(limited)
  } catch (error) {
    if (isTrap(error) || limited === query) throw explained(error, query, ask)
  }
  // A mistake is told of the text as it was given; and should only the bound be one, the query has its answer.
  try {
    return ask(query)
  } catch (error) {
    throw explained(error, query, ask)
  }
}

/** The graphs of the request win over those of the query (SPARQL 1.1 protocol §2.1.4); a dataset stands for all its graphs. */
function graphsOptions(
  graph: GraphStore,
  naming: Naming,
  { defaultGraphs, namedGraphs }: GraphQuery,
  { from }: QueryText,
) {
  const isDataset = (iri: string): boolean => iri.startsWith(`${naming.base}/dataset/`)
  const isGiven = (defaultGraphs?.length ?? 0) + (namedGraphs?.length ?? 0) > 0
  // A query that names no dataset is left to the store.
  const isFrom = from !== null && [...from.defaults, ...from.named].some(isDataset)
  if (!isGiven && !isFrom) return {}
  const wanted = isGiven || from === null ? { defaults: defaultGraphs ?? [], named: namedGraphs ?? [] } : from
  const terms = (iris: readonly string[]): NamedNode[] =>
    iris.flatMap((iri) => (isDataset(iri) ? graph.graphsOf(iri) : [iri])).map(term)
  const [defaults, named] = [terms(wanted.defaults), terms(wanted.named)]
  if (defaults.length + named.length > MAX_GRAPHS) throw tooManyGraphs(defaults.length + named.length)
  return { default_graph: defaults, named_graphs: named }
}

/** Naming one costs 4 µs. */
const MAX_GRAPHS = 200_000

function term(iri: string): NamedNode {
  try {
    return oxigraph().namedNode(iri)
  } catch {
    throw new GraphError('query-invalid', `${JSON.stringify(iri)} is no IRI of a graph.`, {
      hint: 'Name graphs and datasets by their whole IRIs.',
      details: { graph: iri },
    })
  }
}

const tooManyGraphs = (graphs: number): GraphError =>
  new GraphError('query-invalid', `The query names ${graphs} graphs, which is more than ${MAX_GRAPHS}.`, {
    hint: 'Leave the datasets out and select within the query, by dcterms:isPartOf in each graph.',
    details: { graphs, max: MAX_GRAPHS },
  })
