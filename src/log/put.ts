/** Short pieces of text put into bytes: a call into the engine for each would take longer than the loop. */

/** Each gives where the piece ends. */
export function putBytes(to: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) to[at + i] = bytes[i] as number
  return at + bytes.length
}

const ZERO = 0x30
/** Above, integers are no longer the engine's small ones. */
const SMALL = 0x3fffffff

/** A whole number that is not negative, in decimal digits. */
export function putNumber(to: Buffer, at: number, value: number): number {
  if (value > SMALL) return at + to.write(String(value), at, 'latin1')
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits++
  let rest = value
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    to[place] = ZERO + rest - 10 * next
    rest = next
  }
  return at + digits
}

const HEX = Buffer.from('0123456789abcdef')

/** The bytes from `start` to `end` in hexadecimal digits. */
export function putHex(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  let put = at
  for (let i = start; i < end; i++) {
    const byte = from[i] as number
    to[put++] = HEX[byte >> 4] as number
    to[put++] = HEX[byte & 15] as number
  }
  return put
}
