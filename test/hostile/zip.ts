/** Zip files as no honest program writes them: names, sizes and places are what they are told to be. */

import { crc32, deflateRawSync } from 'node:zlib'

export interface Lie {
  readonly name: string
  readonly content: Uint8Array | string
  /** What is said of its size. */
  readonly size?: number
  readonly crc?: number
  /** Unix mode, such as that of a link. */
  readonly mode?: number
  readonly flags?: number
  /** Where its content is said to be: that of another member. */
  readonly at?: number
}

interface Packed {
  readonly content: Buffer
  readonly packed: Buffer
  readonly sum: number
}

/** The same content is packed once, however many members have it. */
const known = new Map<Uint8Array | string, Packed>()

function packedOf(given: Uint8Array | string): Packed {
  const before = known.get(given)
  if (before !== undefined) return before
  const content = Buffer.from(given as string)
  const packed = { content, packed: deflateRawSync(content), sum: crc32(content) }
  known.set(given, packed)
  return packed
}

export function zipOf(members: readonly Lie[], { count = members.length } = {}): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const member of members) {
    const { content, packed, sum } = packedOf(member.content)
    const name = Buffer.from(member.name, 'latin1')
    const { size = content.length, crc = sum, flags = 0 } = member
    const shared = Buffer.alloc(26)
    shared.writeUInt16LE(20, 0)
    shared.writeUInt16LE(flags, 2)
    shared.writeUInt16LE(8, 4)
    shared.writeUInt32LE(crc >>> 0, 10)
    shared.writeUInt32LE(packed.length, 14)
    shared.writeUInt32LE(size, 18)
    shared.writeUInt16LE(name.length, 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(((member.mode ?? 0o100644) << 16) >>> 0, 6)
    rest.writeUInt32LE(member.at ?? at, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), shared, rest, name)
    if (member.at !== undefined) continue
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), shared, name, packed)
    at += 4 + shared.length + name.length + packed.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count & 0xffff, 8)
  end.writeUInt16LE(count & 0xffff, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(at, 16)
  return Uint8Array.from(Buffer.concat([...parts, central, end]))
}
