/** All files of mappings and the model → a configuration of the hub. Pure: texts in, components out. */

import { didYouMean } from '../../../src/config/problems.ts'
import { type Connector, readConnector } from './connector.ts'
import { MappingError, type MappingProblem } from './errors.ts'
import type { Table } from './lenses.ts'
import { type Mapping, readMapping } from './mapping.ts'
import { type Model, readModel } from './model.ts'
import { Part } from './part.ts'
import {
  type Component,
  collectPipe,
  enrichPipe,
  globalPipes,
  nodeMetadata,
  sharePipe,
  systemComponent,
  systemsPipe,
  tablePipe,
} from './pipes.ts'
import { type Global, type KeyRules, readGlobals, readKeyRules, readTable } from './vocabulary.ts'

export interface MappingFiles {
  /** `ontology/model.ttl`. */
  readonly model: string
  /** Path below `mappings/` → text. */
  readonly files: ReadonlyMap<string, string>
}

/** What was read, all of it checked. */
export interface Mapped {
  readonly model: Model
  readonly tables: ReadonlyMap<string, Table>
  readonly keyRules: KeyRules
  readonly globals: readonly Global[]
  readonly connectors: ReadonlyMap<string, Connector>
  /** By `system/datatype`. */
  readonly mappings: ReadonlyMap<string, Mapping>
}

/** Throws MappingError. */
export const compile = (files: MappingFiles): readonly Component[] => componentsOf(readMapped(files))

/** Throws MappingError. */
export function readMapped({ model: turtle, files }: MappingFiles): Mapped {
  const problems: MappingProblem[] = []
  const partOf = (file: string) => Part.read(file, files.get(file) ?? '', problems)
  const model = readModel(turtle)
  const named = (test: (file: string) => boolean) =>
    [...files.keys()].sort().filter((file) => file.endsWith('.yaml') && test(file))
  const tables = named((file) => file.startsWith('tables/')).map((file) => readTable(partOf(file), model))
  const byName = new Map(tables.map((table) => [table.name, table]))
  const inSystem = named((file) => file.includes('/') && !file.startsWith('tables/'))
  const isConnector = (file: string) => file.endsWith('/connector.yaml')
  const connectors = inSystem.filter(isConnector).map((file) => readConnector(partOf(file)))
  const mappings = inSystem.filter((file) => !isConnector(file)).map((file) => readMapping(partOf(file), model, byName))
  const mapped = {
    model,
    tables: byName,
    keyRules: readKeyRules(partOf('keys.yaml'), model),
    globals: readGlobals(partOf('globals.yaml'), model),
    connectors: new Map(connectors.map((connector) => [connector.system, connector])),
    mappings: new Map(mappings.map((mapping) => [`${mapping.system}/${mapping.datatype}`, mapping])),
  }
  problems.push(...misfits(mapped))
  if (problems.length > 0) throw new MappingError(problems)
  return mapped
}

/** What no file can know by itself: names that lead nowhere. */
function* misfits({ mappings, connectors, globals, keyRules }: Mapped): Iterable<MappingProblem> {
  const problem = (file: string, pointer: string, message: string, hint?: string): MappingProblem => ({
    file,
    pointer,
    message,
    ...(hint === undefined ? {} : { hint }),
  })
  for (const [name, { file, system, datatype, master, isShared }] of mappings) {
    if (file !== `${name}.yaml`) yield problem(file, '', `The mapping of ${name} belongs in ${name}.yaml.`)
    const datatypes = connectors.get(system)?.datatypes
    const connection = datatypes?.get(datatype)
    if (connection === undefined) {
      yield problem(
        file,
        '/datatype',
        `The connector of '${system}' has no '${datatype}'.`,
        didYouMean(datatype, datatypes?.keys() ?? []),
      )
    } else if (isShared && connection.sink === null) {
      yield problem(file, '/share', `The connector of '${system}' has no sink to write '${datatype}' to.`)
    }
    const rules = keyRules.get(master.class)
    for (const key of master.keys) {
      if (!rules?.has(key))
        yield problem(
          file,
          '/entities',
          `There is no key '${key}' of ${master.class}.`,
          didYouMean(key, rules?.keys() ?? []),
        )
    }
    for (const { ref } of master.properties) {
      if (ref !== null && !mappings.has(`${system}/${ref.to}`)) {
        yield problem(file, '/entities', `There is no mapping of '${system}/${ref.to}' to refer to.`)
      }
    }
    if (!globals.some(({ from }) => from.includes(name))) {
      yield problem('globals.yaml', '/globals', `No global is made from ${name}.`)
    }
  }
  for (const { id, class: className, from } of globals) {
    for (const name of from) {
      const mapping = mappings.get(name)
      if (mapping === undefined) {
        yield problem('globals.yaml', '/globals', `There is no mapping '${name}'.`, didYouMean(name, mappings.keys()))
      } else if (mapping.master.class !== className) {
        yield problem(
          'globals.yaml',
          '/globals',
          `'${name}' is about ${mapping.master.class}, and '${id}' is of ${className}.`,
        )
      }
    }
  }
}

function componentsOf({ model, tables, keyRules, globals, connectors, mappings }: Mapped): readonly Component[] {
  const connectorOf = ({ system }: Mapping) => connectors.get(system) as Connector
  const mappingsOf = ({ from }: Global) => from.map((name) => mappings.get(name) as Mapping)
  const all = [...mappings.values()]
  const shared = globals.flatMap((global) =>
    mappingsOf(global).flatMap((mapping) =>
      mapping.isShared ? [sharePipe(mapping, connectorOf(mapping), global)] : [],
    ),
  )
  return [
    nodeMetadata([...connectors.values()]),
    ...[...connectors.values()].map(systemComponent),
    ...all.map((mapping) => collectPipe(mapping, connectorOf(mapping))),
    ...all.map(enrichPipe),
    ...globals.flatMap((global) => globalPipes(global, mappingsOf(global), keyRules, model, globals)),
    ...[...tables.values()].map(tablePipe),
    systemsPipe([...connectors.values()]),
    ...shared,
  ]
}
