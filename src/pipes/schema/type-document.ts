/** An entity type as others read it: a JSON Schema whose `subtype` names the kinds that JSON has not (rest-api.md §3.7, hub.md §23.1). */

import { type Dict, dictOf, get, newDict, set } from '../../model/dict.ts'
import { parseJson } from '../../model/json.ts'
import { compareText } from '../../model/order.ts'
import { isDict, type Kind, type Value } from '../../model/value.ts'
import type { EntityType } from './entity-type.ts'
import { type DictType, KINDS, type PropertyType, type ValueType } from './value-type.ts'

export interface DocumentOptions {
  /** Where it is found. */
  readonly id?: string
  /** With counts and times. */
  readonly withStatistics?: boolean
  /** With samples beside them. */
  readonly withSamples?: boolean
}

/** How much is told: each with all before it. */
type Detail = 'kinds' | 'counts' | 'samples'

type Properties = Readonly<Record<string, Value>>

/** An empty one when nothing is known. Properties come in the order of their names, whatever came first. */
export function typeDocument(
  type: EntityType,
  { id, withStatistics = true, withSamples = withStatistics }: DocumentOptions = {},
): Dict {
  const detail: Detail = !withStatistics ? 'kinds' : withSamples ? 'samples' : 'counts'
  const { firstSeen, lastSeen, count, deleted } = type
  if (firstSeen === null || lastSeen === null) return newDict()
  const statistics = { count, deleted, 'first-seen': timeOf(firstSeen), 'last-seen': timeOf(lastSeen) }
  return dictOf({
    ...(id === undefined ? {} : { $id: id }),
    $schema: 'http://json-schema.org/schema#',
    type: 'object',
    additionalProperties: true,
    properties: propertiesOf(type.root, detail, [['_id', dictOf({ type: 'string' })]]),
    ...metadata({ ...(withStatistics ? statistics : {}), ...(type.isTruncated ? { truncated: true } : {}) }),
  })
}

type Named = readonly [name: string, value: Value]

function propertiesOf({ properties }: DictType, detail: Detail, more: readonly Named[] = []): Dict {
  const named = [...properties.values()].map((property): Named => [property.name, propertyOf(property, detail)])
  return dictOf([...more, ...named].sort(([a], [b]) => compareText(a, b)))
}

function propertyOf({ value, count, firstSeen, lastSeen }: PropertyType, detail: Detail): Dict {
  const document = schemaOf(value, detail)
  if (detail === 'kinds') return document
  const texts = detail === 'samples' ? [...value.samples, ...(value.items?.samples ?? [])] : []
  const all = dictOf({ count, 'first-seen': timeOf(firstSeen), 'last-seen': timeOf(lastSeen) })
  const own = get(document, 'metadata')
  for (const name of OF_KINDS) {
    const known = isDict(own) ? get(own, name) : undefined
    if (known !== undefined) set(all, name, known)
  }
  if (texts.length > 0) {
    set(
      all,
      'samples',
      texts.map((text) => parseJson(text, { transit: false })),
    )
  }
  set(document, 'metadata', all)
  return document
}

/** One kind by itself, or several as alternatives. */
function schemaOf(value: ValueType, detail: Detail): Dict {
  const kinds = KINDS.filter((_, number) => value.counts[number] !== 0)
  const [only] = kinds
  if (only === undefined) return newDict()
  if (kinds.length === 1) return kindOf(only, value, detail)
  const alternatives = kinds.map((kind) => {
    const count = value.counts[KINDS.indexOf(kind)] as number
    return kindOf(kind, value, detail, detail === 'kinds' ? {} : { count })
  })
  return dictOf({ anyOf: alternatives })
}

function kindOf(kind: Kind, value: ValueType, detail: Detail, about: Properties = {}): Dict {
  const type = JSON_TYPES[kind]
  switch (kind) {
    case 'ni':
      return dictOf({ ...type, ...patternOf(value), ...metadata({ ...about, ...namespacesOf(value) }) })
    case 'dict': {
      const properties = value.dict === null ? newDict() : propertiesOf(value.dict, detail)
      return dictOf({ ...type, properties, ...metadata(about) })
    }
    case 'list': {
      const items = value.items === null ? newDict() : schemaOf(value.items, detail)
      const lengths = { 'min-items': value.minItems, 'max-items': value.maxItems }
      return dictOf({ ...type, items, ...metadata({ ...about, ...(detail === 'kinds' ? {} : lengths) }) })
    }
    default:
      return dictOf({ ...type, ...metadata(about) })
  }
}

/** The kinds of the language as types of JSON; a decimal is exact, so it is text wherever it must not lose a digit (dtl.md §2.1). */
const JSON_TYPES: Readonly<Record<Kind, Properties>> = {
  null: { type: 'null' },
  boolean: { type: 'boolean' },
  integer: { type: 'integer' },
  float: { type: 'number' },
  decimal: { type: 'string', subtype: 'decimal' },
  date: { type: 'string', subtype: 'date' },
  datetime: { type: 'string', subtype: 'datetime' },
  uuid: { type: 'string', subtype: 'uuid' },
  ni: { type: 'string', subtype: 'ni' },
  uri: { type: 'string', subtype: 'uri' },
  string: { type: 'string' },
  dict: { type: 'object' },
  list: { type: 'array' },
  bytes: { type: 'string', subtype: 'bytes' },
}

/** What the metadata of a kind says. */
const OF_KINDS = ['namespaces', 'more-namespaces', 'min-items', 'max-items']

const namespacesOf = ({ namespaces, hasMoreNamespaces }: ValueType): Properties => ({
  namespaces: [...(namespaces ?? [])].sort(compareText),
  ...(hasMoreNamespaces ? { 'more-namespaces': true } : {}),
})

/** Of identifiers whose namespaces are all known. */
function patternOf({ namespaces, hasMoreNamespaces }: ValueType): Properties {
  const names = [...(namespaces ?? [])].sort(compareText).map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  if (hasMoreNamespaces || names.length === 0) return {}
  return { pattern: `^~:${names.length === 1 ? names[0] : `(?:${names.join('|')})`}:` }
}

const metadata = (about: Properties): Properties => (Object.keys(about).length === 0 ? {} : { metadata: dictOf(about) })

const timeOf = (ms: number): string => new Date(ms).toISOString()
