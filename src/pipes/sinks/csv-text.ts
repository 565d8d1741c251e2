/** Writes one row of CSV, byte for byte as the csv writer that other hubs use (hub.md §15.4). */

import { Decimal, Float, type Value } from '../../model/value.ts'
import { PipeError } from '../errors.ts'
import { plainText } from '../plain-text.ts'

export interface CsvForm {
  readonly quoting: 'minimal' | 'all' | 'non-numeric' | 'none'
  readonly delimiter: string
  readonly quotechar: string
  readonly escapechar: string | null
  readonly doublequote: boolean
  readonly lineterminator: string
}

/** A function that writes rows, the end of the line included. It throws `cannot-escape`. */
export function csvRow(form: CsvForm): (values: readonly (Value | undefined)[]) => string {
  const { delimiter, lineterminator } = form
  const field = csvField(form)
  return (values) => {
    const fields = values.map(field)
    // A row of one empty field would be a blank line, which readers skip.
    if (fields.length === 1 && fields[0] === '') fields[0] = emptyField(form)
    return fields.join(delimiter) + lineterminator
  }
}

function csvField(form: CsvForm): (value: Value | undefined) => string {
  const { quoting, delimiter, quotechar, doublequote, lineterminator } = form
  const escaping = form.escapechar ?? (doublequote ? null : '\\')
  const specials = new Set([delimiter, quotechar, escaping ?? quotechar, '\r', '\n', ...lineterminator])
  const special = new RegExp(
    `[${[...specials].map((one) => `\\u{${one.codePointAt(0)?.toString(16)}}`).join('')}]`,
    'gu',
  )
  return (value) => {
    const text = plainText(value)
    let quoted = quoting === 'all' || (quoting === 'non-numeric' && !isNumeric(value))
    if (text.search(special) >= 0) {
      const written = text.replace(special, (character) => {
        if (quoting !== 'none' && character !== escaping && (character !== quotechar || doublequote)) {
          quoted = true
          return character === quotechar ? quotechar + quotechar : character
        }
        if (escaping !== null) return escaping + character
        throw new PipeError(
          'cannot-escape',
          `The value ${JSON.stringify(text)} cannot be written as CSV without quotes.`,
          {
            hint: 'Set escapechar, or another quoting than "none".',
          },
        )
      })
      return quoted ? quotechar + written + quotechar : written
    }
    return quoted ? quotechar + text + quotechar : text
  }
}

function emptyField({ quoting, quotechar }: CsvForm): string {
  if (quoting !== 'none') return quotechar + quotechar
  throw new PipeError('cannot-escape', 'A row of one empty value cannot be written as CSV without quotes.')
}

const isNumeric = (value: Value | undefined): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Float || value instanceof Decimal
