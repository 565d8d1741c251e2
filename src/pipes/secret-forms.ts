/** The texts in which a secret may show itself: as it is, and in the encodings in which it travels. */

/** A piece of base64 that is shorter than this says little, and stands in many texts by chance. */
const LEAST_BASE64 = 6

export function* formsOf(secret: string): Iterable<string> {
  yield secret
  const json = JSON.stringify(secret).slice(1, -1)
  yield json
  yield json.replaceAll('/', '\\/')
  yield asciiJson(json)
  // Messages within messages are escaped once more.
  yield JSON.stringify(json).slice(1, -1)
  yield* percentForms(secret)
  yield secret.replace(/[&<>"']/g, (char) => ENTITIES[char] as string)
  const bytes = Buffer.from(secret, 'utf8')
  const hex = bytes.toString('hex')
  yield hex
  yield hex.toUpperCase()
  yield* base64Forms(bytes)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const asciiJson = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Different writers leave different characters as they are, and write hexadecimal digits large or small. */
function* percentForms(secret: string): Iterable<string> {
  if (!secret.isWellFormed()) return
  const strict = encodeURIComponent(secret).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  const form = new URLSearchParams([['', secret]]).toString().slice(1)
  for (const text of [encodeURIComponent(secret), strict, encodeURI(secret), form]) {
    yield text
    yield text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  }
  // In the user part of an address.
  const address = new URL('http://host')
  address.password = secret
  yield address.password
}

/** Within a longer text, such as `user:password`, it may begin at each of three places of the encoding. */
function* base64Forms(bytes: Buffer): Iterable<string> {
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const whole = Math.floor(((before + bytes.length) * 8) / 6)
    // The first and last characters hold bits of what stands beside it.
    const inner = encoded.slice(Math.ceil((before * 8) / 6), whole)
    if (inner.length < LEAST_BASE64) continue
    yield inner
    yield inner.replaceAll('+', '-').replaceAll('/', '_')
  }
}
