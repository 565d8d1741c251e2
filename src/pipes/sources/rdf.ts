/** Reads the subjects of an RDF document as entities. */

import { type Static, Type } from 'typebox'
import type { Entity } from '../../model/entity.ts'
import { createNaming, type Naming } from '../../model/iri.ts'
import { RdfError } from '../../rdf/errors.ts'
import { type FormatName, formats } from '../../rdf/formats.ts'
import { parseRdf } from '../../rdf/parse.ts'
import { subjectsOf } from '../../rdf/subjects.ts'
import { accepted } from '../answers.ts'
import { defineSource, type Surroundings } from '../contract.ts'
import { PipeError } from '../errors.ts'
import { errorAt, type Finding, refuseErrors } from '../finding.ts'
import { writingBytes } from '../weight.ts'
import { BatchBounds } from './batch-bounds.ts'
import { continuationOf, continuationSettings, withOffsets } from './continuation.ts'
import { ifSourceEmpty } from './empty-source.ts'

const config = Type.Object({
  type: Type.Literal('rdf'),
  system: Type.String({ minLength: 1, description: 'The url system to ask.' }),
  url: Type.String({
    description: 'Where the document is; how it is joined to the address of the system, the system says.',
  }),
  format: Type.Enum(['nt', 'ttl', 'n3', 'xml'], {
    default: 'nt',
    description: 'N-Triples, Turtle, Notation3 or RDF/XML.',
  }),
  sort_lists: Type.Boolean({
    default: true,
    description: 'Repeated statements become a list in the order of values, not of the document.',
  }),
  is_sorted: Type.Boolean({
    default: false,
    description:
      'The statements of a subject follow one another, and there are no blank nodes: read in bounded memory (nt).',
  }),
  ...continuationSettings,
  if_source_empty: ifSourceEmpty,
  comment: Type.Optional(Type.Unknown()),
})

type Config = Static<typeof config>

/** `rdf` (hub.md §14.14). */
export const rdfSource = defineSource({
  type: 'rdf',
  summary: 'An RDF document: each subject an entity, its blank nodes nested.',
  config,
  // Statements cannot say `_updated`, which is what a source goes on from.
  unsupported: {
    supports_since: 'continuation of RDF documents',
    is_since_comparable: 'continuation of RDF documents',
    is_chronological: 'continuation of RDF documents',
    initial_since_value: 'continuation of RDF documents',
  },
  examples: [
    { type: 'rdf', system: 'hr', url: 'people.ttl', format: 'ttl' },
    { type: 'rdf', system: 'hr', url: 'people.nt', is_sorted: true, sort_lists: false },
  ],
  addsNamespaces: false,
  continuation: continuationOf,
  inputs: () => [],
  check,
  open(config, surroundings) {
    refuseErrors(`Source of pipe '${surroundings.pipe}'`, check(config))
    return {
      read: (since, signal) => withOffsets(entities(config, surroundings, signal), continuationOf(config), since),
    }
  },
})

function check({ is_sorted, format }: Config): readonly Finding[] {
  if (!is_sorted || format === 'nt') return []
  return [errorAt('/is_sorted', `is_sorted is for the format "nt", not "${format}".`)]
}

const formatNames: Readonly<Record<Config['format'], FormatName>> = {
  nt: 'n-triples',
  ttl: 'turtle',
  n3: 'n3',
  xml: 'rdf-xml',
}

async function* entities(
  config: Config,
  surroundings: Surroundings,
  signal: AbortSignal,
): AsyncIterable<readonly Entity[]> {
  const port = surroundings.system(config.system)
  const format = formatNames[config.format]
  const headers = { accept: formats[format].mediaTypes[0] }
  const answer = await accepted(port, 'GET', await port.request({ url: config.url, headers }, signal))
  const subjects = subjectsOf(parseRdf(format, answer.body, answer.address), {
    naming: namingOf(surroundings),
    sortLists: config.sort_lists,
    isSorted: config.is_sorted,
  })
  const { batchSize, batchBytes } = surroundings
  let batch: Entity[] = []
  let bounds = new BatchBounds(batchSize, batchBytes)
  try {
    for await (const entity of subjects) {
      batch.push(entity)
      if (!bounds.add(writingBytes(entity))) continue
      yield batch
      batch = []
      bounds = new BatchBounds(batchSize, batchBytes)
    }
  } catch (error) {
    // With is_sorted, what comes before the mistake is whole; otherwise nothing has come yet.
    if (batch.length > 0) yield batch
    throw error instanceof RdfError ? located(error, answer.address, answer.status) : error
  }
  if (batch.length > 0) yield batch
}

/** Without namespaced identifiers everything is named by its whole IRI (hub.md §14.14). */
function namingOf({ naming, namespacedIdentifiers }: Surroundings): Naming {
  const known = naming ?? createNaming({ base: DEFAULT_BASE })
  return namespacedIdentifiers ? known : { ...known, iriToNi: () => null, iriToProperty: () => null }
}

/** That of a node which was given none (design: entities). */
const DEFAULT_BASE = 'http://127.0.0.1:9042'

function located(error: RdfError, address: string, status: number): PipeError {
  return new PipeError(error.code, `The RDF of ${address} cannot be read: ${error.message}`, {
    details: { address, status, ...error.details },
    hint: error.code === 'bad-rdf' ? 'Correct the document there. Nothing is taken for deleted.' : error.hint,
    cause: error,
  })
}
