/**
 * Envelope encryption of one secret: AES-256-GCM under a key of its own, which a master key has wrapped. Where the secret
 * belongs is part of what is authenticated, so that nobody can put one in the place of another.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { MasterKey } from './master-key.ts'

/** As it is stored; the bytes are base64. */
export interface Sealed {
  /** Of the master key that wrapped the data key. */
  readonly master: string
  readonly key: string
  readonly nonce: string
  readonly tag: string
  readonly data: string
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12

export async function sealSecret(master: MasterKey, place: string, value: string): Promise<Sealed> {
  const key = randomBytes(KEY_BYTES)
  const { nonce, tag, data } = encrypted(key, Buffer.from(value, 'utf8'), place)
  const wrapped = await master.wrap(key)
  key.fill(0)
  return { master: master.id, key: base64(wrapped), nonce: base64(nonce), tag: base64(tag), data: base64(data) }
}

/** Throws when the master key is another one, or when a bit was changed. */
export async function openSecret(master: MasterKey, place: string, sealed: Sealed): Promise<string> {
  const key = await master.unwrap(bytes(sealed.key))
  const cipher = createDecipheriv(CIPHER, key, bytes(sealed.nonce)).setAAD(Buffer.from(place, 'utf8'))
  cipher.setAuthTag(bytes(sealed.tag))
  return Buffer.concat([cipher.update(bytes(sealed.data)), cipher.final()]).toString('utf8')
}

/** The same secret under another master key: only its data key is wrapped anew. */
export async function rewrapped(sealed: Sealed, from: MasterKey, to: MasterKey): Promise<Sealed> {
  const key = await from.unwrap(bytes(sealed.key))
  return { ...sealed, master: to.id, key: base64(await to.wrap(key)) }
}

export interface Encrypted {
  readonly nonce: Uint8Array
  readonly tag: Uint8Array
  readonly data: Uint8Array
}

export function encrypted(key: Uint8Array, plain: Uint8Array, place: string): Encrypted {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(place, 'utf8'))
  const data = Buffer.concat([cipher.update(plain), cipher.final()])
  return { nonce, tag: cipher.getAuthTag(), data }
}

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64')
const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
