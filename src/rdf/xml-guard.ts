/** Looks at XML while it passes: that every element is closed at the end, and that no entity blows it up. */

import { RdfError } from './errors.ts'

/** What XML parsers of RDF let pass and the hub does not: half a document, and entities made of entities. */
export class XmlGuard {
  #state: 'text' | 'tag' | 'doctype' | 'until' = 'text'
  /** Of a comment, a CDATA section or a processing instruction. */
  #terminator = ''
  #quote = ''
  #last = ''
  #isClosing = false
  #depth = 0
  #elements = 0
  #rest = ''

  /** Takes the next piece of the document. */
  read(text: string, line: number): void {
    let input = this.#rest + text
    this.#rest = ''
    while (input !== '') input = this.#step(input, line)
  }

  end(line: number): void {
    if (this.#state === 'text' && this.#rest === '' && this.#depth === 0 && this.#elements > 0) return
    const what =
      this.#elements === 0 ? 'There is no element in the document' : 'The document ends before its elements do'
    throw badXml(what, line, 'Send the whole document.')
  }

  /** Deals with what comes first, and gives what is left; may put an unfinished piece aside. */
  #step(input: string, line: number): string {
    switch (this.#state) {
      case 'text':
        return this.#text(input)
      case 'until':
        return this.#until(input)
      case 'doctype':
        return this.#doctype(input, line)
      case 'tag':
        return this.#tag(input)
    }
  }

  #text(input: string): string {
    const start = input.indexOf('<')
    if (start < 0) return ''
    const markup = input.slice(start)
    const opening = OPENINGS.find(([prefix]) => prefix.startsWith(markup.slice(0, prefix.length)))
    if (opening !== undefined && markup.length < opening[0].length) return this.#putAside(markup)
    if (opening === undefined) {
      this.#state = 'tag'
      this.#isClosing = markup[1] === '/'
      this.#last = ''
      return markup.slice(1)
    }
    const [prefix, terminator] = opening
    this.#state = terminator === '' ? 'doctype' : 'until'
    this.#terminator = terminator
    return markup.slice(prefix.length)
  }

  #until(input: string): string {
    const end = input.indexOf(this.#terminator)
    if (end < 0) return this.#putAside(input.slice(1 - this.#terminator.length))
    this.#state = 'text'
    return input.slice(end + this.#terminator.length)
  }

  #tag(input: string): string {
    for (let at = 0; at < input.length; at++) {
      const char = input[at] as string
      if (this.#quote !== '') {
        if (char === this.#quote) this.#quote = ''
      } else if (char === '"' || char === "'") this.#quote = char
      else if (char === '>') {
        this.#elements++
        if (this.#isClosing) this.#depth--
        else if (this.#last !== '/') this.#depth++
        this.#state = 'text'
        return input.slice(at + 1)
      }
      this.#last = char
    }
    return ''
  }

  #doctype(input: string, line: number): string {
    if (input.length > MAX_DOCTYPE) throw badXml('The document type declaration is too long', line, 'Shorten it.')
    const end = doctypeEnd(input)
    if (end < 0) return this.#putAside(input)
    for (const [, percent, double, single] of input.slice(0, end).matchAll(ENTITY)) {
      const value = double ?? single ?? ''
      if (
        percent !== undefined ||
        /&(?!#)/.test(value.replace(/&(?:amp|lt|gt|quot|apos);/g, '')) ||
        value.length > MAX_ENTITY
      ) {
        throw badXml(
          'The document type declares an entity made of entities, or a long one',
          line,
          'Write the text out.',
        )
      }
    }
    this.#state = 'text'
    return input.slice(end)
  }

  #putAside(input: string): string {
    this.#rest = input
    return ''
  }
}

const MAX_DOCTYPE = 65_536
const MAX_ENTITY = 1_000
const ENTITY = /<!ENTITY\s+(%\s+)?[^\s"'>]+\s+(?:"([^"]*)"|'([^']*)'|[A-Z])/g

/** What a piece of markup begins with, and what ends it; an empty end: the document type, which nests. */
const OPENINGS: readonly (readonly [prefix: string, terminator: string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<!DOCTYPE', ''],
  ['<?', '?>'],
]

/** Place after the `>` that ends a document type declaration, or -1 when it is not there yet. */
function doctypeEnd(text: string): number {
  let isInside = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"' || char === "'") at = text.indexOf(char, at + 1)
    else if (text.startsWith('<!--', at)) at = text.indexOf('-->', at + 4)
    else if (char === '[') isInside = true
    else if (char === ']') isInside = false
    else if (char === '>' && !isInside) return at + 1
    if (at < 0) return -1
  }
  return -1
}

const badXml = (what: string, line: number, hint: string): RdfError =>
  new RdfError('bad-rdf', `${what}, on line ${line}.`, { hint, details: { line } })
