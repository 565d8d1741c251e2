/** Whether a dataset is whole: what it says of its latest versions, its counts and its indexes must be what its log leads to. */

import type { DatasetView, Version } from '../../src/log/contract.ts'

/** Keys of a body in the index with this expression. */
export type KeysOf = (expression: string, body: string) => readonly Uint8Array[]

/** The latest versions, in `_id` order. Throws with what is torn. `keys` are looked up beside those that are held. */
export function explained(view: DatasetView, keysOf: KeysOf, keys: readonly Uint8Array[] = []): Version[] {
  const folded = new Map<string, { readonly sequence: number; readonly body: string }>()
  let versions = 0
  for (const { id, sequence, body } of view.changes(null)) {
    versions++
    folded.set(id, { sequence, body: Buffer.from(body).toString() })
  }
  const latest = [...view.entities()]
  equal('the latest versions', sequences(latest), sequences(folded.values()))
  equal('what changed last', sequences(view.changes(null, { history: false })), sequences(folded.values()))
  const deleted = latest.filter((one) => one.deleted).length
  const { end: _end, ...counted } = view.counts()
  equal('the counts', counted, { existing: latest.length - deleted, deleted, versions })
  for (const { number, expression, state } of view.document.indexes) {
    if (state !== 'ready') continue
    const holders = new Map<string, Set<string>>(keys.map((key) => [hex(key), new Set()]))
    for (const [id, { body }] of folded) {
      for (const key of keysOf(expression, body)) holders.set(hex(key), (holders.get(hex(key)) ?? new Set()).add(id))
    }
    for (const [key, ids] of holders) {
      const found = view.lookup(number, Buffer.from(key, 'hex'), { deleted: true })
      equal(`the index ${expression}`, [...found].sort(), [...ids].sort())
    }
  }
  return latest
}

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex')

const sequences = (versions: Iterable<{ readonly sequence: number }>): number[] =>
  [...versions].map(({ sequence }) => sequence).sort((a, b) => a - b)

function equal(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)]
  if (one === other) return
  throw new Error(`A dataset is torn: ${what} are ${one.slice(0, 400)} where the log says ${other.slice(0, 400)}.`)
}
