/** The texts of the elements of a JSON array, exactly as they stand. */

/** Null: it is no array, or not well formed as far as its own brackets and commas go; elements may be anything. */
export function elementsIn(text: string): string[] | null {
  const array = text.replace(/^\ufeff/, '').trim()
  if (!array.startsWith('[') || !array.endsWith(']')) return null
  if (array.slice(1, -1).trim() === '') return []
  const { elements, commas, end } = split(array)
  return end === array.length - 1 && elements.length === commas + 1 ? elements : null
}

/** Of an array that is known to be well formed. */
export const elementTexts = (array: string): string[] => split(array).elements

function split(array: string) {
  const elements: string[] = []
  let commas = 0
  let end = -1
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
      if (char === ',') commas++
      else {
        depth--
        end = at
        break
      }
    } else if (char === ']' || char === '}') depth--
  }
  return { elements, commas, end }
}
