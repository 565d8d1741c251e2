/** Compares a dataset of the log with the plain one. */

import { hash } from 'node:crypto'
import { expect } from 'vitest'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { encode, IDS, KEYS, long, type ModelDataset, type ModelVersion, type Property } from './plain-log.ts'

/** Asks the dataset everything that can be asked, and compares. */
export function compareDataset(view: DatasetView, { end, versions, latest, indexes }: ModelDataset): void {
  const live = [...latest.values()].filter(({ _deleted }) => !_deleted).length
  expect(view.counts()).toEqual({ end, existing: live, deleted: latest.size - live, versions: versions.length })
  const newest = versions.filter((one) => latest.get(one._id) === one)
  for (const since of [null, 0, Math.floor(end / 2), end]) {
    const isAfter = ({ sequence }: ModelVersion) => since === null || sequence > since
    const isBefore = ({ sequence }: ModelVersion) => since === null || sequence < since
    expectVersions(view.changes(since), versions.filter(isAfter))
    expectVersions(view.changes(since, { history: false }), newest.filter(isAfter))
    expectVersions(view.changes(since, { limit: 3 }), versions.filter(isAfter).slice(0, 3))
    expectVersions(view.changes(since, { reverse: true }), versions.filter(isBefore).reverse())
    expectVersions(
      view.changes(since, { reverse: true, history: false, limit: 2 }),
      newest.filter(isBefore).reverse().slice(0, 2),
    )
  }
  const inOrder = [...latest.values()].sort((a, b) => inIdOrder(a._id, b._id))
  expectVersions(view.entities(), inOrder)
  expectVersions(
    view.entities({ deleted: false }),
    inOrder.filter(({ _deleted }) => !_deleted),
  )
  for (const id of IDS) {
    const known = latest.get(id)
    expectVersions(
      view.entities({ after: id }),
      inOrder.filter(({ _id }) => inIdOrder(_id, id) > 0),
    )
    if (known === undefined) {
      expect(view.latest(id)).toBeUndefined()
      expect(view.head(id)).toBeUndefined()
    } else {
      expectVersions([view.latest(id) as Version], [known])
      expect(view.head(id)).toEqual({ sequence: known.sequence, hash: known.hash, deleted: known._deleted })
    }
  }
  const bySequence = new Map(versions.map((one) => [one.sequence, one]))
  for (let sequence = 0; sequence <= end; sequence++) {
    const known = bySequence.get(sequence)
    if (known === undefined) expect(view.version(sequence)).toBeUndefined()
    else expectVersions([view.version(sequence) as Version], [known])
  }
  expect(new Set(view.document.indexes.map(({ expression }) => expression))).toEqual(indexes)
  for (const { number, expression, state } of view.document.indexes) {
    expect(state).toBe('ready')
    for (const key of KEYS) {
      const holders = [...latest.values()].filter((one) => one[expression as Property].includes(key))
      const ids = (those: readonly ModelVersion[]) => those.map(({ _id }) => _id).sort(compareText)
      expect(view.lookup(number, Buffer.from(key))).toEqual(ids(holders.filter(({ _deleted }) => !_deleted)))
      expect(view.lookup(number, Buffer.from(key), { deleted: true })).toEqual(ids(holders))
    }
  }
}

/** Code points; ids of more than 512 bytes after shorter ones that begin with the same 256 (keys.ts). Here two differ only by hash. */
function inIdOrder(a: string, b: string): number {
  const [one, other] = [a, b].map((id) => id.startsWith(long)) as [boolean, boolean]
  if (one !== other || !one) return compareText(a, b)
  return LONG_ORDER.indexOf(a) - LONG_ORDER.indexOf(b)
}
const LONG_ORDER = [`${long}1`, `${long}2`].sort((a, b) => compareText(hash('md5', a), hash('md5', b)))

/** The order of code points, halves of surrogate pairs included. */
function compareText(a: string, b: string): number {
  const [ones, others] = [a, b].map((text) => Array.from(text, (one) => one.codePointAt(0) as number))
  for (const [i, one] of (ones ?? []).entries()) {
    const other = others?.[i]
    if (other !== one) return other === undefined || one > other ? 1 : -1
  }
  return a.length - b.length
}

function expectVersions(found: Iterable<Version>, expected: readonly ModelVersion[]): void {
  expect([...found].map((one) => plain(one))).toEqual(
    expected.map(({ sequence, previous, hash, ...json }) => ({
      id: json._id,
      sequence,
      previous,
      deleted: json._deleted,
      hash,
      body: encode(json as ModelVersion).text,
    })),
  )
}

const plain = ({ id, sequence, previous, deleted, hash, body }: Version) => ({
  id,
  sequence,
  previous,
  deleted,
  hash,
  body: Buffer.from(body).toString(),
})
