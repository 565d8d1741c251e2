/** What entities a program may make of one source, and under which ids, as far as its rules say before anything runs. */

import { isList, type Value } from '../model/value.ts'
import type { Creation, DtlSettings, Emission, IdForm, Place } from './contract.ts'
import { escaped, identifierOf, qualify } from './namespaces.ts'
import type {
  ArgumentNode,
  BlockNode,
  CallNode,
  Node,
  PathNode,
  ProgramNode,
  RuleNode,
  TransformNode,
} from './syntax.ts'
import { walk } from './walk.ts'
import { wildcard } from './wildcard.ts'

/** `rules` are those that can run, `default` first. */
export function emissionOf(program: ProgramNode, rules: readonly RuleNode[], settings: DtlSettings): Emission {
  const reader = new Reader(program, settings)
  const start = program.rules.get('default') as RuleNode
  const { form, places, isSteady } = reader.idOf(start, 'own')
  const filters = placesOf(start, 'filter')
  // What `trigger_on` does not mean passes through as it is, under its own id.
  const isMixed = program.trigger !== null && form !== 'own'
  return {
    id: isMixed ? 'any' : form,
    idPlaces: places,
    isSteady,
    filters,
    discards: placesOf(start, 'discard'),
    isTargetless: alwaysDiscards(start) && filters.length === 0 && program.trigger === null,
    creations: rules.flatMap((rule) => reader.creationsOf(rule)),
    revivals: reader.revivalsOf(start),
  }
}

const placesOf = ({ block }: RuleNode, name: string): readonly Place[] => {
  const places: Place[] = []
  walk(block, {
    transform: ({ definition, pointer }) => {
      if (definition.name === name) places.push({ pointer, what: name })
    },
  })
  return places
}

const alwaysDiscards = ({ block }: RuleNode): boolean =>
  block.transforms.some(({ definition, arguments: args }) => definition.name === 'discard' && args[0] === undefined)

/** The id of a target while its rule is read from top to bottom; `none`: it has no id yet. */
type Known = IdForm | 'none'

interface Ids {
  readonly form: IdForm
  readonly places: readonly Place[]
  readonly isSteady: boolean
}

class Reader {
  readonly #program: ProgramNode
  readonly #settings: DtlSettings

  constructor(program: ProgramNode, settings: DtlSettings) {
    this.#program = program
    this.#settings = settings
  }

  /** Only a write that always happens is understood; whatever else touches the id makes it any. */
  idOf({ block }: RuleNode, start: Known): Ids {
    let form = start
    let isSteady = true
    let hasFilter = false
    const places: Place[] = []
    const become = (next: IdForm, { pointer, definition }: TransformNode) => {
      form = next
      if (next !== 'own') places.push({ pointer, what: definition.name })
      if (hasFilter) isSteady = false
    }
    for (const transform of block.transforms) {
      const touched = this.#touches(transform, form)
      if (touched !== undefined) become(touched, transform)
      walk(only(transform), {
        transform: (within) => {
          hasFilter ||= within.definition.name === 'filter'
          if (within !== transform && this.#touches(within, form) !== undefined) become('any', within)
        },
      })
    }
    return { form: form === 'none' ? 'any' : form, places, isSteady }
  }

  /** What the id is after the transform; undefined: what it was. */
  #touches({ definition, arguments: args }: TransformNode, before: Known): IdForm | undefined {
    const [first, second] = args
    switch (definition.name) {
      case 'add':
        if (!this.#mayWrite(first, '_id')) return undefined
        return this.#isExactly(first, '_id') ? this.#formOf(second) : 'any'
      case 'default':
        // A target that has its id keeps it.
        return before !== 'none' || !this.#mayWrite(first, '_id') ? undefined : 'any'
      case 'add-if':
        return this.#mayWrite(first, '_id') ? 'any' : undefined
      case 'rename':
        return this.#mayWrite(second, '_id') ? 'any' : undefined
      case 'make-ni':
        return args[2] !== undefined && this.#mayWrite(args[2], '_id') ? 'any' : undefined
      case 'copy':
        if (before === 'own' || !patternsMatch(first, '_id') || patternsMatch(second, '_id')) return undefined
        return before === 'none' ? 'own' : 'any'
      case 'remove':
        return patternsMatch(first, '_id') ? 'any' : undefined
      default:
        return undefined
    }
  }

  /** Of what is written to `_id`: text before the id of the source, so that no two sources get the same. */
  #formOf(value: ArgumentNode | undefined): IdForm {
    // With namespaces on, an id is qualified when it is written, and `_S._id` reads more than the id.
    if (this.#settings.namespacedIdentifiers || value?.kind !== 'call' || value.definition.name !== 'concat')
      return 'any'
    const texts = value.arguments.map((one) =>
      one?.kind === 'constant' && typeof one.value === 'string' ? one.value : null,
    )
    const at = texts.indexOf(null)
    const isSingle = at > 0 && texts.lastIndexOf(null) === at && isSourceId(value.arguments[at])
    const prefix = texts.slice(0, Math.max(at, 0)).join('')
    // A colon at the start is taken off when the id is written.
    if (!isSingle || prefix === '' || escaped(prefix, null) !== null) return 'any'
    return { prefix, suffix: texts.slice(at + 1).join('') }
  }

  creationsOf({ id, block }: RuleNode): readonly Creation[] {
    const creations: Creation[] = []
    // In a rule that others apply, `_S` is what they apply it to.
    const isDefault = id === 'default' && !this.#isApplied(id)
    // With namespaces on, `_S._deleted` reads more than the mark.
    const alive = isDefault && !this.#settings.namespacedIdentifiers ? livingParts(block) : new Set<TransformNode>()
    walk(block, {
      transform: (node) => {
        if (node.definition.name !== 'create') return
        const form = isDefault ? this.#createdForm(node.arguments[0]) : 'any'
        creations.push({ pointer: node.pointer, id: form, isOfLiving: alive.has(node) })
      },
    })
    return creations
  }

  #isApplied(rule: string): boolean {
    let isApplied = false
    for (const { block } of this.#program.rules.values()) {
      walk(block, {
        call: ({ arguments: [first] }) => {
          isApplied ||= first?.kind === 'rule' && first.rule === rule
        },
      })
    }
    return isApplied
  }

