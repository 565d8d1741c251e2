/** The rows of the state and how they lie in bytes: fields joined by NUL, which no key contains; free text comes last. */

import type { NodeKey } from './contract.ts'
import type { RowCodec } from './table.ts'

/** An entity that takes part. */
export interface NodeRow {
  /** Its class, or '' while it is alone. */
  class: string
  /** It was emitted by itself and not replaced since. */
  emitted: boolean
  /** The minted id that it was last emitted under, by itself or in a class, or '' (see stable.ts). */
  stable: string
  /** What it binds by (see rules.ts). */
  links: readonly string[]
  /** Its id, when that is too long for the key. */
  longId: string
}

/** A set of texts: within the row while small, in rows of their own (buckets) when not. */
export interface SetRow {
  count: number
  /** 0: the members are in `inline`. Otherwise a power of two. */
  buckets: number
  inline: string[]
}

/** Two or more entities that are the same. */
export interface ClassRow {
  members: SetRow
  /** Members that are not of an identity list. */
  visible: number
  /** It was too large when it was composed: its members were emitted one by one. */
  apart: boolean
  /** The id it was last emitted under, or ''. */
  emitted: string
  /** First member at that time. */
  anchor: NodeKey
}

/** Who has a value, by slot (see rules.ts). */
export type PostingRow = SetRow[]

/** An id that was emitted and may be no more. */
export interface OldRow {
  id: string
  /** First member at that time. */
  anchor: NodeKey
  /** It was a class's, so that another id takes its place. */
  isClass: boolean
}

/** An entity that was deleted. */
export interface GoneRow {
  id: string
  /** The minted id that went with it, or ''. */
  stable: string
}

const NUL = '\u0000'

const fieldsOf = (set: SetRow): (string | number)[] => [set.count, set.buckets, ...set.inline]

function readSet(fields: readonly string[], at: number): [set: SetRow, next: number] {
  const count = Number(fields[at])
  const buckets = Number(fields[at + 1])
  const next = at + 2 + (buckets === 0 ? count : 0)
  return [{ count, buckets, inline: fields.slice(at + 2, next) }, next]
}

export const emptySet = (): SetRow => ({ count: 0, buckets: 0, inline: [] })

export const nodeCodec: RowCodec<NodeRow> = {
  encode: (row) => [row.class, row.emitted ? 1 : 0, row.stable, row.links.length, ...row.links, row.longId].join(NUL),
  decode(text) {
    const fields = text.split(NUL)
    const end = 4 + Number(fields[3])
    return {
      class: fields[0] as string,
      emitted: fields[1] === '1',
      stable: fields[2] as string,
      links: fields.slice(4, end),
      longId: fields.length === end + 1 ? (fields[end] as string) : fields.slice(end).join(NUL),
    }
  },
}

export const classCodec: RowCodec<ClassRow> = {
  encode: (row) => [row.visible, row.apart ? 1 : 0, row.anchor, ...fieldsOf(row.members), row.emitted].join(NUL),
  decode(text) {
    const fields = text.split(NUL)
    const [members, next] = readSet(fields, 3)
    return {
      members,
      visible: Number(fields[0]),
      apart: fields[1] === '1',
      anchor: fields[2] as string,
      emitted: fields.slice(next).join(NUL),
    }
  },
}

export const postingCodec: RowCodec<PostingRow> = {
  encode: (row) => row.flatMap(fieldsOf).join(NUL),
  decode(text) {
    const fields = text.split(NUL)
    const row: PostingRow = []
    for (let at = 0; at < fields.length; ) {
      const [set, next] = readSet(fields, at)
      row.push(set)
      at = next
    }
    return row
  },
}

export const bucketCodec: RowCodec<string[]> = {
  encode: (row) => row.join(NUL),
  decode: (text) => text.split(NUL),
}

export const oldCodec: RowCodec<OldRow> = {
  encode: (row) => [row.isClass ? 1 : 0, row.anchor, row.id].join(NUL),
  decode(text) {
    const [isClass, anchor, ...id] = text.split(NUL)
    return { isClass: isClass === '1', anchor: anchor as string, id: id.join(NUL) }
  },
}

export const goneCodec: RowCodec<GoneRow> = {
  encode: (row) => [row.stable, row.id].join(NUL),
  decode(text) {
    const [stable, ...id] = text.split(NUL)
    return { stable: stable as string, id: id.join(NUL) }
  },
}

export const markCodec: RowCodec<true> = { encode: () => '', decode: () => true }
export const textCodec: RowCodec<string> = { encode: (row) => row, decode: (text) => text }
export const countCodec: RowCodec<number> = { encode: String, decode: Number }
