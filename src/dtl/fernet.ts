/** Fernet: AES-128-CBC with an HMAC-SHA256, in a token that says when it was made (github.com/fernet/spec). */

import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'

/** Version, time, vector; then blocks of 16 bytes; then the code. */
const VERSION = 0x80
const [TIME_AT, VECTOR_AT, BLOCKS_AT, CODE_BYTES] = [1, 9, 25, 32]

/** A token, as base64 for URLs. `key` has 32 bytes: the first half signs, the second one encrypts. */
export function sealFernet(key: Uint8Array, data: Uint8Array, seconds: bigint, vector: Uint8Array): string {
  const head = Buffer.alloc(BLOCKS_AT)
  head[0] = VERSION
  head.writeBigUInt64BE(seconds, TIME_AT)
  head.set(vector, VECTOR_AT)
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), vector)
  const signed = Buffer.concat([head, cipher.update(data), cipher.final()])
  const token = Buffer.concat([signed, codeOf(key, signed)])
  return token.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

/** The bytes of a token before it is known whether they are what they say; null when they cannot be. */
export function readFernet(token: string): Buffer | null {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(token)) return null
  const bytes = Buffer.from(token, 'base64url')
  const blocks = bytes.length - BLOCKS_AT - CODE_BYTES
  return bytes[0] === VERSION && blocks > 0 && blocks % 16 === 0 ? bytes : null
}

/** What was sealed; null with another key, or when a bit was changed. */
export function openFernet(key: Uint8Array, bytes: Buffer): Buffer | null {
  const signed = bytes.subarray(0, -CODE_BYTES)
  if (!timingSafeEqual(codeOf(key, signed), bytes.subarray(-CODE_BYTES))) return null
  try {
    const cipher = createDecipheriv('aes-128-cbc', key.subarray(16), signed.subarray(VECTOR_AT, BLOCKS_AT))
    return Buffer.concat([cipher.update(signed.subarray(BLOCKS_AT)), cipher.final()])
  } catch {
    return null
  }
}

const codeOf = (key: Uint8Array, signed: Uint8Array): Buffer =>
  createHmac('sha256', key.subarray(0, 16)).update(signed).digest()