  /** A dict that names its id, or what a rule makes of the source as a whole. */
  #createdForm(value: ArgumentNode | undefined): IdForm {
    if (value?.kind !== 'call') return 'any'
    const { definition, arguments: args } = value
    if (definition.name === 'dict' && args.length > 1) {
      const keys = args.filter((_, place) => place % 2 === 0)
      if (!keys.every((key) => key?.kind === 'constant' && typeof key.value === 'string')) return 'any'
      const at = keys.findLastIndex((key) => key?.kind === 'constant' && key.value === '_id')
      return at < 0 ? 'any' : this.#formOf(args[at * 2 + 1])
    }
    const [rule, given] = args
    if (definition.name !== 'apply' || rule?.kind !== 'rule' || !isWholeSource(given)) return 'any'
    const applied = this.#program.rules.get(rule.rule)
    return applied === undefined ? 'any' : this.idOf(applied, 'none').form
  }

  /** Writes after which the target of a deleted source may be alive. */
  revivalsOf({ block }: RuleNode): readonly Place[] {
    const places: Place[] = []
    walk(block, {
      transform: ({ definition: { name }, arguments: [first, second, third], pointer }) => {
        const written =
          name === 'add' || name === 'add-if'
            ? first
            : name === 'rename'
              ? second
              : name === 'make-ni'
                ? third
                : undefined
        const isDelete = name === 'add' && second?.kind === 'constant' && second.value === true
        const revives = written !== undefined && this.#mayWrite(written, '_deleted') && !isDelete
        if (revives || (name === 'remove' && patternsMatch(first, '_deleted'))) places.push({ pointer, what: name })
      },
    })
    return places
  }

  #mayWrite(names: ArgumentNode | undefined, property: string): boolean {
    const constant = constantNames(names)
    return constant === null || constant.some((name) => qualify(name, this.#settings) === property)
  }

  #isExactly(names: ArgumentNode | undefined, property: string): boolean {
    const constant = constantNames(names)
    return constant?.length === 1 && qualify(constant[0] as string, this.#settings) === property
  }
}

/** The transform alone, to be walked. */
const only = (transform: TransformNode): BlockNode => ({
  kind: 'block',
  pointer: transform.pointer,
  transforms: [transform],
})

/** Null: they are computed. */
function constantNames(names: ArgumentNode | undefined): readonly string[] | null {
  if (names?.kind !== 'constant') return null
  const list: readonly Value[] = isList(names.value) ? names.value : [names.value]
  return list.filter((name) => typeof name === 'string')
}

/** A pattern without a namespace may stand for the name in any. */
const patternsMatch = (patterns: ArgumentNode | undefined, name: string): boolean =>
  patterns !== undefined &&
  (constantNames(patterns) ?? ['*']).some((pattern) => wildcard(pattern)(name) || wildcard(identifierOf(pattern))(name))

const isSource = ({ variable }: PathNode): boolean => variable.name === '_S'

const isSourceId = (node: ArgumentNode | undefined): boolean =>
  node?.kind === 'path' && isSource(node) && node.elements.length === 1 && node.elements[0] === '_id'

const isWholeSource = (node: ArgumentNode | undefined): boolean =>
  node?.kind === 'path' && isSource(node) && node.elements.length === 0

/** Transforms that a deleted source never reaches: those behind a filter or discard for living ones, or within such an if. */
function livingParts(block: BlockNode, isAlive = false): Set<TransformNode> {
  const living = new Set<TransformNode>()
  for (const transform of block.transforms) {
    const { definition, arguments: args } = transform
    if (isAlive) living.add(transform)
    const [condition, ...parts] = args
    for (const [place, part] of parts.entries()) {
      if (part?.kind !== 'block') continue
      const isThen = definition.name === 'if' && place === 0
      for (const within of livingParts(part, isAlive || (isThen && meansLiving(condition)))) living.add(within)
    }
    const isGuard = definition.name === 'filter' || definition.name === 'discard'
    if (isGuard && meansLiving(condition)) isAlive = true
  }
  return living
}

/** Whether the condition is false of every deleted source. */
function meansLiving(condition: ArgumentNode | undefined): boolean {
  if (condition?.kind !== 'call') return false
  const { name } = condition.definition
  const args = condition.arguments
  if (name === 'and') return args.some(meansLiving)
  if (name === 'not') return isDeletedMark(args[0])
  if (name === 'neq') return comparesMark(condition, true)
  return name === 'eq' && comparesMark(condition, false)
}

const comparesMark = ({ arguments: [a, b] }: CallNode, to: boolean): boolean =>
  [
    [a, b],
    [b, a],
  ].some(
    ([mark, value]) =>
      isDeletedMark(mark) &&
      (value as Node | undefined)?.kind === 'constant' &&
      (value as { value: Value }).value === to,
  )

const isDeletedMark = (node: ArgumentNode | undefined): boolean =>
  node?.kind === 'path' && isSource(node) && node.elements.length === 1 && node.elements[0] === '_deleted'
