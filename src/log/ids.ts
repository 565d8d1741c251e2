/** Entity ids as bytes: UTF-8, and where JavaScript's text holds half a surrogate pair, that half alone in three bytes. */

/** Byte order is the order of code points. */
export function encodeId(id: string): Buffer {
  return isWellFormed(id) ? Buffer.from(id, 'utf8') : encodeHalves(id)
}

export function decodeId(bytes: Buffer, start = 0, end = bytes.length): string {
  // Ids are short and mostly ASCII: building them here is quicker than a call into the engine.
  if (end - start <= 24) {
    let text = ''
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number
      if (byte >= 0x80) return decodeOther(bytes, start, end)
      text += String.fromCharCode(byte)
    }
    return text
  }
  return decodeOther(bytes, start, end)
}

/** ES2024, in Node from 20 on; not in the compiler's library of the version we target. */
export const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed()

function encodeHalves(id: string): Buffer {
  const parts: Buffer[] = []
  for (const character of id) {
    const code = character.codePointAt(0) as number
    const isHalf = code >= 0xd800 && code <= 0xdfff
    parts.push(isHalf ? Buffer.from([0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

function decodeOther(bytes: Buffer, start: number, end: number): string {
  for (let i = start; i + 2 < end; i++) {
    // In UTF-8 a byte below A0 follows ED.
    if (bytes[i] === 0xed && (bytes[i + 1] as number) >= 0xa0) return decodeHalves(bytes, start, end)
  }
  return bytes.toString('utf8', start, end)
}

function decodeHalves(bytes: Buffer, start: number, end: number): string {
  let text = ''
  let from = start
  for (let i = start; i + 2 < end; i++) {
    if (bytes[i] !== 0xed || (bytes[i + 1] as number) < 0xa0) continue
    text += bytes.toString('utf8', from, i)
    text += String.fromCharCode(0xd000 | (((bytes[i + 1] as number) & 0x3f) << 6) | ((bytes[i + 2] as number) & 0x3f))
    from = i + 3
    i += 2
  }
  return text + bytes.toString('utf8', from, end)
}
