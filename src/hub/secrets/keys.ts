/** Which master key a hub has: one that it was given, or else one of its own beside its data, made with the first secret. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HubError } from '../errors.ts'
import { type MasterKey, makeMasterKeyFile, readMasterKeyFile } from './master-key.ts'

export interface MasterKeys {
  /** For what is sealed from now on. */
  forSealing(): MasterKey
  /** Null: it is not here. */
  find(id: string): MasterKey | null
}

/** A key that somebody keeps elsewhere. */
export const givenKey = (key: MasterKey): MasterKeys => ({
  forSealing: () => key,
  find: (id) => (key.id === id ? key : null),
})

/** Beside the data, never in it: backups hold tenants, and this file is of none. */
export const ownKeyFile = (data: string): string => join(data, 'master.key')

/** The key that is to take its place, while secrets are wrapped with it. */
export const nextKeyFile = (data: string): string => `${ownKeyFile(data)}.next`

export function ownKey(data: string): MasterKeys {
  const read = (path: string): readonly MasterKey[] => (existsSync(path) ? [readMasterKeyFile(path)] : [])
  let known: MasterKey | null = null
  return {
    forSealing() {
      known ??= read(ownKeyFile(data))[0] ?? makeMasterKeyFile(ownKeyFile(data))
      return known
    },
    find(id) {
      // A rotation may have been interrupted.
      return [...read(ownKeyFile(data)), ...read(nextKeyFile(data))].find((key) => key.id === id) ?? null
    },
  }
}

/** Says what to do when secrets are there and the key that they were sealed with is not. */
export const missingKey = (ids: readonly string[], count: number): HubError =>
  new HubError(
    'no-master-key',
    `${count === 1 ? 'A secret is' : `${count} secrets are`} sealed with the master key ${ids.join(', ')}, which this hub does not have.`,
    {
      hint: 'Give it with --master-key-file or SAMTALE_MASTER_KEY, or put it back as master.key into the data folder; otherwise set these secrets again.',
      details: { masterKeys: ids, secrets: count },
    },
  )
