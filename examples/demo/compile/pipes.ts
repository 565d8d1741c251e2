/** Mappings, connectors and the model → the pipes and systems of the hub, as anybody could have written them. */

import type { Connector } from './connector.ts'
import { conceptNi, type Expression, type Table } from './lenses.ts'
import type { EntityMap, Mapping, PartMap } from './mapping.ts'
import { type Model, modelNamespace } from './model.ts'
import { backward, classNi, dtl, forward, globalOf, namespaceOf, pipeOf, present, type Transform } from './rules.ts'
import type { Global, KeyRules } from './vocabulary.ts'

/** A pipe, a system or the node's metadata. */
export type Component = Readonly<Record<string, unknown>> & { readonly _id: string; readonly type: string }

/** Pipes between datasets run when their input changes; this is only how often they look whether a signal was lost. */
const LOST_SIGNAL_SECONDS = 300
const pump = (seconds: number) => ({ schedule_interval: seconds, run_at_startup: true })

/** Where the system is comes from an environment variable of the hub, such as `crm_url`. */
export const systemComponent = ({ system, label, about }: Connector): Component => ({
  _id: system,
  type: 'system:url',
  name: label,
  description: about,
  url_pattern: `$ENV(${system}_url)/%s`,
})

/** Takes in the records as they are. */
export function collectPipe(mapping: Mapping, { datatypes }: Connector): Component {
  const { system, datatype, label, about, primaryKey } = mapping
  const { source, every } = datatypes.get(datatype) as NonNullable<ReturnType<typeof datatypes.get>>
  const namespace = namespaceOf(system, datatype)
  return {
    _id: pipeOf(system, datatype, 'collect'),
    type: 'pipe',
    description: `${label}: ${about}`,
    source: { ...source, system, ...(source.type === 'csv' ? { primary_key: primaryKey } : {}) },
    namespaces: { identity: namespace, property: namespace },
    pump: pump(every),
  }
}

/** Aligns them with the model: a rule for the record, and one for each of its parts. */
export function enrichPipe(mapping: Mapping): Component {
  const { system, datatype, master, parts } = mapping
  const namespace = namespaceOf(system, datatype)
  const ruleOf = ({ properties }: EntityMap): Transform[] =>
    properties
      .filter(({ dir }) => dir !== 'out')
      .map((property) => ['add', `tm:${property.is}`, forward(property, system, namespace)])
  return {
    _id: pipeOf(system, datatype, 'enrich'),
    type: 'pipe',
    description: `Compiled from mappings/${mapping.file}.`,
    source: { type: 'dataset', dataset: pipeOf(system, datatype, 'collect'), supports_signalling: true },
    transform: dtl({
      default: [
        ['add', 'rdf:type', classNi(master.class)],
        ['add', 'tm:statedIn', `~:system:${system}`],
        ['merge', present(master.as)],
        ...parts.flatMap(onePart),
      ],
      ...Object.fromEntries([master, ...parts].map((entity) => [entity.as, ruleOf(entity)])),
    }),
    pump: pump(LOST_SIGNAL_SECONDS),
  }
}

/** A part that has no property is not there. */
function onePart({ as, is, class: className }: PartMap): readonly Transform[] {
  const typed = ['combine', ['list', ['list', 'rdf:type', classNi(className)]], ['items', `_T._${as}`]]
  return [
    ['add', `_${as}`, present(as)],
    ['if', ['is-not-empty', ['keys', `_T._${as}`]], ['add', `tm:${is}`, ['dict', typed]]],
    ['remove', `_${as}`],
  ]
}

/**
 * Makes one thing of the records that share a key. When things lead to other things, that takes a second pipe: what a
 * record leads to is a record, and which thing that became is known by then.
 */
export function globalPipes(
  global: Global,
  mappings: readonly Mapping[],
  keyRules: KeyRules,
  model: Model,
  globals: readonly Global[],
): readonly Component[] {
  const mapped = [
    ...new Set(mappings.flatMap(({ master, parts }) => [...master.properties, ...parts].map(({ is }) => is))),
  ]
  const links = mapped.flatMap((is) => {
    const leadsTo = model.properties.get(is)?.leadsTo
    const target = globals.find(({ class: className }) => className === leadsTo)
    return target === undefined ? [] : [{ is, target }]
  })
  const plain = [...mapped, 'statedIn'].map((is): Transform => ['add', `tm:${is}`, golden(is, model)])
  const id = globalOf(global.id)
  const mergedId = links.length === 0 ? id : `merged-${global.id}`
  const merge = {
    _id: mergedId,
    type: 'pipe',
    source: mergeSource(global, mappings, keyRules),
    transform: dtl({
      default: [
        ['add', '_id', ['concat', `${mergedId}:`, ['replace', ':', '.', '_S._id']]],
        ['add', 'rdf:type', classNi(global.class)],
        ['copy', '$ids'],
        ['merge', present(global.id)],
      ],
      [global.id]: plain,
    }),
    pump: pump(LOST_SIGNAL_SECONDS),
  }
  if (links.length === 0) return [{ ...merge, metadata: { global: true } }]
  return [
    merge,
    {
      _id: id,
      type: 'pipe',
      source: { type: 'dataset', dataset: mergedId, supports_signalling: true },
      transform: dtl({
        default: [
          ['copy', '*', ['list', ...links.map(({ is }) => `tm:${is}`)]],
          ['add', '_id', ['replace', `${mergedId}:`, `${id}:`, '_S._id']],
          ...links.flatMap(({ is, target }) => linked(is, globalOf(target.id))),
        ],
      }),
      metadata: { global: true },
      // Whoever leads to a thing must hear that it is called something else now: every run reads all.
      pump: { ...pump(LOST_SIGNAL_SECONDS), rescan_run_count: 1 },
    },
  ]
}

