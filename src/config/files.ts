/** Takes a configuration apart into its components, each with its text exactly as it was given. */

import { type Dict, get } from '../model/dict.ts'
import { type JsonError, parseJson } from '../model/json.ts'
import { isDict, type Value } from '../model/value.ts'
import { elementsIn, elementTexts } from './elements.ts'
import type { Problem } from './problems.ts'

export interface Component {
  readonly id: string
  /** `pipe`, `system:…` or `metadata`. */
  readonly type: string
  /** As it was given: lossless. */
  readonly text: string
  readonly original: Dict
  readonly file?: string
}

interface ConfigurationFile {
  readonly name: string
  readonly text: string
}

export interface ParsedConfiguration {
  readonly components: readonly Component[]
  readonly problems: readonly Problem[]
}

/** A configuration as files with one component each, as the text of a JSON array (or one object), or as component texts. */
export type ConfigurationInput = string | readonly (string | ConfigurationFile)[]

/** Components as they may be read again. */
export const partsOf = (components: readonly Component[]): readonly (string | ConfigurationFile)[] =>
  components.map(({ text, file }) => (file === undefined ? text : { name: file, text }))

/** Components that are known by their text need not be read again. */
export type KnownComponents = ReadonlyMap<string, Component>

export function parseConfiguration(input: ConfigurationInput, known: KnownComponents = new Map()): ParsedConfiguration {
  const problems: Problem[] = []
  const components: Component[] = []
  const seen = new Map<string, string>()
  for (const { text, file } of piecesOf(input, known, problems)) {
    const component = knownComponent(known, text, file) ?? componentOf(text, file, components.length, problems)
    if (component === null) continue
    const former = seen.get(component.id)
    if (former !== undefined) {
      problems.push({
        ...placeOf(component),
        level: 'error',
        pointer: '/_id',
        message: `The id '${component.id}' is used twice; ${former} has it too.`,
      })
      continue
    }
    seen.set(component.id, file ?? `another ${component.type}`)
    components.push(component)
  }
  return { components, problems }
}

const placeOf = ({ id, file }: { readonly id: string; readonly file?: string }) => ({
  component: id,
  ...(file === undefined ? {} : { file }),
})

/** What it was read from may be another file now. */
function knownComponent(known: KnownComponents, text: string, file: string | undefined): Component | undefined {
  const found = known.get(text)
  if (found === undefined || found.file === file) return found
  const { file: _, ...rest } = found
  return file === undefined ? rest : { ...rest, file }
}

function piecesOf(
  input: ConfigurationInput,
  known: KnownComponents,
  problems: Problem[],
): readonly { readonly text: string; readonly file?: string }[] {
  if (typeof input !== 'string') {
    return input.map((part) => (typeof part === 'string' ? { text: part } : { text: part.text, file: part.name }))
  }
  const elements = elementsIn(input)
  // Most of a configuration is what it was: only the rest is read, and all of it where there is a mistake to be placed.
  if (elements?.every((text) => known.has(text) || isJson(text))) return elements.map((text) => ({ text }))
  try {
    const value = parseJson(input, { transit: false })
    if (isDict(value)) return [{ text: input.trim() }]
    if (Array.isArray(value)) return elementTexts(input).map((text) => ({ text }))
    problems.push({
      level: 'error',
      component: '',
      pointer: '',
      message: 'A configuration is a JSON array of components.',
    })
  } catch (error) {
    problems.push({ level: 'error', component: '', pointer: '', message: (error as JsonError).message })
  }
  return []
}

function isJson(text: string): boolean {
  try {
    parseJson(text, { transit: false })
    return true
  } catch {
    return false
  }
}

function componentOf(text: string, file: string | undefined, place: number, problems: Problem[]): Component | null {
  const fallback =
    file
      ?.split('/')
      .at(-1)
      ?.replace(/\.conf\.json$/, '') ?? `component ${place + 1}`
  const report = (component: string, pointer: string, message: string) => {
    problems.push({ level: 'error', component, pointer, message, ...(file === undefined ? {} : { file }) })
    return null
  }
  let original: Value
  try {
    original = parseJson(text, { transit: false })
  } catch (error) {
    return report(fallback, '', (error as JsonError).message)
  }
  if (!isDict(original)) return report(fallback, '', 'A component is a JSON object.')
  const type = get(original, 'type')
  if (typeof type !== 'string')
    return report(fallback, '/type', "The property 'type' is missing: 'pipe', 'system:…' or 'metadata'.")
  const id = get(original, '_id') ?? (type === 'metadata' ? 'node' : undefined)
  if (typeof id !== 'string' || id === '') return report(fallback, '/_id', "The property '_id' is missing: a string.")
  if (type === 'metadata' && id !== 'node') {
    return report(id, '/_id', `The node metadata has the id 'node', not '${id}': there is one of it.`)
  }
  if (id.includes('/')) return report(id, '/_id', `The id '${id}' holds a '/', which ids may not.`)
  if (type !== 'pipe' && type !== 'metadata' && !type.startsWith('system:')) {
    return report(id, '/type', `Unknown type '${type}': a component is a 'pipe', a 'system:…' or 'metadata'.`)
  }
  return { id, type, text: writeTrimmed(text), original, ...(file === undefined ? {} : { file }) }
}

const writeTrimmed = (text: string): string => text.replace(/^\ufeff/, '').trim()
