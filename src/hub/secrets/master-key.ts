/** The key that wraps the keys of secrets: of a file, of the environment, or whoever wraps and unwraps for the hub. */

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { HubError } from '../errors.ts'

/** Two functions, so that the key itself may be with somebody else, such as a key management service. */
export interface MasterKey {
  /** Tells it from others; it says nothing about the key. */
  readonly id: string
  wrap(dataKey: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Throws when it was wrapped with another key. */
  unwrap(wrapped: Uint8Array): Uint8Array | Promise<Uint8Array>
}

const CIPHER = 'aes-256-gcm'
const [KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [32, 12, 16]

/** A key whose bytes the hub has. */
export function masterKeyOf(key: Uint8Array): MasterKey {
  return {
    id: createHash('sha256').update('samtale master key').update(key).digest('hex').slice(0, 16),
    wrap(dataKey) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce)
      return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
    },
    unwrap(wrapped) {
      const end = wrapped.length - TAG_BYTES
      const cipher = createDecipheriv(CIPHER, key, wrapped.subarray(0, NONCE_BYTES))
      cipher.setAuthTag(wrapped.subarray(end))
      return Buffer.concat([cipher.update(wrapped.subarray(NONCE_BYTES, end)), cipher.final()])
    },
  }
}

/** 32 bytes as 64 hexadecimal digits or as base64; `from` says in messages where the text stands. */
export function readMasterKey(text: string, from: string): MasterKey {
  const trimmed = text.trim()
  const key = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)
      ? Buffer.from(trimmed, 'base64url')
      : null
  if (key?.length === KEY_BYTES) return masterKeyOf(key)
  throw new HubError('bad-master-key', `The master key of ${from} cannot be read.`, {
    hint: 'It is 32 bytes, as 64 hexadecimal digits or as base64: openssl rand -base64 32.',
  })
}

export function readMasterKeyFile(path: string): MasterKey {
  if (!existsSync(path)) {
    throw new HubError('bad-master-key', `There is no master key at ${path}.`, {
      hint: 'Make one with openssl rand -base64 32, or name the file that holds it.',
    })
  }
  return readMasterKey(readFileSync(path, 'utf8'), path)
}

/** A new key in a file that only its owner may read. */
export function makeMasterKeyFile(path: string): MasterKey {
  const text = randomBytes(KEY_BYTES).toString('base64')
  writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true })
  return readMasterKey(text, path)
}
