/** The texts of the elements of a JSON array, exactly as they stand; the array is known to be well formed. */

export function elementTexts(array: string): string[] {
  const elements: string[] = []
  let depth = 0
  let isString = false
  let from = -1
  for (let at = 0; at < array.length; at++) {
    const char = array[at]
    if (isString) {
      if (char === '\\') at++
      else if (char === '"') isString = false
    } else if (char === '"') isString = true
    else if (char === '[' || char === '{') {
      depth++
      if (depth === 1) from = at + 1
    } else if ((char === ']' || char === '}' || char === ',') && depth === 1) {
      const text = array.slice(from, at).trim()
      if (text !== '') elements.push(text)
      from = at + 1
      if (char !== ',') depth--
    } else if (char === ']' || char === '}') depth--
  }
  return elements
}
