/** A connector file: how the hub reaches a system, and where its kinds of records are. */

import type { Part } from './part.ts'

export interface Connector {
  readonly system: string
  readonly label: string
  readonly about: string
  /** Prefixes of the system's own vocabulary and identifiers. */
  readonly namespaces: Readonly<Record<string, string>>
  readonly datatypes: ReadonlyMap<string, Datatype>
}

export interface Datatype {
  /** Settings of the hub's source, `system` and `primary_key` left out. */
  readonly source: Readonly<Record<string, unknown>>
  /** Seconds between two collections, when nobody calls. */
  readonly every: number
  /** Settings of the hub's sink, for what is written back. */
  readonly sink: Readonly<Record<string, unknown>> | null
}

/** No system is asked more often than this, in seconds. */
const LEAST_EVERY = 60

export function readConnector(part: Part): Connector {
  part.object(['samtale', 'system', 'label', 'about', 'namespaces', 'datatypes']).at('samtale').choice(['connector/1'])
  const namespaces = part.at('namespaces')
  const datatypes = part.at('datatypes')
  return {
    system: part.at('system').text(),
    label: part.at('label').text(),
    about: part.at('about').text(),
    namespaces: Object.fromEntries(namespaces.names().map((prefix) => [prefix, namespaces.at(prefix).text()])),
    datatypes: new Map(datatypes.names().map((name) => [name, readDatatype(datatypes.at(name))])),
  }
}

function readDatatype(part: Part): Datatype {
  part.object(['source', 'every', 'sink'])
  const every = part.at('every').number()
  if (every < LEAST_EVERY) part.at('every').problem(`A system is asked every ${LEAST_EVERY} seconds at most.`)
  part.at('source').at('type').text()
  const settingsOf = (settings: Part) => settings.value as Readonly<Record<string, unknown>>
  const sink = part.at('sink')
  return { source: settingsOf(part.at('source')), every, sink: sink.isThere ? settingsOf(sink) : null }
}
