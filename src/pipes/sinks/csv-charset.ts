/** Keeps CSV text within what its encoding can say. */

export type EncodeErrorStrategy = 'backslashreplace' | 'ignore' | 'replace' | 'xmlcharrefreplace'

/** As in a Content-Type; text of us-ascii may be sent as UTF-8. */
export type Charset = 'utf-8' | 'iso-8859-1' | 'us-ascii'

/** The encodings that can be written, by their common names; undefined for others. */
export const charsetOf = (name: string): Charset | undefined => names[name.toLowerCase().replaceAll('_', '-')]

const names: Readonly<Record<string, Charset>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'latin-1': 'iso-8859-1',
  latin1: 'iso-8859-1',
  'iso-8859-1': 'iso-8859-1',
  'iso8859-1': 'iso-8859-1',
  ascii: 'us-ascii',
  'us-ascii': 'us-ascii',
}

/** A function that replaces what the encoding cannot say: in UTF-8 only half surrogate pairs. */
export function representable(charset: Charset, strategy: EncodeErrorStrategy): (text: string) => string {
  const beyond = beyondCharset[charset]
  return (text) =>
    text.search(beyond) < 0 ? text : text.replace(beyond, (character) => replacements[strategy](character))
}

const beyondCharset: Readonly<Record<Charset, RegExp>> = {
  'utf-8': /\p{Surrogate}/gu,
  'iso-8859-1': /[^\u{0}-\u{ff}]/gu,
  'us-ascii': /[^\u{0}-\u{7f}]/gu,
}

const replacements: Readonly<Record<EncodeErrorStrategy, (character: string) => string>> = {
  backslashreplace(character) {
    const code = character.codePointAt(0) as number
    const [letter, digits] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8]
    return `\\${letter}${code.toString(16).padStart(digits as number, '0')}`
  },
  ignore: () => '',
  replace: () => '?',
  xmlcharrefreplace: (character) => `&#${character.codePointAt(0)};`,
}
