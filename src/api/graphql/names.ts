/** Names of the hub as names of GraphQL: legal, readable, and never two things under one name. */

import { createHash } from 'node:crypto'

/** Letters that do not fall apart into a plain letter and a mark. */
const PLAIN: Readonly<Record<string, string>> = {
  æ: 'ae',
  Æ: 'Ae',
  ø: 'o',
  Ø: 'O',
  œ: 'oe',
  Œ: 'Oe',
  ß: 'ss',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  ł: 'l',
  Ł: 'L',
  þ: 'th',
  Þ: 'Th',
}

/**
 * `global-person` → `globalPerson`, `first_name` → `first_name`, `$ids` → `_ids`. Anything but letters, digits and `_`
 * separates words. A leading `_` is kept for what the hub adds (`_id`) and what stands for a leading `$`.
 */
export function graphqlName(text: string): string {
  const latin = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\0-~]/g, (letter) => PLAIN[letter] ?? ' ')
  const [first = '', ...rest] = latin.split(/[^A-Za-z0-9_]+/).filter((word) => /[A-Za-z0-9]/.test(word))
  const joined = [first.replace(/^_+/, ''), ...rest.map(upperFirst)].join('')
  if (joined === '') return `x${shortHash(text)}`
  const name = /^[0-9]/.test(joined) ? `n${joined}` : joined
  return text.startsWith('$') ? `_${name}` : name
}

export const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/**
 * A name for each source. A source may claim several names at once (a dataset has a field, a list field and types); one
 * whose claim is reserved or contested gets eight digits of a hash of its own name behind it. So a name depends on which
 * sources there are, never on their order.
 */
export function claimNames(
  sources: readonly string[],
  propose: (source: string) => string,
  claims: (name: string) => readonly string[] = (name) => [name],
  reserved: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, string> {
  const claimants = new Map<string, number>()
  for (const source of sources) {
    for (const claim of new Set(claims(propose(source)))) claimants.set(claim, (claimants.get(claim) ?? 0) + 1)
  }
  const isContested = (claim: string): boolean => reserved.has(claim) || (claimants.get(claim) ?? 0) > 1
  return new Map(
    sources.map((source) => {
      const name = propose(source)
      return [source, claims(name).some(isContested) ? `${name}_${shortHash(source)}` : name]
    }),
  )
}

const shortHash = (text: string): string => createHash('md5').update(text).digest('hex').slice(0, 8)
