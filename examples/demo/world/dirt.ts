/** The dirt of real life: the same value as different people type it. What is done here, a lens must undo. */

import type { Random } from './random.ts'
import { familyNames, givenNames } from './words.ts'

/** Another case, stray spaces. */
export function dirtyEmail(email: string, random: Random): string {
  const [local = '', domain = ''] = email.split('@')
  const typed = random.pick([
    email,
    email,
    email.toUpperCase(),
    `${local.replace(/(^|[.])\p{L}/gu, (start) => start.toUpperCase())}@${domain}`,
    `${local}@${domain.toUpperCase()}`,
  ])
  return spaced(typed, random)
}

/** Five notations of the eight digits of a Norwegian number. */
export const phoneNotations: readonly ((digits: string) => string)[] = [
  (digits) => digits,
  (digits) => `${digits.slice(0, 2)} ${digits.slice(2, 4)} ${digits.slice(4, 6)} ${digits.slice(6)}`,
  (digits) => `+47 ${digits.slice(0, 3)} ${digits.slice(3, 5)} ${digits.slice(5)}`,
  (digits) => `0047${digits}`,
  (digits) => `(+47) ${digits.slice(0, 4)}-${digits.slice(4)}`,
]

export const dirtyPhone = (digits: string, random: Random): string => random.pick(phoneNotations)(digits)

export function dirtyOrgNumber(number: string, random: Random): string {
  if (number.length !== 9) return number.length === 10 ? `${number.slice(0, 6)}-${number.slice(6)}` : number
  const parts = [number.slice(0, 3), number.slice(3, 6), number.slice(6)]
  return random.pick([number, number, parts.join(' '), `NO ${parts.join(' ')} MVA`, parts.join('.')])
}

/** Another case, a doubled or stray space, and now and then the other spelling. */
export function dirtyName(name: string, random: Random): string {
  const spelled = random.chance(0.2) ? otherSpelling(name) : name
  const typed = random.chance(0.06) ? spelled.toUpperCase() : random.chance(0.04) ? spelled.toLowerCase() : spelled
  return spaced(typed, random)
}

const spellings = new Map(
  [...givenNames, ...familyNames].flatMap(([name, other]) => (other === undefined ? [] : [[name, other] as const])),
)

export const otherSpelling = (name: string): string => spellings.get(name) ?? name

/** Mostly as it is; sometimes somebody's thumb was on the space bar. */
function spaced(text: string, random: Random): string {
  if (random.chance(0.9)) return text
  return random.pick([` ${text}`, `${text} `, `  ${text} `])
}
