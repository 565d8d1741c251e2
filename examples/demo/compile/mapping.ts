/** A mapping file: how the records of one kind in one system align with the common model (checked, not compiled). */

import { didYouMean } from '../../../src/config/problems.ts'
import { type Lens, readLens, type Table } from './lenses.ts'
import type { Model } from './model.ts'
import type { Part } from './part.ts'

export interface Mapping {
  readonly file: string
  readonly system: string
  readonly datatype: string
  readonly label: string
  readonly about: string
  readonly primaryKey: string
  /** What a record is about. */
  readonly master: EntityMap
  /** Parts that belong to it, such as its address. */
  readonly parts: readonly PartMap[]
  /** Things are written back to the system. */
  readonly isShared: boolean
  readonly tests: readonly MappingTest[]
}

export interface EntityMap {
  /** Its name in the mapping, and of the rule compiled from it. */
  readonly as: string
  readonly class: string
  /** Names of key rules. */
  readonly keys: readonly string[]
  readonly properties: readonly PropertyMap[]
}

export interface PartMap extends EntityMap {
  /** Property of the master that holds the part. */
  readonly is: string
}

export interface PropertyMap {
  readonly path: readonly string[]
  readonly is: string
  readonly about: string
  readonly lenses: readonly Lens[]
  readonly cardinality: 'one' | 'set'
  readonly dir: 'both' | 'in' | 'out'
  readonly ref: Reference | null
}

export interface Reference {
  /** A kind of record in the same system. */
  readonly to: string
  /** id: the value is its number there. iri: the value names it by an IRI. */
  readonly by: 'id' | 'iri'
}

/** A recorded record, and what must come of it. */
export interface MappingTest {
  readonly about: string
  readonly record: unknown
  readonly gives: unknown
}

const TOP = ['samtale', 'system', 'datatype', 'label', 'version', 'about', 'primaryKey', 'entities', 'share', 'tests']
const TOP_LATER = ['modified', 'created', 'archivedWhen', 'mergedIds', 'concurrency']
const ENTITY = ['as', 'class', 'master', 'partOf', 'keys', 'properties']
const ENTITY_LATER = ['when', 'roleOf', 'group', 'id']
const PROPERTY = ['path', 'is', 'about', 'lens', 'cardinality', 'dir', 'ref']
const PROPERTY_LATER = [
  'const',
  'ordinal',
  'role',
  'roles',
  'kind',
  'unit',
  'lang',
  'type',
  'authored',
  'empty',
  'required',
]

export function readMapping(part: Part, model: Model, tables: ReadonlyMap<string, Table>): Mapping {
  part.object(TOP, TOP_LATER).at('samtale').choice(['mapping/1'])
  part.at('version').number()
  const entities = part.at('entities').list()
  if (entities.length === 0) part.at('entities').problem('A mapping has at least one entity.')
  for (const entity of entities) entity.object(ENTITY, ENTITY_LATER)
  const masters = entities.filter((entity) => entity.at('master').value === true)
  const [first] = masters
  if (masters.length !== 1) part.at('entities').problem('One entity, and one only, has "master: true" in this version.')
  const name = first?.at('as').text() ?? ''
  const share = part.at('share')
  return {
    file: part.file,
    system: part.at('system').text(),
    datatype: part.at('datatype').text(),
    label: part.at('label').text(),
    about: part.at('about').text(),
    primaryKey: part.at('primaryKey').text(),
    master: first === undefined ? { as: '', class: '', keys: [], properties: [] } : readEntity(first, model, tables),
    parts: entities.filter((entity) => entity !== first).map((entity) => readPart(entity, name, model, tables)),
    isShared: readShare(share),
    tests: part
      .at('tests')
      .list()
      .map((test) => {
        test.object(['about', 'record', 'gives'])
        return { about: test.at('about').text(), record: test.at('record').value, gives: test.at('gives').value }
      }),
  }
}

function readShare(share: Part): boolean {
  if (!share.isThere) return false
  share.object(['insert', 'delete'], ['update', 'onDuplicate'])
  const insert = share.at('insert').choice(['always', 'never'])
  if (insert === 'always') share.at('delete').choice(['propagate'])
  return insert === 'always'
}

function readEntity(part: Part, model: Model, tables: ReadonlyMap<string, Table>): EntityMap {
  const properties = part.at('properties').list()
  const read = properties.map((property) => readProperty(property, model, tables))
  for (const [place, { is }] of read.entries()) {
    if (read.findIndex((other) => other.is === is) < place) {
      properties[place]?.problem(`'${is}' is mapped twice, and nothing tells the two apart.`)
    }
  }
  const keys = part.at('keys').list()
  return {
    as: part.at('as').text(),
    class: readClass(part.at('class'), model),
    keys: keys.map((key) => key.text()),
    properties: read,
  }
}

function readPart(part: Part, master: string, model: Model, tables: ReadonlyMap<string, Table>): PartMap {
  const partOf = part.at('partOf').object(['entity', 'is'], ['role'])
  const entity = partOf.at('entity')
  if (entity.text() !== master) entity.problem(`A part belongs to the master, '${master}', in this version.`)
  if (part.at('keys').isThere) part.at('keys').problem('A part is not merged by itself, so it has no keys.')
  return { ...readEntity(part, model, tables), is: readName(partOf.at('is'), model) }
}

function readClass(part: Part, model: Model): string {
  const name = part.text()
  if (!model.classes.has(name)) part.problem(`The model has no class '${name}'.`, didYouMean(name, model.classes))
  return name
}

function readName(part: Part, model: Model): string {
  const name = part.text()
  if (model.properties.has(name)) return name
  part.problem(`The model has no property '${name}'.`, didYouMean(name, model.properties.keys()))
  return name
}

function readProperty(part: Part, model: Model, tables: ReadonlyMap<string, Table>): PropertyMap {
  part.object(PROPERTY, PROPERTY_LATER)
  const is = readName(part.at('is'), model)
  const ref = part.at('ref')
  const lenses = part
    .at('lens')
    .list()
    .flatMap((lens) => readLens(lens, tables) ?? [])
  if (model.properties.get(is)?.leadsTo && !ref.isThere && !part.at('lens').isThere) {
    part.problem(`'${is}' leads to another thing: it needs a ref, or a lens with a table.`)
  }
  return {
    path: part.at('path').text().replaceAll('[]', '').split('.'),
    is,
    about: part.at('about').text(),
    lenses,
    cardinality: part.at('cardinality').choice(['one', 'set'], 'one'),
    dir: part.at('dir').choice(['both', 'in', 'out'], 'both'),
    ref: ref.isThere ? readReference(ref) : null,
  }
}

const readReference = (ref: Part): Reference => {
  ref.object(['to', 'by'], ['entity'])
  return { to: ref.at('to').text(), by: ref.at('by').choice(['id', 'iri']) }
}
