/** Text as one part of an IRI: percent-encoded down to the unreserved characters of RFC 3986, and back. */

const UNRESERVED = /^[A-Za-z0-9\-._~]*$/
const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const ENCODED_HALF = /%ED%[AB]/

/** No two texts are encoded alike: half a surrogate pair, which UTF-8 cannot say, becomes the three bytes it would have. */
export function encode(text: string): string {
  if (UNRESERVED.test(text)) return text
  if (!HALF.test(text)) return encodePart(text)
  let encoded = ''
  for (const character of text) encoded += HALF.test(character) ? encodeHalf(character) : encodePart(character)
  return encoded
}

/** The text that {@link encode} makes this of, or null when there is none. */
export function decode(encoded: string): string | null {
  if (UNRESERVED.test(encoded)) return encoded
  try {
    const text = ENCODED_HALF.test(encoded) ? decodeHalves(encoded) : decodeURIComponent(encoded)
    // Other spellings of the same bytes, such as %2f or a reserved character as it is, are other IRIs.
    return encode(text) === encoded ? text : null
  } catch {
    return null
  }
}

const encodePart = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, encodeByte)

const encodeByte = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`

function encodeHalf(half: string): string {
  const code = half.charCodeAt(0)
  return [0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
    .map((byte) => `%${byte.toString(16).toUpperCase()}`)
    .join('')
}

function decodeHalves(encoded: string): string {
  return encoded
    .split(/(%ED%[AB][0-9A-F]%[89AB][0-9A-F])/)
    .map((part, place) => (place % 2 === 0 ? decodeURIComponent(part) : decodeHalf(part)))
    .join('')
}

function decodeHalf(part: string): string {
  const [second, third] = [Number.parseInt(part.slice(4, 6), 16), Number.parseInt(part.slice(7, 9), 16)]
  return String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f))
}
