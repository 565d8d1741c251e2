/** Brings the bytes of a CSV file to UTF-8, line by line where it has to say which one is broken. */

import { isUtf8 } from 'node:buffer'
import { PipeError } from '../errors.ts'

export interface Encoding {
  readonly label: string
  /** What is not text in this encoding is an error; otherwise it is replaced by U+FFFD. */
  readonly strict: boolean
  /** A NUL is written as `\x00`; otherwise it is an error. */
  readonly escapesNull: boolean
}

/** Text that goes on to be parsed, in pieces of whole lines. What comes before a broken line is given first. Throws `bad-encoding` and `bad-row`. */
export async function* utf8Bytes(
  chunks: AsyncIterable<Uint8Array>,
  encoding: Encoding,
  what: string,
): AsyncIterable<Buffer> {
  let lines = 0
  for await (const block of wholeLines(encoded(chunks, encoding, what))) {
    const isGood = !block.includes(0) && (!encoding.strict || isUtf8(block))
    if (isGood) {
      yield block
      // Counted only where it may be needed: in blocks checked as a whole.
      lines += newlines(block)
      continue
    }
    for (const line of linesOf(block)) {
      lines++
      if (encoding.strict && !isUtf8(line)) {
        throw new PipeError('bad-encoding', `Line ${lines} of ${what} is not ${encoding.label} text.`, {
          details: { line: lines, encoding: encoding.label },
          hint: 'Set encoding, or decode_error_strategy to "replace".',
        })
      }
      if (!line.includes(0)) yield line
      else if (encoding.escapesNull) yield Buffer.from(line.toString('latin1').replaceAll('\0', '\\x00'), 'latin1')
      else {
        throw new PipeError('bad-row', `Line ${lines} of ${what} holds a NUL byte.`, {
          details: { line: lines },
          hint: 'Is it another encoding, UTF-16 perhaps? escape_null_bytes lets them through.',
        })
      }
    }
  }
}

/** The label a decoder knows an encoding by, or undefined. Names that Python knows are accepted as well. */
export function encodingLabel(name: string): string | undefined {
  const plain = name.trim().toLowerCase().replaceAll('_', '-')
  for (const label of [plain, pythonNames[plain] ?? plain]) {
    try {
      return new TextDecoder(label).encoding
    } catch {
      // Try the next.
    }
  }
  return undefined
}

const pythonNames: Readonly<Record<string, string>> = {
  'utf-8-sig': 'utf-8',
  u8: 'utf-8',
  'latin-1': 'latin1',
  iso8859: 'latin1',
  'utf-16-le': 'utf-16le',
  'utf-16-be': 'utf-16be',
}

/** UTF-8 stays as it is, and is checked later; everything else is decoded and encoded again. */
async function* encoded(
  chunks: AsyncIterable<Uint8Array>,
  { label, strict }: Encoding,
  what: string,
): AsyncIterable<Uint8Array> {
  if (label === 'utf-8') return yield* chunks
  const decoder = new TextDecoder(label, { fatal: strict })
  const decoded = (chunk?: Uint8Array): Buffer => {
    try {
      return Buffer.from(chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true }))
    } catch (cause) {
      throw new PipeError('bad-encoding', `${what} is not ${label} text.`, { details: { encoding: label }, cause })
    }
  }
  for await (const chunk of chunks) yield decoded(chunk)
  yield decoded()
}

/** Cuts at line ends: no character falls on both sides, and nothing is half a row when the stream breaks off. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let rest: Uint8Array[] = []
  for await (const chunk of chunks) {
    const end = Math.max(chunk.lastIndexOf(NEWLINE), chunk.lastIndexOf(RETURN)) + 1
    if (end > 0) {
      yield Buffer.concat([...rest, chunk.subarray(0, end)])
      rest = []
    }
    if (end < chunk.length) rest.push(chunk.subarray(end))
  }
  if (rest.length > 0) yield Buffer.concat(rest)
}

const NEWLINE = 10
const RETURN = 13

function* linesOf(block: Buffer): Iterable<Buffer> {
  for (let start = 0; start < block.length; ) {
    const found = block.indexOf(NEWLINE, start)
    const end = found < 0 ? block.length : found + 1
    yield block.subarray(start, end)
    start = end
  }
}

function newlines(block: Buffer): number {
  let count = 0
  for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) count++
  return count
}
