/** Which texts are IRIs, what becomes of those that are not, and the IRIs of nested dicts. */

/** RFC 3987's `ucschar`: planes 1 to 14, of which the last begins late, without their two noncharacters. */
const PLANES = Array.from({ length: 14 }, (_, before) => {
  const plane = (before + 1).toString(16)
  return `\\u{${plane}${plane === 'e' ? '1' : '0'}000}-\\u{${plane}fffd}`
})
const UNICODE = `\\u00A0-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFEF${PLANES.join('')}`
const UNRESERVED = `A-Za-z0-9._~!$&'()*+,;=${UNICODE}\\-`
const ESCAPE = '%[0-9A-Fa-f]{2}'
const AUTHORITY = `(?:(?:[${UNRESERVED}:]|${ESCAPE})*@)?(?:\\[[0-9A-Fa-f:.]+\\]|(?:[${UNRESERVED}]|${ESCAPE})*)(?::\\d*)?`
const IRI = new RegExp(
  `^[A-Za-z][A-Za-z0-9+.-]*:(?:\\/\\/${AUTHORITY}(?=[/?#]|$)|(?!\\/\\/))` +
    `(?:[${UNRESERVED}:@/]|${ESCAPE})*(?:\\?(?:[${UNRESERVED}:@/?]|${ESCAPE})*)?(?:#(?:[${UNRESERVED}:@/?]|${ESCAPE})*)?$`,
  'u',
)
/** The plain case, answered without the long tables above. */
const PLAIN = /^https?:\/\/[a-z0-9.-]+(?::\d+)?(?:[/#][A-Za-z0-9._~:@/-]*)?$/

/** An absolute IRI of RFC 3987 that every RDF reader and writer accepts. Private use characters are not among them. */
export const isIri = (text: string): boolean =>
  PLAIN.test(text) || (IRI.test(text) && (!text.includes('[') || URL.canParse(text)))

/**
 * An IRI that may come from a registered prefix nobody checked: what an IRI cannot hold is percent-encoded; a text
 * without a scheme becomes a URN of its own, so that one bad prefix does not make a whole export unreadable.
 */
export function repairedIri(text: string): string {
  if (isIri(text)) return text
  const encoded = encodeURI(text.toWellFormed()).replace(/%25(?=[0-9A-Fa-f]{2})/g, '%')
  return isIri(encoded) ? encoded : `urn:x-samtale:${encode(text)}`
}

/**
 * The IRI of a dict within an entity: below the entity's, by the property it hangs on and its place there.
 * The property is percent-encoded, so no two paths give one IRI; an entity IRI with a fragment goes on in it.
 */
export const childIri = (parent: string, property: string, place: number): string =>
  `${childPrefix(parent, property)}${place}`

const childPrefix = (parent: string, property: string): string =>
  `${parent}${parent.includes('#') ? '/' : '#/'}${encode(property)}/`

const PLACE = /^(?:0|[1-9]\d*)$/

export const isChildIri = (iri: string, parent: string, property: string): boolean => {
  if (!iri.startsWith(parent)) return false
  const prefix = childPrefix(parent, property)
  return iri.startsWith(prefix) && PLACE.test(iri.slice(prefix.length))
}

/** Percent-encoded down to RFC 3986's unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
