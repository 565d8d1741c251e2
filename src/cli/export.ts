/** `samtale export [FILE]`: a dataset, or all of a tenant, as RDF. */

import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { datasetExport } from '../hub/exchange.ts'
import { findFormat, formatOf } from '../rdf/formats.ts'
import { prefixesOf } from '../rdf/prefixes.ts'
import { writeRdf } from '../rdf/write.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { withTenant } from './open-data.ts'

export const exportRdf: Command = async ({ given, terminal }) => {
  const [file] = given.positionals
  const named = given.text('format')
  const format =
    named === undefined
      ? file === undefined
        ? formatOf('trig')
        : (findFormat(file) ?? formatOf('trig'))
      : formatOf(named)
  if (!format.isWritten) throw new UsageError(`${format.label} can be read, but not written.`)
  return withTenant(given, terminal, { mustExist: true }, async (tenant) => {
    const dataset = given.text('dataset') ?? null
    if (dataset !== null && tenant.dataset(dataset) === undefined)
      throw new UsageError(`there is no dataset '${dataset}'.`)
    const texts = writeRdf(format.name, datasetExport(tenant, dataset), prefixesOf(tenant.naming()))
    let characters = 0
    const counted = Readable.from(
      counting(texts, (length) => {
        characters += length
        terminal.status(`exported ${(characters / 1e6).toFixed(1)} MB`)
      }),
    )
    if (file === undefined) await toStandardOutput(counted)
    else await toFile(counted, file)
    terminal.clear()
    if (file !== undefined) terminal.note(`Wrote ${(characters / 1e6).toFixed(1)} MB of ${format.label} to ${file}.`)
    return 0
  })
}

async function* counting(texts: AsyncIterable<string>, count: (length: number) => void): AsyncIterable<string> {
  for await (const text of texts) {
    count(text.length)
    yield text
  }
}

async function toStandardOutput(texts: Readable): Promise<void> {
  try {
    await pipeline(texts, process.stdout, { end: false })
  } catch (error) {
    // Whoever read it has had enough: `samtale export | head` is no failure.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

/** Under another name until it is whole. */
async function toFile(texts: Readable, file: string): Promise<void> {
  const part = `${file}.part`
  try {
    await pipeline(texts, createWriteStream(part))
    renameSync(part, file)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}
