/** The members of a JSON object as texts, each exactly as it stands; the object is known to be well formed. */

export interface Member {
  readonly name: string
  /** Of its value. */
  readonly text: string
  /** Where the value begins in the text of the object. */
  readonly at: number
}

export function membersOf(object: string): readonly Member[] {
  const members: Member[] = []
  let at = object.indexOf('{') + 1
  for (;;) {
    at = pastSpace(object, at)
    if (object[at] === '}' || at >= object.length) return members
    if (object[at] === ',') at = pastSpace(object, at + 1)
    const nameEnd = pastString(object, at)
    const name = JSON.parse(object.slice(at, nameEnd)) as string
    const from = pastSpace(object, pastSpace(object, nameEnd) + 1)
    const to = pastValue(object, from)
    members.push({ name, text: object.slice(from, to), at: from })
    at = to
  }
}

/** The members of both, those of the second over those of the first, in the order in which they came. */
export function mergedMembers(first: string, second: string): string {
  return objectOf([...texts(first), ...texts(second)])
}

/** Null: there is no such member. */
export function withoutMember(object: string, name: string): string | null {
  const members = texts(object)
  const rest = members.filter(([one]) => one !== name)
  return rest.length === members.length ? null : objectOf(rest)
}

/** The same text with one more member at its end, or with another value of the one that is there. */
export function withMember(object: string, name: string, text: string): string {
  const members = membersOf(object)
  // Of equal names the last one counts.
  const known = members.findLast((one) => one.name === name)
  if (known !== undefined) return object.slice(0, known.at) + text + object.slice(known.at + known.text.length)
  const end = object.lastIndexOf('}')
  const lead = members.length === 0 ? '' : ','
  return `${object.slice(0, end).trimEnd()}${lead}${JSON.stringify(name)}:${text}${object.slice(end)}`
}

const texts = (object: string): readonly (readonly [string, string])[] =>
  membersOf(object).map(({ name, text }) => [name, text] as const)

function objectOf(members: readonly (readonly [string, string])[]): string {
  const unique = [...new Map(members)]
  return `{${unique.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

function pastSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 32) at++
  return at
}

function pastString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

function pastValue(text: string, from: number): number {
  if (text[from] === '"') return pastString(text, from)
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = pastString(text, at) - 1
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') {
      if (depth === 0) return trimmedEnd(text, at)
      depth--
      if (depth === 0) return at + 1
    } else if (char === ',' && depth === 0) return trimmedEnd(text, at)
  }
  return text.length
}

/** A number or a word ends where the space behind it begins. */
function trimmedEnd(text: string, end: number): number {
  let at = end
  while (at > 0 && text.charCodeAt(at - 1) <= 32) at--
  return at
}
