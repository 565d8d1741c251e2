/** `samtale datasets`: what a tenant holds, one line for each dataset. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatasetView, Snapshot } from '../log/contract.ts'
import type { Command } from './command.ts'
import { withLog } from './reading.ts'
import { table } from './terminal.ts'

interface Row {
  readonly id: string
  readonly entities: number
  readonly deleted: number
  readonly versions: number
  /** Next sequence. */
  readonly end: number
  readonly populated: boolean
  readonly kind: string
  readonly generation: string
  readonly restore: { readonly uuid: string; readonly offset: number | null } | null
  readonly indexes: readonly { readonly expression: string; readonly state: string }[]
  /** Of its blocks; null when nobody asked: all of them have to be read. */
  readonly bytes: number | null
}

export const datasets: Command = async ({ given, terminal }) => {
  const { rows, file } = withLog(given, (snapshot, path) => ({
    rows: snapshot.datasets().map(({ id }) => rowOf(snapshot, id, given.flag('bytes'))),
    file: statSync(join(path, 'data.mdb')).size,
  }))
  if (given.flag('json')) {
    terminal.line(JSON.stringify({ file, datasets: rows }, null, 2))
    return 0
  }
  const headings = ['dataset', 'entities', 'deleted', 'versions', 'populated', 'generation', 'indexes']
  const lines = rows.map((row) => [
    row.id,
    row.entities,
    row.deleted,
    row.versions,
    row.populated ? 'yes' : 'no',
    row.generation.slice(0, 8),
    indexesOf(row),
    ...(row.bytes === null ? [] : [row.bytes]),
  ])
  for (const [place, line] of table(given.flag('bytes') ? [...headings, 'bytes'] : headings, lines).entries()) {
    terminal.line(place === 0 ? terminal.bold(line) : line)
  }
  terminal.line(
    `${rows.length} ${rows.length === 1 ? 'dataset' : 'datasets'} in a file of ${(file / 1e6).toFixed(1)} MB.`,
  )
  return 0
}

function rowOf(snapshot: Snapshot, id: string, withBytes: boolean): Row {
  const view = snapshot.dataset(id) as DatasetView
  const { existing, deleted, versions, end } = view.counts()
  const { populated, kind, generation, restore, indexes } = view.document
  return {
    id,
    entities: existing,
    deleted,
    versions,
    end,
    populated,
    kind,
    generation,
    restore,
    indexes: indexes.map(({ expression, state }) => ({ expression, state })),
    bytes: withBytes ? bytesOf(view) : null,
  }
}

function bytesOf(view: DatasetView): number {
  let bytes = 0
  let block = -1
  for (const place of view.places(null)) {
    if (place.block === block) continue
    block = place.block
    bytes += place.blockBytes
  }
  return bytes
}

function indexesOf({ indexes }: Row): string {
  const filling = indexes.filter(({ state }) => state === 'filling').length
  return `${indexes.length}${filling === 0 ? '' : ` (${filling} filling)`}`
}
