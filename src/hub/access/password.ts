/** Passwords of local accounts: stored as scrypt, compared in constant time, a few at once. */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { HubError } from '../errors.ts'

/** 32 MB and about a tenth of a second for each. */
const COST = { N: 2 ** 15, r: 8, p: 1 }
const KEY_BYTES = 32
const MAX_MEMORY = 64 * 1024 * 1024
/** Each takes a thread and its memory: whoever tries many waits. */
const AT_ONCE = 2
const MIN_LENGTH = 10
const MAX_LENGTH = 1_024

/** `scrypt$N$r$p$salt$key`. Code: bad-password. */
export async function hashOf(password: string): Promise<string> {
  const text = password.normalize('NFKC')
  if (text.length < MIN_LENGTH || text.length > MAX_LENGTH) {
    throw new HubError('bad-password', `A password has ${MIN_LENGTH} to ${MAX_LENGTH} characters.`)
  }
  const salt = randomBytes(16)
  const key = await derive(text, salt, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Without a stored one it takes as long: nobody learns from it who has an account. */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const text = password.normalize('NFKC')
  const [, n, r, p, salt = '', key = ''] = (stored ?? NOBODY).split('$')
  // What nobody can have set need not be tried, but takes as long all the same.
  const tried = text.length > MAX_LENGTH ? '' : text
  const made = await derive(tried, Buffer.from(salt, 'base64url'), { N: Number(n), r: Number(r), p: Number(p) })
  const expected = Buffer.from(key, 'base64url')
  return made.length === expected.length && timingSafeEqual(made, expected) && stored !== null && tried === text
}

const NOBODY = [
  'scrypt',
  COST.N,
  COST.r,
  COST.p,
  randomBytes(16).toString('base64url'),
  randomBytes(KEY_BYTES).toString('base64url'),
].join('$')

let running = 0
const waiting: (() => void)[] = []

async function derive(text: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go))
  running++
  try {
    return await new Promise((resolve, reject) =>
      scrypt(text, salt, KEY_BYTES, { ...cost, maxmem: MAX_MEMORY }, (error, key) =>
        error === null ? resolve(key) : reject(error),
      ),
    )
  } finally {
    running--
    waiting.shift()?.()
  }
}
