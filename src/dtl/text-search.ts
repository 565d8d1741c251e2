/** Finding a text in another, in time that grows with the lengths of the two alone, whatever they hold. */

/** Where the text is found next, from a place on; -1: nowhere. */
export type Find = (text: string, from: number) => number

/**
 * The engine's own search is the fastest for what people look for. But it compares up to the whole text sought at each
 * place: half a million letters, with another one in their middle, keep it busy for a minute in a million of them. So
 * long ones are looked for as Knuth, Morris and Pratt do.
 */
const LONG = 64

export function finderOf(sought: string): Find {
  if (sought.length <= LONG) return (text, from) => text.indexOf(sought, from)
  const borders = bordersOf(sought)
  return (text, from) => {
    let matched = 0
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at)
      while (matched > 0 && sought.charCodeAt(matched) !== code) matched = borders[matched - 1] as number
      if (sought.charCodeAt(matched) === code) matched++
      if (matched === sought.length) return at - matched + 1
    }
    return -1
  }
}

/** For each beginning of the text, how long the longest shorter beginning is that it ends with. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length)
  let length = 0
  for (let at = 1; at < text.length; at++) {
    while (length > 0 && text.charCodeAt(at) !== text.charCodeAt(length)) length = borders[length - 1] as number
    if (text.charCodeAt(at) === text.charCodeAt(length)) length++
    borders[at] = length
  }
  return borders
}

/** What stands between the places where a text that is not empty is found, as `split` of a string gives it. */
export function splitter(separator: string): (text: string) => string[] {
  if (separator.length <= LONG) return (text) => text.split(separator)
  const find = finderOf(separator)
  return (text) => {
    const parts: string[] = []
    let at = 0
    for (let found = find(text, 0); found >= 0; found = find(text, at)) {
      parts.push(text.slice(at, found))
      at = found + separator.length
    }
    parts.push(text.slice(at))
    return parts
  }
}
