/** What is wrong with a query that the store does not take, and where. */

import { isTrap } from '../rdf/oxigraph.ts'
import { GraphError } from './errors.ts'
import { placeOf } from './query-text.ts'
import { type Token, tokensOf } from './sparql-tokens.ts'

/**
 * The store's complaint as an error of the hub; a trap is passed on as it is. `ask` asks the store again.
 *
 * Its parser names the furthest place it looked at, and it looks ahead by whole keywords: what it says is often a few
 * words after the mistake, or the end of the text. So the common mistakes are looked for here, exactly, and for the
 * others the keyword it tried last is taken off again.
 */
export function explained(error: unknown, query: string, ask: (query: string) => unknown): unknown {
  if (isTrap(error)) return error
  const { message } = error as Error
  if (!SYNTAX.test(message)) return invalid(message, 'Correct the query.')
  const tokens = tokensOf(query)
  return (
    undeclaredPrefix(query, tokens) ??
    unbalanced(query, tokens) ??
    misplaced(query, tokens, paddedComplaint(query, ask))
  )
}

const SYNTAX = /^error at (\d+):(\d+): expected (?:one of )?([\s\S]*)$/

/** White space at the end keeps the parser from giving up for want of text. */
function paddedComplaint(query: string, ask: (query: string) => unknown): string {
  try {
    ask(`${query}\n${' '.repeat(40)}`)
  } catch (error) {
    if (isTrap(error)) throw error
    return (error as Error).message
  }
  return ''
}

function misplaced(query: string, tokens: readonly Token[], complaint: string): GraphError {
  const [, line = '1', column = '1', list = ''] = SYNTAX.exec(complaint) ?? []
  const expected = alternatives(list)
  const said = expected.find((one) => /[a-z] [a-z]/.test(one))
  const offset = offsetOf(query, Number(line), Number(column))
  if (said !== undefined) {
    const place = placeOf(query, { start: Math.min(offset, query.length) })
    return invalid(`${said}, near line ${place.line}, column ${place.column}.`, 'Correct the query.', place)
  }
  const keywords = expected.filter((one) => /^[A-Z_]+$/.test(one))
  const isExact = keywords.length < expected.length || expected.length === 0
  const ahead = isExact ? 0 : Math.min(...keywords.map((one) => one.length))
  const token = tokens.find(({ end }) => end > offset - ahead)
  const place = placeOf(query, { start: token?.start ?? query.length })
  const found = token === undefined ? 'it ends too early' : `unexpected ${JSON.stringify(token.text)}`
  const wanted = isExact && expected.length > 0 ? `, where ${oneOf(expected)} might stand` : ''
  return invalid(
    `The query is not well formed near line ${place.line}, column ${place.column}: ${found}${wanted}.`,
    'Correct the query there.',
    place,
  )
}

function offsetOf(query: string, line: number, column: number): number {
  const lines = query.split('\n')
  return lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1
}

/** The parser's list of what might follow, without its classes of characters. */
const alternatives = (list: string): string[] =>
  list
    .replace(/\['[\s\S]*?'\](?=,|$|\n)|\[_\]/g, '')
    .split(/,\s*(?="|[A-Za-z])|\n/)
    .map((one) => one.replace(/^[\s|,]+|[\s|,]+$/g, ''))
    .filter((one) => one !== '')

const oneOf = (expected: readonly string[]): string =>
  expected.length <= 6 ? expected.join(' or ') : `${expected.slice(0, 6).join(' or ')} or other things`

/** The parser says of a prefix that nobody declared only that it expected something else. */
function undeclaredPrefix(query: string, tokens: readonly Token[]): GraphError | null {
  const declared = new Set(['_:'])
  for (const [place, { kind, text }] of tokens.entries()) {
    if (kind === 'word' && text.toUpperCase() === 'PREFIX') declared.add(tokens[place + 1]?.text ?? '')
  }
  for (const token of tokens) {
    const prefix = token.text.slice(0, token.text.indexOf(':') + 1)
    if (token.kind !== 'name' || declared.has(prefix)) continue
    const { line, column } = placeOf(query, token)
    const message = `The prefix ${prefix} is not declared, at line ${line}, column ${column}.`
    return invalid(message, `Begin the query with PREFIX ${prefix} <…>.`, { line, column })
  }
  return null
}

const CLOSES: Readonly<Record<string, string>> = { '}': '{', ')': '(', ']': '[' }

/** A bracket that closes nothing, or is never closed; a string without its end. */
function unbalanced(query: string, tokens: readonly Token[]): GraphError | null {
  const open: Token[] = []
  const at = (token: Token, what: string): GraphError => {
    const place = placeOf(query, token)
    return invalid(`${what}, at line ${place.line}, column ${place.column}.`, 'Correct the query there.', place)
  }
  for (const token of tokens) {
    if (token.kind !== 'sign') continue
    if (token.text === '"' || token.text === "'") return at(token, 'A string is not ended')
    if ('{(['.includes(token.text)) open.push(token)
    const opening = CLOSES[token.text]
    if (opening !== undefined && open.pop()?.text !== opening) return at(token, `${token.text} closes nothing`)
  }
  const unclosed = open.at(-1)
  return unclosed === undefined ? null : at(unclosed, `${unclosed.text} is not closed`)
}

const invalid = (message: string, hint: string, details: Readonly<Record<string, unknown>> = {}): GraphError =>
  new GraphError('query-invalid', message, { hint, details: { ...details } })
