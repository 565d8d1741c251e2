/**
 * Index expressions as text: self-contained, and the same text for the same expression wherever it stands.
 *
 * The text is the JSON of the expression over `_S`. Paths are written as they read where namespaces are off, so a key
 * means the same with and without them. Only where a setting changes what the expression gives is it part of the text:
 * `{"expression": …, "namespaced": true, …}`.
 */

import { type Dict, dictOf, entries, get } from '../model/dict.ts'
import { builtinNamespaces } from '../model/iri.ts'
import { parseJson, writeJson } from '../model/json.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import type { DtlSettings } from './contract.ts'
import { readingOf } from './namespaces.ts'
import { joinPath, variableOf } from './path.ts'
import { isIds } from './read.ts'
import { BUILT_IN } from './scope.ts'
import type { ArgumentNode, CallNode, Node } from './syntax.ts'
import { walk } from './walk.ts'

/** The text of an expression over one variable, whatever that is called. */
export function indexText(node: Node, settings: DtlSettings): string {
  const needs = needsOf(node, settings)
  const expression = written(node, settings, needs.namespaced)
  // An object that stands alone would be taken for one with settings.
  const isPlain = !needs.namespaced && !needs.property && !needs.identity && !needs.prefixes && !isDict(expression)
  if (isPlain) return writeJson(expression)
  const own = Object.entries(settings.prefixes).filter(([name, prefix]) => builtinNamespaces[name] !== prefix)
  return writeJson(
    dictOf([
      ['expression', expression],
      ...(needs.namespaced ? [['namespaced', true] as const] : []),
      ...(needs.identity ? [['identity', settings.namespaces.identity] as const] : []),
      ...(needs.property ? [['property', settings.namespaces.property] as const] : []),
      ...(needs.prefixes && own.length > 0
        ? [['prefixes', dictOf(own.sort(([a], [b]) => (a < b ? -1 : 1)))] as const]
        : []),
    ]),
  )
}

/**
 * Of what the functions give. Another one with a new version of the hub means that indexes are made anew: to be changed
 * with any function whose result for the same entity changes.
 */
export const INDEX_FINGERPRINT = '1'

/** The expression of an index as people write it, without the settings it is read with. */
export function shownExpression(text: string): string {
  const { expression } = readIndexText(text)
  return typeof expression === 'string' ? expression : writeJson(expression)
}

/** The text of the index over one property, by its full name. */
export const propertyIndexExpression = (property: string): string =>
  writeJson(joinPath('_S', [exactElement(property, false)]))

/** The expression and the settings that a text was made of. */
export function readIndexText(text: string): { readonly expression: Value; readonly settings: DtlSettings } {
  const value = parseJson(text, { transit: false })
  const wrapper = isDict(value) ? value : dictOf({ expression: value })
  const setting = (name: string) => (get(wrapper, name) as string | undefined) ?? ''
  const own = get(wrapper, 'prefixes') as Dict | undefined
  return {
    expression: get(wrapper, 'expression') ?? null,
    settings: {
      pipe: '',
      namespacedIdentifiers: get(wrapper, 'namespaced') === true,
      namespaces: { identity: setting('identity'), property: setting('property') },
      prefixes: {
        ...builtinNamespaces,
        ...Object.fromEntries(own === undefined ? [] : (entries(own) as [string, string][])),
      },
    },
  }
}

/** What is done to an entity before the expression is evaluated over what it became. */
export interface IndexPassage {
  /** Put before its id. */
  readonly prefix: string
  /** Names and ids without namespace get these. */
  readonly added: DtlSettings['namespaces'] | null
  /** Transforms that it goes through, one program after the other, and what names mean in them. */
  readonly through: readonly (readonly Value[])[]
  readonly settings: DtlSettings
}

/** The text of the same index over entities that go through something first. */
export function passedText(text: string, { prefix, added, through, settings }: IndexPassage): string {
  const value = parseJson(text, { transit: false })
  const { pipe: _, namespacedIdentifiers, namespaces, prefixes } = settings
  const own = Object.entries(prefixes).filter(([name, prefix]) => builtinNamespaces[name] !== prefix)
  return writeJson(
    dictOf([
      ...(isDict(value) ? entries(value) : [['expression', value] as const]),
      ...(prefix === '' ? [] : [['prefix', prefix] as const]),
      ...(added === null ? [] : [['added', [added.identity, added.property]] as const]),
      ...(through.length === 0
        ? []
        : [
            ['through', through] as const,
            [
              'language',
              [
                namespacedIdentifiers,
                namespaces.identity,
                namespaces.property,
                dictOf(own.sort(([a], [b]) => (a < b ? -1 : 1))),
              ],
            ] as const,
          ]),
    ]),
  )
}

