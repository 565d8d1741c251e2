/** `samtale import FILE...`: RDF files become entities of a dataset, through the log. */

import { createReadStream, existsSync } from 'node:fs'
import { importQuads } from '../hub/exchange.ts'
import { findFormat, formatOf } from '../rdf/formats.ts'
import { parseRdf } from '../rdf/parse.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { withTenant } from './open-data.ts'

export const importRdf: Command = async ({ given, terminal }) => {
  const dataset = given.text('dataset')
  if (dataset === undefined) throw new UsageError('samtale import needs --dataset ID.')
  if (dataset.startsWith('system:') || dataset.includes('/'))
    throw new UsageError(`'${dataset}' cannot be written: no 'system:…' and no slash.`)
  const named = given.text('format')
  const files = given.positionals.map((file) => {
    if (!existsSync(file)) throw new UsageError(`there is no file ${file}.`)
    const format = named === undefined ? findFormat(file) : formatOf(named)
    if (format === undefined) throw new UsageError(`the ending of ${file} tells no RDF format; say it with --format.`)
    return { file, format }
  })
  return withTenant(given, terminal, { mustExist: false }, async (tenant) => {
    const results: { file: string; read: number; changes: number }[] = []
    for (const { file, format } of files) {
      const quads = parseRdf(format.name, createReadStream(file), tenant.base)
      const imported = await importQuads(tenant, dataset, quads, (read) =>
        terminal.status(`${file}: ${read.toLocaleString('en')} entities`),
      )
      terminal.clear()
      results.push({ file, ...imported })
      if (!given.flag('json'))
        terminal.line(
          `${file}: ${imported.read.toLocaleString('en')} entities, ${imported.changes.toLocaleString('en')} changed.`,
        )
    }
    if (given.flag('json')) terminal.line(JSON.stringify(results, null, 2))
    return 0
  })
}
