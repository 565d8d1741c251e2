/** What a query asks for, and the same query with a bound on its rows and without its FROM clauses. */

import { GraphError } from './errors.ts'
import { MAX_DEPTH, MAX_LINKS, tooFarAt } from './query-steps.ts'
import { type Token, tokensOf } from './sparql-tokens.ts'

export type QueryKind = 'select' | 'ask' | 'construct' | 'describe'

export interface QueryText {
  readonly kind: QueryKind
  /** Those it declares, without the colon. */
  readonly prefixes: ReadonlyMap<string, string>
  /** IRIs of FROM, and of FROM NAMED; null when the query has neither clause. */
  readonly from: { readonly defaults: readonly string[]; readonly named: readonly string[] } | null
  /** The query with at most so many solutions; its own LIMIT stays when it is smaller. */
  limited(limit: number): string
}

const UPDATES = new Set(['INSERT', 'DELETE', 'LOAD', 'CLEAR', 'DROP', 'CREATE', 'ADD', 'MOVE', 'COPY', 'WITH'])
const KINDS: Readonly<Record<string, QueryKind>> = {
  SELECT: 'select',
  ASK: 'ask',
  CONSTRUCT: 'construct',
  DESCRIBE: 'describe',
}

/** Looks at a query; refuses updates and SERVICE. A text it does not understand passes as a SELECT: the parser knows what is wrong. */
export function readQuery(query: string): QueryText {
  const tokens = tokensOf(query)
  const deep = tooFarAt(tokens)
  if (deep !== undefined) throw tooDeep(query, deep)
  const { prefixes, first } = prologueOf(tokens)
  const form = tokens[first]
  const keyword = form === undefined ? '' : keywordOf(form)
  if (UPDATES.has(keyword)) throw updateRefused()
  const service = tokens.find((token) => keywordOf(token) === 'SERVICE')
  if (service !== undefined) throw serviceRefused(query, service)
  const kind = KINDS[keyword] ?? 'select'
  const outer = tokens.slice(first).filter(({ depth }) => depth === 0)
  return {
    kind,
    prefixes,
    from: fromOf(outer, prefixes),
    limited: (limit) => (kind === 'ask' ? query : withLimit(query, outer, limit)),
  }
}

const keywordOf = ({ kind, text }: Token): string => (kind === 'word' ? text.toUpperCase() : '')

/** The declared prefixes, and where the query itself begins. */
function prologueOf(tokens: readonly Token[]): { prefixes: ReadonlyMap<string, string>; first: number } {
  const prefixes = new Map<string, string>()
  let first = 0
  for (;;) {
    const [keyword, name, iri] = tokens.slice(first, first + 3)
    if (keyword === undefined) break
    if (keywordOf(keyword) === 'BASE' && name?.kind === 'iri') first += 2
    else if (keywordOf(keyword) === 'PREFIX' && name?.kind === 'name' && iri?.kind === 'iri') {
      prefixes.set(name.text.slice(0, -1), iri.text.slice(1, -1))
      first += 3
    } else break
  }
  return { prefixes, first }
}

function fromOf(outer: readonly Token[], prefixes: ReadonlyMap<string, string>): QueryText['from'] {
  const defaults: string[] = []
  const named: string[] = []
  outer.forEach((token, place) => {
    if (keywordOf(token) !== 'FROM') return
    const next = outer[place + 1]
    const isNamed = next !== undefined && keywordOf(next) === 'NAMED'
    const source = isNamed ? outer[place + 2] : next
    const iri = source === undefined ? null : iriOf(source, prefixes)
    if (iri !== null) (isNamed ? named : defaults).push(iri)
  })
  return defaults.length + named.length === 0 ? null : { defaults, named }
}

function iriOf({ kind, text }: Token, prefixes: ReadonlyMap<string, string>): string | null {
  if (kind === 'iri') return text.slice(1, -1)
  if (kind !== 'name') return null
  const colon = text.indexOf(':')
  const prefix = prefixes.get(text.slice(0, colon))
  return prefix === undefined ? null : prefix + text.slice(colon + 1).replace(/\\(.)/g, '$1')
}

/**
 * Puts a LIMIT where the grammar has it: at the end of the outermost query, before its VALUES. Nothing else of the text
 * moves, so neither the meaning nor the place of a mistake changes.
 */
function withLimit(query: string, outer: readonly Token[], limit: number): string {
  const at = outer.findLastIndex((token) => keywordOf(token) === 'LIMIT')
  const own = outer[at + 1]
  if (at >= 0) {
    if (own?.kind !== 'number' || Number(own.text) <= limit) return query
    return `${query.slice(0, own.start)}${limit}${query.slice(own.end)}`
  }
  const values = outer.find((token, place) => keywordOf(token) === 'VALUES' && place > 0)
  // A new line, for the text may end in a comment.
  if (values === undefined) return `${query}\nLIMIT ${limit}`
  return `${query.slice(0, values.start)}LIMIT ${limit}\n${query.slice(values.start)}`
}

const updateRefused = (): GraphError =>
  new GraphError('update-refused', 'The graph is a projection of the datasets: it cannot be written to.', {
    hint: 'Write to a dataset, through a receiver or a pipe; the graph follows.',
  })

function tooDeep(query: string, token: Token): GraphError {
  const { line, column } = placeOf(query, token)
  return new GraphError(
    'query-invalid',
    `The query is nested more than ${MAX_DEPTH} deep, or a chain in it longer than ${MAX_LINKS}, at line ${line}, column ${column}.`,
    { hint: 'Flatten it, or write many alternatives as VALUES.', details: { line, column } },
  )
}

/** Line and column of a token, from 1. */
export function placeOf(
  query: string,
  { start }: Pick<Token, 'start'>,
): { readonly line: number; readonly column: number } {
  const before = query.slice(0, start).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function serviceRefused(query: string, token: Token): GraphError {
  const { line, column } = placeOf(query, token)
  return new GraphError('query-invalid', `SERVICE is not supported, at line ${line}, column ${column}.`, {
    hint: 'The graph does not ask other services: collect their data with a pipe, and ask here.',
    details: { line, column },
  })
}