/** Null: the expression is over the entity itself. */
export function readPassage(text: string): IndexPassage | null {
  const value = parseJson(text, { transit: false })
  if (!isDict(value)) return null
  const [prefix, added, through, language] = ['prefix', 'added', 'through', 'language'].map((name) => get(value, name))
  if (prefix === undefined && added === undefined && through === undefined) return null
  const [identity, property] = (added ?? []) as readonly string[]
  const [namespaced, ownIdentity, ownProperty, own] = (language ?? [false, '', '', dictOf({})]) as readonly Value[]
  return {
    prefix: (prefix as string | undefined) ?? '',
    added: added === undefined ? null : { identity: identity as string, property: property as string },
    through: (through ?? []) as readonly (readonly Value[])[],
    settings: {
      pipe: '',
      namespacedIdentifiers: namespaced === true,
      namespaces: { identity: ownIdentity as string, property: ownProperty as string },
      prefixes: { ...builtinNamespaces, ...Object.fromEntries(entries(own as Dict) as [string, string][]) },
    },
  }
}

interface Needs {
  /** Some element is read in every namespace, or a function reads names at run time. */
  namespaced: boolean
  identity: boolean
  property: boolean
  prefixes: boolean
}

function needsOf(node: Node, settings: DtlSettings): Needs {
  const needs: Needs = { namespaced: false, identity: false, property: false, prefixes: false }
  walk(node, {
    path: ({ elements }) => {
      if (!settings.namespacedIdentifiers) return
      if (elements.some((element) => readingOf(element, settings).kind === 'identifier')) needs.namespaced = true
      if (isIds(elements[0] ?? '', settings)) {
        needs.namespaced = true
        needs.identity = true
      }
    },
    call: (call) => needsOfCall(call, settings, needs),
  })
  return needs
}

const READING_PREFIXES: ReadonlySet<string> = new Set(['ni-collapse', 'ni-expand', 'uri-expand'])

function needsOfCall(call: CallNode, settings: DtlSettings, needs: Needs): void {
  const { name } = call.definition
  if (name === 'path' && settings.namespacedIdentifiers) {
    needs.namespaced = true
    needs.property = true
  }
  if (name === 'apply-ns' && call.arguments[0]?.kind === 'constant' && isDict(call.arguments[0].value)) {
    needs.property = true
    needs.identity = true
  }
  if ((name === 'ni' && call.arguments[0] === undefined) || READING_PREFIXES.has(name))
    needs.prefixes = Object.entries(settings.prefixes).some(([prefix, uri]) => builtinNamespaces[prefix] !== uri)
}

function written(node: ArgumentNode | undefined, settings: DtlSettings, namespaced: boolean): Value {
  switch (node?.kind) {
    case 'constant':
      return writtenConstant(node.value)
    case 'path':
      return joinPath(
        node.variable.name === '_' ? '_' : '_S',
        node.elements.map((element) => {
          const reading = readingOf(element, settings)
          return reading.kind === 'identifier' ? element : exactElement(reading.name, namespaced)
        }),
      )
    case 'call':
      return [
        node.definition.name,
        ...node.arguments.flatMap((argument, place) => {
          if (argument === undefined) return []
          const isRaw = node.parameters[place]?.kind === 'constant string or dict'
          return [isRaw && argument.kind === 'constant' ? argument.value : written(argument, settings, namespaced)]
        }),
      ]
    default:
      throw new TypeError(`A ${node?.kind} has no place in an index expression.`)
  }
}

/** A constant so that it reads as one: not as a path, not as a call. */
const writtenConstant = (value: Value): Value =>
  isList(value) || (typeof value === 'string' && BUILT_IN.has(variableOf(value) ?? '')) ? ['literal', value] : value

/** A path element that reads exactly this key. */
function exactElement(key: string, namespaced: boolean): string {
  if (namespaced) return key.includes(':') && !key.startsWith(':') ? key : `::${key}`
  return key.startsWith(':') ? `::${key}` : key
}
