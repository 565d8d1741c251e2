/** `samtale import FILE...`: RDF files become entities of a dataset, through the log. */

import { createReadStream, existsSync, statSync } from 'node:fs'
import { type Imported, importQuads } from '../hub/exchange.ts'
import { RdfError } from '../rdf/errors.ts'
import { findFormat } from '../rdf/formats.ts'
import { parseRdf } from '../rdf/parse.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { formatNamed } from './format.ts'
import { withTenant } from './open-data.ts'

export const importRdf: Command = async ({ given, terminal }) => {
  const dataset = given.text('dataset')
  if (dataset === undefined) throw new UsageError('samtale import needs --dataset ID.')
  if (dataset.startsWith('system:') || dataset.includes('/'))
    throw new UsageError(`'${dataset}' cannot be written: no 'system:…' and no slash.`)
  const named = given.text('format')
  const files = given.positionals.map((file) => {
    if (!existsSync(file)) throw new UsageError(`there is no file ${file}.`)
    if (statSync(file).isDirectory()) throw new UsageError(`${file} is a folder, not a file.`)
    const format = named === undefined ? findFormat(file) : formatNamed(named)
    if (format === undefined) throw new UsageError(`the ending of ${file} tells no RDF format; say it with --format.`)
    return { file, format }
  })
  return withTenant(given, terminal, { mustExist: false }, async (tenant) => {
    const results: ({ readonly file: string } & Imported)[] = []
    for (const { file, format } of files) {
      const quads = parseRdf(format.name, createReadStream(file), tenant.base)
      const imported = await importQuads(tenant, dataset, quads, (read) =>
        terminal.status(`${file}: ${read.toLocaleString('en')} entities`),
      ).catch((error) => {
        throw error instanceof RdfError ? ofFile(file, error) : error
      })
      terminal.clear()
      results.push({ file, ...imported })
      if (imported.disagreeing > 0) terminal.note(`${file}: ${edited(imported.disagreeing)}`)
      if (!given.flag('json'))
        terminal.line(
          `${file}: ${imported.read.toLocaleString('en')} entities, ${imported.changes.toLocaleString('en')} changed.`,
        )
    }
    if (given.flag('json')) terminal.line(JSON.stringify(results, null, 2))
    return 0
  })
}

const edited = (count: number): string =>
  `${count} ${count === 1 ? 'entity was' : 'entities were'} read from the statements alone, which say something else than the canonical JSON beside them.`

/** With its file; a document is read to its end before anything of it is written. */
const ofFile = (file: string, { code, message, details, hint }: RdfError): RdfError =>
  new RdfError(code, `${file}: ${message}`, {
    hint: code === 'bad-rdf' ? 'Correct the text there; nothing of this file was imported.' : hint,
    details,
  })
