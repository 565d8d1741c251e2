/** Versions in the two forms that others want: the JSON text of rest-api.md, and the parsed entity. */

import { set } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { parseStored } from '../model/json.ts'
import type { Version } from './contract.ts'

/** The entity with all that the hub adds (hub.md §1.2): spliced into the stored text, nothing is parsed. */
export const storedJson = (version: Version): string => `${textOf(version.body).slice(0, -1)}${storedTail(version)}`

/** What the hub adds, in place of the bracket that ends the stored text. ASCII, and below 256 characters. */
export const storedTail = ({ deleted, sequence, previous, ts, hash }: Version): string =>
  `,"_deleted":${deleted},"_updated":${sequence},"_previous":${previous},"_ts":${ts},"_hash":"${hash}"}`

/** The entity with `_deleted`, and with `internal` also `_updated`, `_previous`, `_ts` and `_hash`. The caller may change it. */
export function entityOf(version: Version, { internal }: { readonly internal: boolean }): Entity {
  const entity = parseStored(textOf(version.body), version.form) as Entity
  set(entity, '_deleted', version.deleted)
  if (!internal) return entity
  set(entity, '_updated', version.sequence)
  set(entity, '_previous', version.previous)
  set(entity, '_ts', version.ts)
  set(entity, '_hash', version.hash)
  return entity
}

const textOf = (body: Uint8Array): string => Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
