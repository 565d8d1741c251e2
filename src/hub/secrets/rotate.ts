/** Another master key for all secrets of a data folder: their data keys are wrapped anew, in one commit for each tenant. */

import { existsSync, renameSync } from 'node:fs'
import type { Journal, Snapshot } from '../../log/contract.ts'
import { documentOf, SECRETS, storedSecrets } from './document.ts'
import { missingKey, nextKeyFile, ownKeyFile } from './keys.ts'
import { type MasterKey, makeMasterKeyFile, readMasterKeyFile } from './master-key.ts'
import { rewrapped } from './seal.ts'

/** What is sealed with the new key already was done by a rotation that was interrupted. Gives how many were wrapped anew. */
export async function rotateTenant(
  snapshot: Snapshot,
  journal: Journal,
  from: readonly MasterKey[],
  to: MasterKey,
): Promise<number> {
  const secrets = storedSecrets(snapshot)
  const old = secrets.filter(({ sealed }) => sealed.master !== to.id)
  const keyOf = (id: string) => from.find((key) => key.id === id)
  const missing = old.filter(({ sealed }) => keyOf(sealed.master) === undefined)
  if (missing.length > 0) throw missingKey([...new Set(missing.map((one) => one.sealed.master))], missing.length)
  const all = await Promise.all(
    secrets.map(async (one) => {
      const key = keyOf(one.sealed.master)
      return one.sealed.master === to.id || key === undefined
        ? one
        : { ...one, sealed: await rewrapped(one.sealed, key, to) }
    }),
  )
  if (old.length > 0) await journal.commit({ meta: [[SECRETS, documentOf(all)]], durable: true })
  return old.length
}

/** The hub's own new key waits beside the one it will replace until all tenants are done, whatever happens meanwhile. */
export function nextOwnKey(data: string): { readonly key: MasterKey; finish(): void } {
  const [path, next] = [ownKeyFile(data), nextKeyFile(data)]
  const key = existsSync(next) ? readMasterKeyFile(next) : makeMasterKeyFile(next)
  return { key, finish: () => renameSync(next, path) }
}
