/** Literals as Oxigraph gives them back: it keeps numbers as numbers, so `1.50` and `1.5` are one literal there. */

import { xsd } from '../rdf/vocabulary.ts'

/**
 * The lexical form under which the store gives a literal back. The projection compares statements as text and counts on
 * it: a form of its own would look like a change at every comparison.
 */
export function storedLexical(text: string, datatype: string): string {
  if (datatype === xsd.decimal) return plainDecimal(text)
  if (datatype === xsd.double) return plainDouble(Number(text))
  return text
}

/** Without zeros at the end of the fraction, and without a fraction that is zero. */
function plainDecimal(text: string): string {
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  return plain === '-0' ? '0' : plain
}

/** All digits and no exponent, as few as name the double. */
function plainDouble(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const at = text.indexOf('e')
  if (at < 0) return text
  const exponent = Number(text.slice(at + 1))
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text.slice(0, at)) ?? []
  const digits = whole + fraction
  const point = whole.length + exponent
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
