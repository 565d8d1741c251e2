/** Entities of a pipe's source that could not be written and wait to be retried: rows in the pipe's state (hub.md §8). */

import type { Snapshot } from '../../log/contract.ts'
import { boundKey } from '../../merge/keys.ts'
import { type Dict, dictOf, entries, get, set } from '../../model/dict.ts'
import { type Entity, idOf, isEntity } from '../../model/entity.ts'
import { encodeEntity } from '../../model/entity-encoder.ts'
import { parseJson, parseStored, writeJson } from '../../model/json.ts'
import { forgetState, type StateChange, type StateChanges, statePrefix } from '../state.ts'

/** One that waits. */
export interface Pending {
  readonly id: string
  /** As its source gave it. */
  readonly entity: Entity
  /** Of its content: another version of it has another one. */
  readonly hash: string
  /** Retries so far, all in vain. */
  readonly attempts: number
}

const rowsOf = (pipe: string): string => `${statePrefix(pipe)}retry\u0000`
const countOf = (pipe: string): Buffer => Buffer.from(`${statePrefix(pipe)}retries`)

/** Only what has an id can be told from others, and found again in a later version. */
export const canWait = (entity: Entity): boolean => isEntity(entity) && idOf(entity) !== ''

export const hashOf = (entity: Entity): string => encodeEntity(entity).hash

export class RetryQueue {
  readonly #pipe: string
  /** Without their content. */
  readonly #known = new Map<string, Omit<Pending, 'entity'>>()
  readonly #changes = new Map<string, Pending | null>()

  constructor(pipe: string, snapshot: Snapshot) {
    this.#pipe = pipe
    for (const [, row] of snapshot.states(Buffer.from(rowsOf(pipe)))) {
      const { id, hash, attempts } = pendingOf(row)
      this.#known.set(id, { id, hash, attempts })
    }
  }

  get size(): number {
    return this.#known.size
  }

  get(id: string): Omit<Pending, 'entity'> | undefined {
    return this.#known.get(id)
  }

  /** Those that wait, with their content; not those that came after it was asked. */
  *all(present: () => Snapshot): Generator<Pending> {
    for (const id of [...this.#known.keys()]) {
      const row = present().state(this.#key(id))
      // It may have been discarded meanwhile.
      if (row !== undefined) yield pendingOf(row)
    }
  }

  /** One that waits, as it is stored. */
  stored(id: string, snapshot: Snapshot): Pending | undefined {
    const row = snapshot.state(this.#key(id))
    return row === undefined ? undefined : pendingOf(row)
  }

  put(pending: Pending): void {
    const { id, hash, attempts } = pending
    this.#known.set(id, { id, hash, attempts })
    this.#changes.set(id, pending)
  }

  remove(id: string): void {
    if (this.#known.delete(id)) this.#changes.set(id, null)
  }

  /** What is new since it was asked last, to be committed. Beside a rescan others wait that this queue does not know. */
  changes(present: Snapshot): StateChanges {
    if (this.#changes.size === 0) return []
    let count = pendingCount(this.#pipe, present)
    for (const [id, pending] of this.#changes) {
      count += Number(pending !== null) - Number(present.state(this.#key(id)) !== undefined)
    }
    const rows = [...this.#changes].map(
      ([id, pending]) => [this.#key(id), pending === null ? null : rowOf(pending)] as const,
    )
    this.#changes.clear()
    return [...rows, countRow(this.#pipe, count)]
  }

  #key(id: string): Buffer {
    return rowKey(this.#pipe, id)
  }
}

/** How many entities of a pipe wait to be retried. */
export function pendingCount(pipe: string, snapshot: Snapshot): number {
  const count = snapshot.state(countOf(pipe))
  return count === undefined ? 0 : Number(Buffer.from(count).toString())
}

/** One entity does not wait any more; nothing where it did not. */
export function retryForgotten(pipe: string, id: string, snapshot: Snapshot): StateChanges {
  const key = rowKey(pipe, id)
  if (snapshot.state(key) === undefined) return []
  return [[key, null], countRow(pipe, pendingCount(pipe, snapshot) - 1)]
}

const rowKey = (pipe: string, id: string): Buffer => Buffer.from(rowsOf(pipe) + boundKey(id))

const countRow = (pipe: string, count: number): StateChange => [
  countOf(pipe),
  count <= 0 ? null : Buffer.from(String(count)),
]

/** Nothing of the pipe waits any more: after a reset, and when it is asked for. */
export async function forgetRetries(
  pipe: string,
  present: () => Snapshot,
  commit: (state: StateChanges) => Promise<unknown>,
): Promise<void> {
  await commit([[countOf(pipe), null]])
  await forgetState(rowsOf(pipe), present, commit)
}

/** A line about it, and its content as the log would store it: no digit is lost. */
function rowOf({ id, hash, attempts, entity }: Pending): Uint8Array {
  const ofHub = entries(entity).filter(([name]) => name.startsWith('_') && name !== '_id')
  const about = writeJson(dictOf({ id, hash, attempts, of_hub: dictOf(ofHub) }))
  return Buffer.from(`${about}\n${encodeEntity(entity).text}`)
}

function pendingOf(row: Uint8Array): Pending {
  const text = Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('utf8')
  const end = text.indexOf('\n')
  const about = parseJson(text.slice(0, end)) as Dict
  const entity = parseStored(text.slice(end + 1)) as Entity
  for (const [name, value] of entries(get(about, 'of_hub') as Dict)) set(entity, name, value)
  return {
    id: get(about, 'id') as string,
    hash: get(about, 'hash') as string,
    attempts: get(about, 'attempts') as number,
    entity,
  }
}
