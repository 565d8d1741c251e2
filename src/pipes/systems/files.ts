/** Answers `file:` addresses as if they were requests: an ordinary file is a 200. */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PipeError } from '../errors.ts'

export interface FileAnswer {
  readonly size: number
  readonly body: AsyncIterable<Uint8Array>
}

/** Opens an ordinary file. Throws `system-unreachable` when there is none. */
export async function openFile(url: URL, signal: AbortSignal): Promise<FileAnswer> {
  signal.throwIfAborted()
  const address = url.href
  const path = pathOf(url)
  const found = await stat(path).catch((cause: Error) => {
    throw new PipeError('system-unreachable', `${address} cannot be read: ${reasonOf(cause)}.`, {
      details: { address, path },
      hint: 'A relative file: address starts at the folder of the configuration.',
      cause,
    })
  })
  // A device or a pipe could deliver for ever.
  if (!found.isFile()) {
    throw new PipeError('system-unreachable', `${address} cannot be read: it is not an ordinary file.`, {
      details: { address, path },
    })
  }
  return { size: found.size, body: contentOf(path, address, signal) }
}

async function* contentOf(path: string, address: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const content = createReadStream(path, { signal, highWaterMark: 256 * 1024 })
  try {
    for await (const chunk of content) yield chunk as Uint8Array
  } catch (cause) {
    signal.throwIfAborted()
    throw new PipeError('answer-broken', `Reading ${address} failed: ${reasonOf(cause as Error)}.`, {
      details: { address },
      cause,
    })
  }
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw new PipeError('bad-address', `${url.href} is not a file of this machine.`, {
      details: { address: url.href },
      cause,
    })
  }
}

function reasonOf(cause: Error): string {
  const code = 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  return code === 'EACCES' || code === 'EPERM' ? 'this user may not read it' : cause.message
}
