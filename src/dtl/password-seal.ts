/** Bytes sealed with a password: a salt, then a Fernet token whose key is derived from both (dtl.md §9.8). */

import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { openFernet, readFernet, sealFernet } from './fernet.ts'

const SALT_BYTES = 16
/** About 30 ms: enough to slow down guessing, and paid once for each password and salt. */
const ITERATIONS = 100_000
const KEYS_KEPT = 1_000

const keys = new Map<string, Buffer>()
/** A password is given one salt for as long as the process lives, so that sealing many values derives one key. */
const salts = new Map<string, Buffer>()

export function sealWith(password: string, data: Uint8Array, seconds: bigint): Uint8Array {
  const salt = remembered(salts, password, () => randomBytes(SALT_BYTES))
  // The chance in it is the engine's own: what guards a secret is not left to whoever runs the program.
  const token = sealFernet(keyOf(password, salt), data, seconds, randomBytes(16))
  return Buffer.concat([salt, Buffer.from(token, 'latin1')])
}

/** What was sealed with that password; null for anything else. `spend` hears of each key that has to be derived. */
export function openWith(password: string, sealed: Uint8Array, spend: () => void): Uint8Array | null {
  const token = readFernet(Buffer.from(sealed.subarray(SALT_BYTES)).toString('latin1'))
  return token === null ? null : openFernet(keyOf(password, sealed.subarray(0, SALT_BYTES), spend), token)
}

const keyOf = (password: string, salt: Uint8Array, spend: () => void = () => {}): Buffer =>
  remembered(keys, `${Buffer.from(salt).toString('hex')} ${password}`, () => {
    spend()
    return pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  })

function remembered(known: Map<string, Buffer>, name: string, make: () => Buffer): Buffer {
  let found = known.get(name)
  if (found === undefined) {
    found = make()
    if (known.size >= KEYS_KEPT) known.clear()
    known.set(name, found)
  }
  return found
}
