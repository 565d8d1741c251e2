/** SPARQL text as tokens: enough to see what a query is and where its outermost clauses stand, without parsing it. */

export interface Token {
  readonly kind: 'iri' | 'name' | 'word' | 'number' | 'string' | 'variable' | 'sign'
  readonly text: string
  /** Places in the query. */
  readonly start: number
  readonly end: number
  /** Braces and parentheses that are open before it. */
  readonly depth: number
}

/** The tokens of a query. What is no token in SPARQL is a sign: the parser will say what is wrong with it. */
export function tokensOf(query: string): Token[] {
  const tokens: Token[] = []
  let depth = 0
  for (let at = 0; at < query.length; ) {
    BLANK.lastIndex = at
    BLANK.exec(query)
    at = BLANK.lastIndex
    if (at >= query.length) break
    const { kind, end } = nextToken(query, at)
    const text = query.slice(at, end)
    if (text === '}' || text === ')') depth--
    tokens.push({ kind, text, start: at, end, depth })
    if (text === '{' || text === '(') depth++
    at = end
  }
  return tokens
}

function nextToken(query: string, at: number): { kind: Token['kind']; end: number } {
  for (const [kind, form] of FORMS) {
    form.lastIndex = at
    if (form.test(query)) return { kind, end: form.lastIndex }
  }
  return { kind: 'sign', end: at + 1 }
}

const BLANK = /(?:\s|#[^\n\r]*)*/y

/** In the order in which they are tried. A name has a colon, a word has none; a language tag is no word. */
const FORMS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['iri', /<[^<>"{}|^`\\\u0000-\u0020]*>/y],
  ['string', /"""(?:"{0,2}(?:[^"\\]|\\.))*"""|'''(?:'{0,2}(?:[^'\\]|\\.))*'''/sy],
  ['string', /"[^"\\\n\r]*(?:\\.[^"\\\n\r]*)*"|'[^'\\\n\r]*(?:\\.[^'\\\n\r]*)*'/y],
  ['variable', /[?$][\p{L}\p{N}\p{M}_\u00B7\u203F\u2040]+/uy],
  ['sign', /@[A-Za-z]+(?:-[A-Za-z0-9]+)*/y],
  [
    'name',
    /(?:[\p{L}_](?:[\p{L}\p{N}\p{M}_.\u00B7-]*[\p{L}\p{N}\p{M}_\u00B7-])?)?:(?:[\p{L}\p{N}\p{M}_:.\u00B7-]|%[0-9A-Fa-f]{2}|\\.)*/uy,
  ],
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
]
