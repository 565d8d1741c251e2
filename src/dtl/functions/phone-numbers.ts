/** Phone numbers, as `tel:` URIs (dtl.md §9.17). */

import type * as Library from 'libphonenumber-js/max'
import { Decimal, Float, isInteger, URI, type Value } from '../../model/value.ts'
import { toDouble } from '../arithmetic.ts'
import { firstOf } from '../coerce.ts'
import { needsPackage, optionalPackage } from '../optional-package.ts'
import type { ArgumentNode, FunctionDefinition, Report } from '../syntax.ts'
import { example, mappingWith, one, optional, VALUES } from './definition.ts'

const PACKAGE = 'libphonenumber-js/max'
const library = optionalPackage<typeof Library>(PACKAGE)
const checkPackage = needsPackage(PACKAGE)

type Options = Exclude<NonNullable<Parameters<typeof Library.parsePhoneNumberFromString>[1]>, string>
type Format = (number: Library.PhoneNumber) => string | undefined

const FORMATS: Readonly<Record<string, Format>> = {
  e164: ({ number }) => number.slice(1),
  'national-e164': ({ nationalNumber }) => nationalNumber,
  national: (number) => number.formatNational(),
  international: (number) => number.formatInternational(),
  rfc3966: rfc3966,
  isocode: ({ country }) => country,
  'country-code': ({ countryCallingCode }) => countryCallingCode,
}

export const phoneNumbers: readonly FunctionDefinition[] = [
  mappingWith({
    name: 'phonenumber-format',
    parameters: [one('FORMAT_STRING', 'constant-string'), VALUES],
    summary: `Phone numbers as text: ${Object.keys(FORMATS)
      .map((name) => `\`${name}\``)
      .join(', ')}.`,
    check: (args, report) => {
      checkPackage(args, report)
      checkFormat(args, report)
    },
    examples: [
      example('["phonenumber-format", "e164", "~rtel:+47-22-22-22-22"]', '"4722222222"'),
      example('["phonenumber-format", "isocode", ["list", "~rtel:+47-22-22-22-22", "~rhttp://a.no/"]]', '["NO"]'),
    ],
    bind: ([name]) => {
      const format = FORMATS[name as string] as Format
      return (value, frame) => {
        if (!(value instanceof URI) || !/^tel:/i.test(value.text)) return undefined
        frame.run.spend(COST)
        const number = parsed(value.text, undefined)
        return number === undefined ? undefined : format(number)
      }
    },
  }),
  mappingWith({
    name: 'phonenumber-parse',
    parameters: [optional('DEFAULT_REGION', 'string'), VALUES],
    summary: 'Strings and numbers as `tel:` URIs; DEFAULT_REGION, such as `NO`, is for those without a country code.',
    check: checkPackage,
    examples: [
      example('["phonenumber-parse", ["list", "+47 22222222", "x"]]', '["~rtel:+47-22-22-22-22"]'),
      example('["phonenumber-parse", "NO", 22225555]', '"~rtel:+47-22-22-55-55"'),
    ],
    bind: ([given]) => {
      const region = given === undefined ? null : firstOf(given)
      if (region !== null && typeof region !== 'string') return null
      return (value, frame) => {
        const text = textOf(value)
        if (text === undefined) return undefined
        frame.run.spend(COST)
        const number = parsed(text, region?.toUpperCase())
        return number === undefined ? undefined : new URI(rfc3966(number))
      }
    },
  }),
]

/** A number takes some 60 µs. */
const COST = 100

/** Numbers as they would be written without a fraction: of zero alone. */
function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value
  if (isInteger(value)) return String(value)
  if (!(value instanceof Float || value instanceof Decimal)) return undefined
  const double = toDouble(value)
  return Number.isSafeInteger(double) ? String(double) : undefined
}

const parsed = (text: string, region: string | undefined): Library.PhoneNumber | undefined =>
  library().parsePhoneNumberFromString(text, region === undefined ? {} : ({ defaultCountry: region } as Options))

/** `tel:` with the groups of the international form, joined by hyphens, and the extension. */
function rfc3966(number: Library.PhoneNumber): string {
  const whole = number.ext === undefined ? number : (parsed(number.number, undefined) ?? number)
  const groups = whole.formatInternational().replace(/[^+\d]+/g, '-')
  return `tel:${groups}${number.ext === undefined ? '' : `;ext=${number.ext}`}`
}

function checkFormat([name]: readonly (ArgumentNode | undefined)[], report: Report): void {
  if (name?.kind === 'constant' && !Object.hasOwn(FORMATS, String(name.value)))
    report(
      name,
      `There is no format '${String(name.value)}' of phone numbers.`,
      `Formats are ${Object.keys(FORMATS).join(', ')}.`,
    )
}
