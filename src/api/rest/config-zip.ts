/** A configuration as a zip file: one JSON object a member (rest-api.md §3.4). What comes in is from anybody. */

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl'
import { ZipFile as ZipWriter } from 'yazl'
import type { Component } from '../../config/files.ts'
import { ApiError } from '../errors.ts'

/** As much as a configuration may be when it comes as JSON. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_MEMBERS = 50_000

interface Member {
  readonly name: string
  readonly text: string
}

export const isZip = (body: Uint8Array): boolean => body[0] === 0x50 && body[1] === 0x4b

/** All `*.conf.json` members, whatever else their names say. Code: bad-zip. */
export async function membersOfZip(body: Uint8Array): Promise<readonly Member[]> {
  try {
    // Names that lead out of a folder are refused by the reader itself, though nothing is ever written under them.
    const zip = await fromBufferPromise(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
    if (zip.entryCount > MOST_MEMBERS) throw badZip(`it has more than ${MOST_MEMBERS} members`)
    return await membersIn(zip)
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw badZip((error as Error).message, error)
  }
}

async function membersIn(zip: ZipFile): Promise<readonly Member[]> {
  const members: Member[] = []
  let bytes = 0
  let count = 0
  for await (const entry of zip.eachEntry()) {
    if (++count > MOST_MEMBERS) throw badZip(`it has more than ${MOST_MEMBERS} members`)
    // What a member says of its size is held to while it is read.
    bytes += entry.uncompressedSize
    if (bytes > MOST_BYTES) throw badZip(`what it holds is larger than ${MOST_BYTES} bytes`)
    assertOrdinary(entry)
    if (isComponent(entry.fileName)) members.push({ name: entry.fileName, text: await textOf(zip, entry) })
  }
  return members
}

/** Other members, such as folders and what some systems add by themselves, hold no components. */
const isComponent = (name: string): boolean => name.endsWith('.conf.json') && !name.startsWith('__MACOSX/')

const [TYPE_MASK, LINK] = [0o170000, 0o120000]

function assertOrdinary(entry: Entry): void {
  const mode = (entry.externalFileAttributes >>> 16) & TYPE_MASK
  if (mode === LINK) throw badZip(`its member '${entry.fileName}' is a symbolic link`)
  if (entry.isEncrypted()) throw badZip(`its member '${entry.fileName}' is encrypted`)
}

async function textOf(zip: ZipFile, entry: Entry): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
  const content = Buffer.concat(chunks)
  if (crc32(content) !== entry.crc32 >>> 0) throw badZip(`its member '${entry.fileName}' is damaged`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    throw badZip(`its member '${entry.fileName}' is not UTF-8 text`, cause)
  }
}

const badZip = (why: string, cause?: unknown): ApiError =>
  new ApiError('bad-zip', `The zip file cannot be taken: ${why.replace(/\.$/, '')}.`, {
    hint: 'Send members such as pipes/<id>.conf.json, each with one component as JSON.',
    ...(cause === undefined ? {} : { cause }),
  })

/** Always the same bytes for the same configuration. */
const MADE_AT = new Date(1980, 0, 1)

export function zipOf(components: readonly Component[]): AsyncIterable<Uint8Array> {
  const zip = new ZipWriter()
  for (const component of components) {
    zip.addBuffer(Buffer.from(component.text, 'utf8'), memberName(component), { mtime: MADE_AT, mode: 0o100644 })
  }
  zip.end()
  return zip.outputStream as unknown as AsyncIterable<Uint8Array>
}

function memberName({ id, type }: Component): string {
  if (type === 'metadata') return 'node-metadata.conf.json'
  return `${type === 'pipe' ? 'pipes' : 'systems'}/${fileName(id)}.conf.json`
}

/** Bytes of a name that every file system takes, with room for the ending. */
const LONGEST_NAME = 200

/** The id itself where a zip file can have it as a name; whoever reads it goes by the `_id` within. */
function fileName(id: string): string {
  const name = id.replaceAll('\\', '%5C').replaceAll('\0', '%00')
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name
  return `${[...name].slice(0, 40).join('')}-${createHash('sha256').update(id).digest('hex')}`
}
