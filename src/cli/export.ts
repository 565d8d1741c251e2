/** `samtale export [FILE]`: a dataset, or all of a tenant, as RDF. */

import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { didYouMean } from '../config/problems.ts'
import { datasetExport } from '../hub/exchange.ts'
import type { HubTenant } from '../hub/tenant.ts'
import { findFormat, formats } from '../rdf/formats.ts'
import { prefixesOf } from '../rdf/prefixes.ts'
import { writeRdf } from '../rdf/write.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { formatNamed } from './format.ts'
import { withTenant } from './open-data.ts'

export const exportRdf: Command = async ({ given, terminal }) => {
  const [file] = given.positionals
  const named = given.text('format')
  const format = named !== undefined ? formatNamed(named) : (file && findFormat(file)) || formats.trig
  if (!format.isWritten) throw new UsageError(`${format.label} can be read, but not written.`)
  return withTenant(given, terminal, { mustExist: true }, async (tenant) => {
    const dataset = given.text('dataset') ?? null
    if (dataset !== null && tenant.dataset(dataset) === undefined) throw noDataset(dataset, tenant)
    const texts = writeRdf(format.name, datasetExport(tenant, dataset), prefixesOf(tenant.naming()))
    let bytes = 0
    const counted = Readable.from(
      counting(texts, (length) => {
        bytes += length
        terminal.status(`exported ${size(bytes)}`)
      }),
    )
    if (file === undefined) await toStandardOutput(counted)
    else await toFile(counted, file)
    terminal.clear()
    if (file !== undefined) terminal.note(`Wrote ${size(bytes)} of ${format.label} to ${file}.`)
    return 0
  })
}

function noDataset(id: string, tenant: HubTenant): UsageError {
  const meant = didYouMean(id, Object.keys(tenant.ends()))
  return new UsageError(`there is no dataset '${id}'.${meant === undefined ? '' : ` ${meant}`}`)
}

const size = (bytes: number): string =>
  bytes < 1e3 ? `${bytes} bytes` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`

async function* counting(texts: AsyncIterable<string>, count: (length: number) => void): AsyncIterable<string> {
  for await (const text of texts) {
    count(Buffer.byteLength(text))
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
    // Of the file that was asked for, not of the one with the passing name.
    if ((error as NodeJS.ErrnoException).path !== undefined) Object.assign(error as Error, { path: file })
    throw error
  }
}