/** What there can be one of is as the first system says; of the rest, all that any system says. */
const golden = (is: string, model: Model): Expression =>
  model.properties.get(is)?.cardinality === 'one' ? ['first', `_S.tm:${is}`] : ['distinct', ['combine', `_S.tm:${is}`]]

/** From what the records lead to, to what those records became. */
function linked(is: string, dataset: string): readonly Transform[] {
  const found = {
    datasets: [`${dataset} other`],
    where: ['eq', `_S.tm:${is}`, 'other.$ids'],
    return: ['ni', 'other._id'],
  }
  return [
    ['add', `_${is}`, ['sorted', ['distinct', ['hops', found]]]],
    ['if', ['is-not-empty', `_T._${is}`], ['add', `tm:${is}`, `_T._${is}`]],
    ['remove', `_${is}`],
  ]
}

function mergeSource(global: Global, mappings: readonly Mapping[], keyRules: KeyRules) {
  const aliasOf = ({ system, datatype }: Mapping) => `${system}_${datatype}`
  const rules = keyRules.get(global.class) ?? new Map<string, string>()
  const equality = [...rules].flatMap(([rule, property]) => {
    const sides = mappings
      .filter(({ master }) => master.keys.includes(rule))
      .map((mapping) => `${aliasOf(mapping)}.tm:${property}`)
    // Each side with itself too: two records of one system can be one thing.
    return sides.flatMap((left, place) => sides.slice(place).map((right) => ['eq', left, right]))
  })
  return {
    type: 'merge',
    version: 2,
    datasets: mappings.map((mapping) => `${pipeOf(mapping.system, mapping.datatype, 'enrich')} ${aliasOf(mapping)}`),
    equality,
    identity: 'first',
    strategy: 'compact',
    require_populated_input: true,
    supports_signalling: true,
  }
}

/** Writes things back to a system, in its own words, with the numbers it knows them by. */
export function sharePipe(mapping: Mapping, connector: Connector, global: Global): Component {
  const { system, datatype, master, parts, primaryKey } = mapping
  const values = [
    ...master.properties.map((property) => ({ property, from: `_S.tm:${property.is}` })),
    ...parts.flatMap((part) =>
      part.properties.map((property) => ({ property, from: `_S.tm:${part.is}.tm:${property.is}` })),
    ),
  ]
  const known: Expression = ['ni-id', ['filter', ['eq', ['ni-ns', '_.'], namespaceOf(system, datatype)], '_S.$ids']]
  return {
    _id: pipeOf(system, datatype, 'share'),
    type: 'pipe',
    description: `Compiled from mappings/${mapping.file}.`,
    source: { type: 'dataset', dataset: globalOf(global.id), supports_signalling: true },
    transform: dtl({
      default: [['merge', present(datatype)]],
      [datatype]: [
        // In the system's own words: no namespace.
        ['add', `::${primaryKey}`, known],
        ...values
          .filter(({ property }) => property.dir !== 'in')
          .map(({ property, from }): Transform => ['add', `::${property.path.join('.')}`, backward(property, from)]),
      ],
    }),
    sink: { ...connector.datatypes.get(datatype)?.sink, system },
    pump: pump(LOST_SIGNAL_SECONDS),
  }
}

/** The entries of a table as things of their own. */
export const tablePipe = (table: Table): Component => ({
  _id: globalOf(table.name),
  type: 'pipe',
  description: `Compiled from mappings/tables/${table.name}.yaml.`,
  source: {
    type: 'embedded',
    entities: table.entries.map(({ code, names, wikidata }) => ({
      _id: conceptNi(table, code).slice(2),
      'rdf:type': classNi(table.class),
      [`tm:${table.is}`]: code,
      'skos:prefLabel': names[0] ?? code,
      'skos:altLabel': names.slice(1),
      ...(wikidata === undefined ? {} : { 'skos:exactMatch': `~:wd:${wikidata}` }),
    })),
  },
  metadata: { global: true },
  pump: pump(LOST_SIGNAL_SECONDS),
})

/** The systems themselves, so that questions can name them. */
export const systemsPipe = (connectors: readonly Connector[]): Component => ({
  _id: globalOf('system'),
  type: 'pipe',
  description: 'The systems that things are stated in.',
  source: {
    type: 'embedded',
    entities: connectors.map(({ system, label, about }) => ({
      _id: `system:${system}`,
      'rdf:type': '~:st:SystemInstance',
      'rdfs:label': label,
      'rdfs:comment': about,
    })),
  },
  metadata: { global: true },
  pump: pump(LOST_SIGNAL_SECONDS),
})

export const nodeMetadata = (connectors: readonly Connector[]): Component => ({
  _id: 'node',
  type: 'metadata',
  namespaced_identifiers: true,
  namespaces: {
    default: Object.assign(
      {
        tm: modelNamespace,
        st: 'https://w3id.org/samtale/talk#',
        wd: 'http://www.wikidata.org/entity/',
      },
      ...connectors.map(({ namespaces }) => namespaces),
    ),
  },
})
