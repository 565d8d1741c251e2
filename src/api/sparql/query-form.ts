/** What kind of request a SPARQL text is: the first keyword after its prologue tells, without parsing the rest. */

export type QueryForm = 'select' | 'ask' | 'construct' | 'describe' | 'update' | 'unknown'

/** White space, comments, and the declarations of a prologue. */
const PROLOGUE = /\s+|#[^\n\r]*|base\s*<[^>]*>|prefix\s+[^\s:<>]*:\s*<[^>]*>/iy
const KEYWORD = /[a-z]+/iy
const UPDATES = new Set(['insert', 'delete', 'load', 'clear', 'drop', 'create', 'add', 'move', 'copy', 'with'])

export function queryForm(text: string): QueryForm {
  let at = 0
  for (;;) {
    PROLOGUE.lastIndex = at
    if (!PROLOGUE.test(text)) break
    at = PROLOGUE.lastIndex
  }
  KEYWORD.lastIndex = at
  const keyword = KEYWORD.exec(text)?.[0].toLowerCase()
  switch (keyword) {
    case 'select':
    case 'ask':
    case 'construct':
    case 'describe':
      return keyword
    default:
      return keyword !== undefined && UPDATES.has(keyword) ? 'update' : 'unknown'
  }
}
