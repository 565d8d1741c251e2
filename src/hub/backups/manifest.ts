/** What a folder of backups holds: a folder for each tenant, in it one for each backup, in that a manifest and a file. */

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contents } from '../../log/backup/contents.ts'
import type { BackupFile } from '../../log/backup/protocol.ts'
import { HubError } from '../errors.ts'

export interface Manifest {
  readonly format: 1
  readonly id: string
  readonly kind: 'full' | 'incremental'
  /** The backup that an incremental one builds on. */
  readonly parent: string | null
  readonly tenant: string
  /** Whose data it is: what `node.json` says. */
  readonly node: { readonly id: string; readonly base: string }
  /** When it was begun, ISO 8601. */
  readonly time: string
  readonly file: BackupFile
  readonly contents: Contents
}

export const MANIFEST = 'manifest.json'
/** Of a folder that is not whole yet. */
export const PART = '.part'

export const tenantFolder = (repository: string, tenant: string): string => join(repository, tenant)

/** Whole backups of a tenant, oldest first; what is damaged or of another format is left out and named to `skipped`. */
export function readManifests(
  repository: string,
  tenant: string,
  skipped: (id: string, why: string) => void = () => {},
): readonly Manifest[] {
  const folder = tenantFolder(repository, tenant)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return []
  return readdirSync(folder)
    .filter((name) => !name.endsWith(PART) && existsSync(join(folder, name, MANIFEST)))
    .sort()
    .flatMap((name) => {
      try {
        return [readManifest(join(folder, name))]
      } catch (error) {
        skipped(name, (error as Error).message)
        return []
      }
    })
}

export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST)
  let manifest: Partial<Manifest>
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>
  } catch (error) {
    throw badManifest(path, (error as Error).message)
  }
  if (manifest.format !== 1) throw badManifest(path, `it has the format ${manifest.format}, and this version reads 1`)
  return manifest as Manifest
}

/** On disk when it returns. */
export const writeManifest = (folder: string, manifest: Manifest): void =>
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { flush: true })

/** The backup and those it builds on, the full one first. Throws `bad-backup` when one is missing. */
export function chainOf(manifests: readonly Manifest[], id: string): readonly Manifest[] {
  const byId = new Map(manifests.map((one) => [one.id, one]))
  const chain: Manifest[] = []
  for (let next: string | null = id; next !== null; ) {
    const one: Manifest | undefined = byId.get(next)
    if (one === undefined) {
      throw new HubError('bad-backup', `The backup '${next}', on which '${id}' builds, is not there or damaged.`, {
        hint: 'Restore an earlier backup.',
      })
    }
    chain.unshift(one)
    next = one.parent
  }
  return chain
}

const badManifest = (path: string, why: string): HubError =>
  new HubError('bad-backup', `${path} is not the manifest of a backup: ${why}.`, { hint: 'Restore another backup.' })
