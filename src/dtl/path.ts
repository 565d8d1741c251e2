/** Property paths as text: `VAR.element.'quoted element'` (dtl.md §5.1). */

export interface SplitPath {
  readonly variable: string
  readonly elements: readonly string[]
  /** What is wrong with the elements. */
  readonly mistake?: string
}

/** What stands before the first dot, or null where there is none: then the text is no path. */
export function variableOf(text: string): string | null {
  const dot = text.indexOf('.')
  return dot <= 0 ? null : text.slice(0, dot)
}

/** Takes apart a text known to start with a variable. */
export function splitPath(text: string): SplitPath {
  const variable = variableOf(text) as string
  const elements: string[] = []
  let at = variable.length + 1
  while (at < text.length) {
    let element: string
    if (text[at] === "'") {
      const end = closingQuote(text, at)
      if (end < 0) return { variable, elements, mistake: 'a quoted element is not closed' }
      element = text.slice(at + 1, end).replaceAll("''", "'")
      at = end + 1
      if (at < text.length && text[at] !== '.')
        return { variable, elements, mistake: 'a dot is missing after a quoted element' }
    } else {
      const end = text.indexOf('.', at)
      element = text.slice(at, end < 0 ? text.length : end)
      at += element.length
      if (element === '') return { variable, elements, mistake: 'an element is empty' }
    }
    elements.push(element)
    // A dot at the end is ignored.
    at++
  }
  return { variable, elements }
}

/** The text that {@link splitPath} takes apart into these. */
export const joinPath = (variable: string, elements: readonly string[]): string =>
  `${variable}.${elements.map((element) => (needsQuotes(element) ? `'${element.replaceAll("'", "''")}'` : element)).join('.')}`

const needsQuotes = (element: string): boolean => element === '' || element.includes('.') || element.startsWith("'")

function closingQuote(text: string, open: number): number {
  let at = open + 1
  for (;;) {
    const quote = text.indexOf("'", at)
    if (quote < 0 || text[quote + 1] !== "'") return quote
    at = quote + 2
  }
}
