/** `samtale export [FILE]`: a dataset, or all of a tenant, as RDF. */

import { createWriteStream } from 'node:fs'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
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
    const out: Writable = file === undefined ? process.stdout : createWriteStream(file)
    let bytes = 0
    for await (const text of writeRdf(format.name, datasetExport(tenant, dataset), prefixesOf(tenant.naming()))) {
      bytes += text.length
      if (!out.write(text)) await new Promise((resolve) => out.once('drain', resolve))
      terminal.status(`exported ${(bytes / 1e6).toFixed(1)} MB`)
    }
    terminal.clear()
    if (file !== undefined) {
      out.end()
      await finished(out)
      terminal.note(`Wrote ${(bytes / 1e6).toFixed(1)} MB of ${format.label} to ${file}.`)
    }
    return 0
  })
}
