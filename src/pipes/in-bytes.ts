/** Text in small pieces as bytes in larger ones: each has memory of its own, so that it can be given to another thread. */

/** Characters gathered before they are handed on: each chunk costs its way through the threads and to the reader. */
const CHUNK = 128 * 1024

export async function* inBytes(
  texts: AsyncIterable<string>,
  encoding: 'utf8' | 'latin1' = 'utf8',
): AsyncGenerator<Uint8Array> {
  let gathered = ''
  for await (const text of texts) {
    gathered += text
    if (gathered.length < CHUNK) continue
    yield encoded(gathered, encoding)
    gathered = ''
  }
  if (gathered !== '') yield encoded(gathered, encoding)
}

function encoded(text: string, encoding: 'utf8' | 'latin1'): Uint8Array {
  if (encoding === 'utf8') return new TextEncoder().encode(text)
  const bytes = Buffer.allocUnsafeSlow(text.length)
  bytes.write(text, 'latin1')
  return bytes
}
