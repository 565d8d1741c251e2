/**
 * What lies between an entity as its dataset has it and as a program sees it: an index over the dataset that knows what
 * the program will read (dtl.md §11.2).
 *
 * Of the programs before only the transforms are kept that make what is read; they are run on each entity that is indexed,
 * so names and namespaces mean there what they mean in the pipe.
 */

import { type Dict, get } from '../model/dict.ts'
import { isList, type Value } from '../model/value.ts'
import { checkIndexExpression, reachableRules } from './check.ts'
import type { PropertyLineage } from './contract.ts'
import { identifierOf } from './namespaces.ts'
import { splitPath } from './path.ts'
import { Problems } from './scope.ts'
import type { ArgumentNode, Node, ProgramNode, TransformNode } from './syntax.ts'
import { walk } from './walk.ts'
import { wildcard } from './wildcard.ts'

/** Why an index cannot know what is read, and what to do about it. */
export class Impassable extends Error {
  readonly hint: string

  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

/** A program before the one that reads. */
export interface PassedProgram {
  readonly node: ProgramNode
  /** The transform object it was made of. */
  readonly written: Value
  /** What its default rule writes. */
  readonly writes: readonly PropertyLineage[]
}

export interface Slice {
  readonly transforms: readonly Value[]
  /** Properties of its source that it reads, without namespaces. */
  readonly reads: ReadonlySet<string>
}

const JOIN_ON_OTHERS =
  'Join on properties that the transforms before copy, rename, or add from the source; or put what comes before into a pipe of its own.'

/** The transforms of a program that make the properties, whose names have no namespace. */
export function sliceOf({ node, written, writes }: PassedProgram, names: ReadonlySet<string>): Slice {
  assertOneForOne(node)
  const reads = new Set<string>([...names].filter((name) => name === '_id'))
  const kept: Value[] = []
  for (const transform of node.rules.get('default')?.block.transforms ?? []) {
    const { pointer, definition, arguments: args } = transform
    const made = writes.filter((one) => isWithin(one.pointer, pointer) && makesAny(one, names))
    if (made.length === 0) continue
    if (!PASSED.has(definition.name)) throw impassable(transform, names)
    if (definition.name === 'add' || definition.name === 'default') assertOfSource(transform, args[1], names)
    for (const name of readsOf(transform, names)) reads.add(name)
    kept.push(valueAt(written, pointer))
  }
  return { transforms: kept, reads }
}

/** They take what they write from the source alone, whenever they run. */
const PASSED: ReadonlySet<string> = new Set(['add', 'copy', 'default', 'make-ni', 'remove', 'rename'])

function assertOneForOne(node: ProgramNode): void {
  const creating = reachableRules(node).flatMap(({ block }) => transformsNamed('create', block))
  const [create] = creating
  if (create !== undefined) {
    throw new Impassable(`the transform before makes entities with 'create' (${create.pointer})`, JOIN_ON_OTHERS)
  }
  if (node.trigger !== null) throw new Impassable('the transform before is not run for all entities', JOIN_ON_OTHERS)
}

function transformsNamed(name: string, block: ArgumentNode): readonly TransformNode[] {
  const found: TransformNode[] = []
  walk(block, { transform: (node) => (node.definition.name === name ? found.push(node) : undefined) })
  return found
}

const isWithin = (pointer: string, of: string): boolean => pointer === of || pointer.startsWith(`${of}/`)

/** By the names alone: whatever the namespaces, what may be meant is. */
function makesAny({ property, except }: PropertyLineage, names: ReadonlySet<string>): boolean {
  if (property === null) return true
  const made = wildcard(identifierOf(splitPath(`_.${property}`).elements[0] ?? ''))
  const barred = except.map((one) => wildcard(identifierOf(one)))
  return [...names].some(
    (name) => made(name) && (except.some((one) => one.includes(':')) || !barred.some((one) => one(name))),
  )
}

function assertOfSource(transform: TransformNode, value: ArgumentNode | undefined, names: ReadonlySet<string>): void {
  const problems = new Problems()
  if (value !== undefined) checkIndexExpression(value as Node, { name: '_S' }, problems)
  if (problems.hasErrors) throw impassable(transform, names)
}

function readsOf({ definition, arguments: args }: TransformNode, names: ReadonlySet<string>): Iterable<string> {
  switch (definition.name) {
    case 'copy':
      return names
    case 'remove':
      return []
    case 'rename':
      return constantNames(args[0])
    case 'make-ni':
      return constantNames(args[1])
    default:
      return namesRead(args[1] as Node)
  }
}

function constantNames(node: ArgumentNode | undefined): readonly string[] {
  const value = node?.kind === 'constant' ? node.value : undefined
  const all = typeof value === 'string' ? [value] : isList(value ?? null) ? (value as readonly Value[]) : []
  return all.flatMap((name) => (typeof name === 'string' ? identifierOf(name) : []))
}

/** Properties of the one entity that an expression reads, without namespaces. */
export function namesRead(node: Node): ReadonlySet<string> {
  const names = new Set<string>()
  walk(node, {
    path: ({ variable, elements }) => {
      if (variable.name === '_') return
      const [first] = elements
      if (first === undefined) throw new Impassable('it reads the whole entity', JOIN_ON_OTHERS)
      names.add(identifierOf(first))
      // Made of the id where it is missing (dtl.md §2.2).
      if (identifierOf(first) === '$ids') names.add('_id')
    },
  })
  return names
}

function impassable({ definition, pointer }: TransformNode, names: ReadonlySet<string>): Impassable {
  const all = [...names].map((name) => `'${name}'`).join(', ')
  return new Impassable(
    `'${definition.name}' of a transform before (${pointer}) may make ${all} of more than the source`,
    JOIN_ON_OTHERS,
  )
}

function valueAt(written: Value, pointer: string): Value {
  let value: Value = written
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    value = (isList(value) ? value[Number(name)] : get(value as Dict, name)) as Value
  }
  return value
}

/**
 * Whether an expression over an entity that several were made into, with the values of all in lists, gives no more than
 * it gives over each of them: then an index over those finds what one over the whole would.
 */
export function isValueByValue(node: Node): boolean {
  if (node.kind === 'constant') return true
  if (node.kind === 'path') return node.elements.length > 0 && identifierOf(node.elements[0] as string) !== '_id'
  const { definition, arguments: args } = node
  const given = args.filter((one): one is ArgumentNode => one !== undefined && one.kind !== 'constant')
  const takesEachValue = definition.behaviour === 'M' ? given.length <= 1 : COLLECTING.has(definition.name)
  return takesEachValue && given.every((one) => (one.kind === 'call' || one.kind === 'path') && isValueByValue(one))
}

/** They give the values of all their arguments. */
const COLLECTING: ReadonlySet<string> = new Set(['combine', 'distinct', 'flatten', 'list', 'union'])
