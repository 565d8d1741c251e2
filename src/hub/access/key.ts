/** The key by which a node signs and checks its own tokens: made at first start, or given. */

import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HubError } from '../errors.ts'

export interface NodeKey {
  readonly secret: Uint8Array
  /** Names it in the head of a token; says nothing of it. */
  readonly id: string
}

/** Of HS256: a shorter key is weaker than the hash. */
const LEAST_BYTES = 32
const FILE = 'jwt.key'

/** `given`: the text of a key. Code: bad-key. */
export function openKey(folder: string, given: string | null): NodeKey {
  return keyOf(given ?? storedKey(join(folder, FILE)))
}

function keyOf(text: string): NodeKey {
  const secret = new TextEncoder().encode(text.trim())
  if (secret.length < LEAST_BYTES) {
    throw new HubError('bad-key', `The key of tokens has ${secret.length} bytes; it needs ${LEAST_BYTES} at least.`, {
      hint: 'Make one with: openssl rand -base64 48',
    })
  }
  const id = createHash('sha256').update('samtale key id ').update(secret).digest('base64url').slice(0, 12)
  return { secret, id }
}

function storedKey(path: string): string {
  if (!existsSync(path)) makeKey(path)
  // Somebody copied it about: others could read it, and be anybody.
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  return readFileSync(path, 'utf8')
}

/** Two that begin at once agree on one: a link is made for the first only. */
function makeKey(path: string): void {
  const part = `${path}.${process.pid}.part`
  writeFileSync(part, `${randomBytes(48).toString('base64url')}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(part, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(part, { force: true })
  }
}
