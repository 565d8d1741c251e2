/** Entities as XML: the property `<tag>` of a dict is an element, its other properties are the attributes (hub.md §15.5). */

import { type Static, Type } from 'typebox'
import { type Dict, entries, get } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { isDict, isList, Typed, type Value } from '../model/value.ts'
import { shown } from './answers.ts'
import { PipeError } from './errors.ts'
import { errorAt, type Finding } from './finding.ts'
import { plainText } from './plain-text.ts'

/** What the sink and the transform are told in the same words. */
export const xmlSettings = {
  wrapper: Type.Optional(Type.String({ minLength: 1, description: 'An element around all that is written.' })),
  'root-attributes': Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
      description: 'Attributes of the wrapper; without one, of the element that each entity becomes.',
    }),
  ),
  'include-xml-decl': Type.Boolean({ default: false, description: 'Begin with the XML declaration.' }),
  'skip-deleted-entities': Type.Boolean({ default: true, description: 'Leave deleted entities out.' }),
  byte_order_mark: Type.Boolean({ default: false, description: 'Begin with U+FEFF.' }),
}

const settings = Type.Object(xmlSettings)

export type XmlSettings = Static<typeof settings>

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'

/** A text is `head`, what `element` makes of each entity, and `tail`. */
export interface XmlForm {
  readonly head: string
  readonly tail: string
  /** Throws `bad-xml`, which names the entity. */
  element(entity: Entity): string
}

export function xmlForm(config: XmlSettings): XmlForm {
  const { wrapper, 'root-attributes': given = {} } = config
  const root = Object.entries(given)
    .map(([name, value]) => ` ${name}="${attribute(String(value))}"`)
    .join('')
  const before = `${config.byte_order_mark ? '\ufeff' : ''}${config['include-xml-decl'] ? DECLARATION : ''}`
  return {
    head: before + (wrapper === undefined ? '' : `<${wrapper}${root}>`),
    tail: wrapper === undefined ? '' : `</${wrapper}>`,
    element: (entity) => rootElement(entity, wrapper === undefined ? root : ''),
  }
}

/** Names that cannot stand in XML. */
export function checkXml({ wrapper, 'root-attributes': given = {} }: XmlSettings): readonly Finding[] {
  const hint = 'A name begins with a letter or an underscore.'
  return [
    ...(wrapper === undefined || NAME.test(wrapper)
      ? []
      : [errorAt('/wrapper', `"${wrapper}" is no name of an element.`, hint)]),
    ...Object.keys(given)
      .filter((name) => !NAME.test(name))
      .map((name) => errorAt('/root-attributes', `"${name}" is no name of an attribute.`, hint)),
  ]
}

function rootElement(entity: Entity, attributes: string): string {
  try {
    return element(entity, attributes)
  } catch (error) {
    if (!(error instanceof Misshapen)) throw error
    const id = plainText(get(entity, '_id'))
    throw new PipeError('bad-xml', `The entity '${id}' cannot be written as XML: ${error.message}.`, {
      details: { entity: id },
      hint: 'Each dict needs one property named "<tag>"; the others become attributes of that element.',
    })
  }
}

/** Of an entity or a dict; one without any property is nothing. */
function element(dict: Dict, more: string): string {
  let tag: string | null = null
  let content: Value = null
  let attributes = more
  for (const [name, value] of entries(dict)) {
    const isTag = name.startsWith('<') && name.endsWith('>')
    // What the hub keeps, and what has meaning to components, is no part of the document.
    if (!isTag && (name.startsWith('_') || name.startsWith('$'))) continue
    if (!isTag) attributes += attributeOf(name, value)
    else if (tag !== null) throw new Misshapen(`it has two elements in one place, <${tag}> and ${name}`)
    else {
      tag = named(name.slice(1, -1))
      content = value
    }
  }
  if (tag !== null) return `<${tag}${attributes}>${contentOf(content)}</${tag}>`
  if (attributes === more && entries(dict).every(([name]) => name.startsWith('$'))) return ''
  throw new Misshapen(`there is no property of the form "<tag>" in ${shown(plainText(dict))}`)
}

/** Lists hold elements: what else is in them is left out. */
function contentOf(value: Value): string {
  if (isList(value)) return value.map((one) => (isDict(one) ? element(one, '') : '')).join('')
  return isDict(value) ? element(value, '') : text(plainText(value))
}

function attributeOf(name: string, value: Value): string {
  if (value === null) return ''
  if (typeof value === 'object' && !(value instanceof Typed)) {
    throw new Misshapen(`the attribute "${name}" holds ${isList(value) ? 'a list' : 'a dict'}`)
  }
  return ` ${named(name)}="${attribute(plainText(value))}"`
}

function named(name: string): string {
  if (NAME.test(name)) return name
  throw new Misshapen(`"${name}" is no name in XML`)
}

/** Why it has not the shape that an element is made of. */
class Misshapen extends Error {}

/** XML 1.0, fifth edition, production 5. */
const START =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}'
const NAME = new RegExp(`^[${START}][${START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`, 'u')

/** Readers take a lone carriage return for a line feed, and white space in attributes for blanks, unless they are escaped. */
const text = (plain: string): string => written(plain, /[&<>\r]/g)
const attribute = (plain: string): string => written(plain, /[&<>"\t\n\r]/g)

const written = (plain: string, special: RegExp): string =>
  plain.replace(NOT_XML, '\ufffd').replace(special, (character) => ESCAPES[character] as string)

/** Characters that XML 1.0 has no way to write, escaped or not. */
const NOT_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
