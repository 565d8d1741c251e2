/** Which property of a target comes from which properties of sources and datasets, read off the rules. */

import { entries } from '../model/dict.ts'
import { isDict, isList } from '../model/value.ts'
import { reachableRules } from './check.ts'
import { listOf } from './coerce.ts'
import type { DtlSettings, Origin, PropertyLineage, RuleLineage } from './contract.ts'
import { qualify } from './namespaces.ts'
import { joinPath, splitPath } from './path.ts'
import type {
  ArgumentNode,
  BlockNode,
  CallNode,
  HopsNode,
  Parameter,
  PathNode,
  ProgramNode,
  ReturnNode,
  RuleNode,
  SpecNode,
  TemplateNode,
  TransformNode,
} from './syntax.ts'
import { wildcard } from './wildcard.ts'

/** Every rule that can run, each with its own source as `source`; what it applies is followed into the other rules. */
export function lineageOf(program: ProgramNode, settings: DtlSettings): readonly RuleLineage[] {
  const tracer = new Tracer(program, settings)
  return reachableRules(program).map((rule) => tracer.ownLineage(rule))
}

/** What is known of a value: where it comes from, and the properties of targets that rules made of it. */
interface Known {
  readonly origins: readonly Origin[]
  readonly made: readonly PropertyLineage[]
}

const NOTHING: Known = { origins: [], made: [] }

/** The variables of a rule at one place. */
interface Scene {
  readonly source: Known
  readonly current: Known
  readonly parent: Scene | null
  readonly root: Scene | null
  /** What was written so far. */
  readonly writes: PropertyLineage[]
  readonly isConditional: boolean
  /** Rules around it: none is followed into itself. */
  readonly within: readonly string[]
}

/** Rules followed into one another for one rule at most; beyond it only the origins of what they are applied to are told. */
const MAX_FOLLOWED = 5_000

/** Functions that give their values, or some of them, as they are. */
const PASSING: ReadonlySet<string> = new Set(
  (
    'case case-eq coalesce coalesce-args combine difference distinct filter first flatten hops if if-null insert ' +
    'intersection last list nth reversed slice sorted sorted-descending union'
  ).split(' '),
)

const FUNCTIONS: ReadonlySet<string> = new Set(['function-expression', 'default-value-expression'])

/** The condition of `if` and `case`, and the function of those that choose among their values. */
const isChoosing = (name: string, parameter: Parameter | undefined): boolean =>
  ((name === 'if' || name === 'case') && parameter?.kind === 'boolean-expression') ||
  (CHOOSING.has(name) && parameter?.kind === 'function-expression')

const CHOOSING: ReadonlySet<string> = new Set(['coalesce', 'distinct', 'filter', 'sorted', 'sorted-descending'])

class Tracer {
  readonly #program: ProgramNode
  readonly #settings: DtlSettings
  #reads = new Map<string, Origin>()
  #followed = 0

  constructor(program: ProgramNode, settings: DtlSettings) {
    this.#program = program
    this.#settings = settings
  }

  ownLineage(rule: RuleNode): RuleLineage {
    this.#reads = new Map()
    this.#followed = 0
    const source = { origins: [origin('source', null)], made: [] }
    const writes = this.#trace(rule, source, null)
    return { rule: rule.id, reads: [...this.#reads.values()], writes }
  }

  #trace(rule: RuleNode, source: Known, caller: Scene | null): PropertyLineage[] {
    const scene: Scene = {
      source,
      current: NOTHING,
      parent: caller,
      root: caller?.root ?? caller,
      writes: [],
      isConditional: false,
      within: [...(caller?.within ?? []), rule.id],
    }
    // A target starts with the id of its source (dtl.md §1).
    if (caller === null && rule.id === 'default') {
      const { origins } = step(source, '_id')
      scene.writes.push({ ...written(rule.pointer, 'start', '_id', false), from: origins })
    }
    this.#block(rule.block, scene)
    return scene.writes
  }

  #block({ transforms }: BlockNode, scene: Scene): void {
    for (const transform of transforms) this.#transform(transform, scene)
  }

  #transform(node: TransformNode, scene: Scene): void {
    const { definition, arguments: args } = node
    const [first, second] = args
    switch (definition.name) {
      case 'add':
      case 'default':
        this.#add(node, first, this.#known(second, scene), scene)
        break
      case 'add-if': {
        const value = this.#known(args[2], scene)
        this.#known(second, { ...scene, current: value })
        this.#add(node, first, value, { ...scene, isConditional: true })
        break
      }
      case 'copy':
        for (const pattern of patternsOf(first)) this.#copy(node, pattern, patternsOf(second), scene)
        break
      case 'rename':
        this.#rename(node, namesOf(first), namesOf(second) ?? [], scene)
        break
      case 'make-ni': {
        const [, from, to] = args
        const names = namesOf(from)
        this.#rename(node, names, namesOf(to) ?? names?.map((name) => `${name}-ni`) ?? [], scene)
        break
      }
      case 'remove':
        for (const pattern of patternsOf(first)) {
          scene.writes.push({ ...this.#written(node, pattern, scene), effect: 'remove', from: [] })
        }
        break
      case 'merge':
      case 'merge-union':
        this.#merge(node, this.#known(first, scene), scene)
        break
      case 'create-child':
        this.#write(node, '$children', this.#known(first, scene), scene)
        break
      default:
        for (const argument of args) {
          if (argument?.kind === 'block') this.#block(argument, { ...scene, isConditional: true })
          else this.#known(argument, scene)
        }
    }
  }

  #add(node: TransformNode, property: ArgumentNode | undefined, value: Known, scene: Scene): void {
    const names = namesOf(property)
    if (names === null) this.#known(property, scene)
    for (const name of names ?? [null])
      this.#write(node, name === null ? null : qualify(name, this.#settings), value, scene)
  }

  #copy(node: TransformNode, pattern: string, except: readonly string[], scene: Scene): void {
    const { origins, made } = scene.source
    for (const one of origins) {
      const from = [this.#read(extended(one, pattern, isPattern(pattern)))]
      scene.writes.push({ ...this.#written(node, pattern, scene), except, from })
    }
    for (const one of made) {
      const name = headOf(one.property)
      if (!matches(pattern, name) || except.some((barred) => name !== null && matches(barred, name))) continue
      scene.writes.push({ ...one, pointer: node.pointer, by: 'copy' })
    }
  }

  #rename(node: TransformNode, from: readonly string[] | null, to: readonly string[], scene: Scene): void {
    if (from === null) this.#write(node, to[0] ?? null, this.#readAll(scene.source), scene)
    from?.forEach((name, place) => {
      this.#write(node, to[place] ?? null, this.#readAll(step(scene.source, name)), scene)
    })
  }

  #merge(node: TransformNode, { origins, made }: Known, scene: Scene): void {
    for (const one of origins) {
      scene.writes.push({ ...this.#written(node, '*', scene), from: [extended(one, '*', true)] })
    }
    for (const one of made) scene.writes.push({ ...one, pointer: node.pointer, by: node.definition.name })
  }

  /** A property, and below it those of the targets it holds. */
  #write(node: TransformNode, property: string | null, { origins, made }: Known, scene: Scene): void {
    const own = this.#written(node, property, scene)
    scene.writes.push({ ...own, isPattern: false, from: origins })
    for (const one of made) {
      if (one.effect === 'remove' || property === null) continue
      const below = one.property === null ? null : `${quoted(property)}.${one.property}`
      const { isPattern, except, from } = one
      scene.writes.push({ ...own, property: below, isPattern, except, from })
    }
  }

  #written({ pointer, definition }: TransformNode, property: string | null, { isConditional }: Scene) {
    return written(pointer, definition.name, property, isConditional)
  }

  #known(node: ArgumentNode | TemplateNode | undefined, scene: Scene): Known {
    switch (node?.kind) {
      case 'path':
        return this.#readAll(this.#path(node, scene))
      case 'constant':
        return isDict(node.value) ? madeOf(entries(node.value).map(([name]) => [name, NOTHING] as const)) : NOTHING
      case 'call':
        return this.#call(node, scene)
      case 'hops':
        return this.#hops(node, scene)
      case 'template':
        return madeOf(node.properties.map(([name, value]) => [name, this.#known(value, scene)] as const))
      default:
        return NOTHING
    }
  }

  #call(node: CallNode, scene: Scene): Known {
    const { name } = node.definition
    const [first, second] = node.arguments
    if (first?.kind === 'rule') return this.#apply(first.rule, this.#known(second, scene), scene)
    if (name === 'lookup-entity' && first?.kind === 'constant') {
      this.#known(second, scene)
      return { origins: [origin('dataset', String(first.value))], made: [] }
    }
    const names = name === 'path' ? namesOf(first) : null
    if (names !== null) return this.#readAll(names.reduce(step, this.#known(second, scene)))
    if (name === 'dict' && node.arguments.length > 1) return this.#dict(node, scene)
    const values = this.#values(node, scene)
    return PASSING.has(name) ? values : { origins: flat(values), made: [] }
  }

  /** Functions that are called for each value see the other arguments as `_`; what only chooses gives nothing. */
  #values({ definition, arguments: args, parameters }: CallNode, scene: Scene): Known {
    const givers: Known[] = []
    const isFunction = (place: number) => FUNCTIONS.has(parameters[place]?.kind ?? '')
    const look = (place: number, at: Scene) => {
      const known = this.#known(args[place], at)
      if (!isChoosing(definition.name, parameters[place])) givers.push(known)
    }
    args.forEach((_, place) => {
      if (!isFunction(place)) look(place, scene)
    })
    const inner = { ...scene, current: union(givers) }
    args.forEach((_, place) => {
      if (isFunction(place)) look(place, inner)
    })
    return union(givers)
  }

  #dict({ arguments: args }: CallNode, scene: Scene): Known {
    const pairs: (readonly [string | null, Known])[] = []
    for (let place = 0; place + 1 < args.length; place += 2) {
      const names = namesOf(args[place])
      if (names === null) this.#known(args[place], scene)
      pairs.push([names?.[0] ?? null, this.#known(args[place + 1], scene)])
    }
    return madeOf(pairs)
  }

  #apply(id: string, values: Known, scene: Scene): Known {
    const rule = this.#program.rules.get(id)
    if (rule === undefined || scene.within.includes(id) || this.#followed++ > MAX_FOLLOWED)
      return { origins: flat(values), made: [] }
    return { origins: [], made: this.#trace(rule, values, scene) }
  }

  #hops({ specs }: HopsNode, scene: Scene): Known {
    let source = scene.source
    for (const spec of specs) {
      const within = { ...scene, source }
      for (const condition of spec.where) this.#known(condition, within)
      for (const { expression } of spec.subsets) this.#known(expression, within)
      const outputs = this.#returned(spec.returns, within)
      source = spec.recurse && !spec.excludesRoot ? union([source, outputs]) : outputs
    }
    return source
  }

  #returned(returns: ReturnNode, scene: Scene): Known {
    if (returns.kind === 'value') return this.#known(returns.value, scene)
    return { origins: returns.aliases.map(ofAlias), made: [] }
  }

  #path({ variable, elements }: PathNode, scene: Scene): Known {
    switch (variable.name) {
      case '_S':
        return elements.reduce(step, scene.source)
      case '_T':
        return elements.reduce(step, { origins: [], made: scene.writes })
      case '_':
        return elements.reduce(step, scene.current)
      case '_B':
        return elements.reduce(step, { origins: [origin('request', null)], made: [] })
      case 'alias':
        return elements.reduce(step, { origins: [ofAlias(variable)], made: [] })
      default:
        return ofContext(variable.name === '_P' ? scene.parent : (scene.root ?? scene), elements)
    }
  }

  #readAll(known: Known): Known {
    for (const one of known.origins) this.#read(one)
    return known
  }

  #read(one: Origin): Origin {
    this.#reads.set(keyOf(one), one)
    return one
  }
}

function ofContext(scene: Scene | null, [first, ...rest]: readonly string[]): Known {
  if (scene === null) return NOTHING
  if (first === '_P') return ofContext(scene.parent, rest)
  return rest.reduce(step, first === '_S' ? scene.source : { origins: [], made: scene.writes })
}

const ofAlias = ({ dataset }: SpecNode['aliases'][number]): Origin => origin('dataset', dataset)

const origin = (from: Origin['from'], dataset: string | null): Origin => ({ from, dataset, path: '', isPattern: false })

const written = (pointer: string, by: string, property: string | null, isConditional: boolean) => ({
  pointer,
  by,
  property: property === null ? null : quoted(property),
  except: [],
  isPattern: property !== null && isPattern(property),
  effect: 'write' as const,
  isConditional,
})

const isPattern = (name: string): boolean => /[*?]/.test(name)

/** One element of a path further. */
function step({ origins, made }: Known, element: string): Known {
  const results: Known[] = [{ origins: origins.map((one) => extended(one, element, false)), made: [] }]
  for (const one of made) {
    if (one.effect === 'remove' || !matches(headOf(one.property), element)) continue
    if (one.except.some((barred) => matches(barred, element))) continue
    const rest = one.property === null ? null : tailOf(one.property)
    const from = one.isPattern && rest === null ? one.from.map((from) => named(from, element)) : one.from
    if (rest === null) results.push({ origins: from, made: [] })
    else results.push({ origins: [], made: [{ ...one, property: rest, from }] })
  }
  return union(results)
}

/** A property that was copied by a pattern is one certain property of the origin. */
const named = (one: Origin, name: string): Origin =>
  one.isPattern
    ? { ...one, path: [...elementsOf(one).slice(0, -1), name].map(quoted).join('.'), isPattern: false }
    : one

const extended = (one: Origin, element: string, isPattern: boolean): Origin =>
  one.isPattern
    ? one
    : { ...one, path: one.path === '' ? quoted(element) : `${one.path}.${quoted(element)}`, isPattern }

const quoted = (element: string): string => joinPath('_', [element]).slice(2)

const elementsOf = ({ path }: Origin): readonly string[] => (path === '' ? [] : partsOf(path))

const patternsOf = (node: ArgumentNode | undefined): readonly string[] =>
  node?.kind === 'constant' ? (listOf(node.value) as readonly string[]) : []

/** Names and patterns as written; a name without namespace stands for that name in all of them. */
function matches(pattern: string | null, name: string | null): boolean {
  if (pattern === null || name === null) return true
  const bare = (text: string) => text.slice(text.lastIndexOf(':') + 1)
  return wildcard(bare(pattern))(bare(name))
}

const partsOf = (property: string): readonly string[] => splitPath(`_.${property}`).elements

const headOf = (property: string | null): string | null => (property === null ? null : (partsOf(property)[0] ?? null))

/** What is below the first name, or null when that is all. */
function tailOf(property: string): string | null {
  const rest = partsOf(property).slice(1)
  return rest.length === 0 ? null : rest.map(quoted).join('.')
}

function madeOf(pairs: readonly (readonly [string | null, Known])[]): Known {
  const made = pairs.flatMap(([name, { origins, made }]): PropertyLineage[] => [
    { ...written('', 'dict', name, false), isPattern: false, from: origins },
    ...made.map((one) => ({
      ...one,
      property: name === null || one.property === null ? null : `${quoted(name)}.${one.property}`,
    })),
  ])
  return { origins: [], made }
}

const flat = ({ origins, made }: Known): readonly Origin[] =>
  distinct([...origins, ...made.flatMap(({ from }) => from)])

const union = (all: readonly Known[]): Known => ({
  origins: distinct(all.flatMap(({ origins }) => origins)),
  made: all.flatMap(({ made }) => made),
})

const distinct = (origins: readonly Origin[]): readonly Origin[] => [
  ...new Map(origins.map((one) => [keyOf(one), one])).values(),
]

const keyOf = ({ from, dataset, path, isPattern }: Origin): string => JSON.stringify([from, dataset, path, isPattern])

/** The names an argument stands for when they are constant. */
function namesOf(node: ArgumentNode | undefined): readonly string[] | null {
  if (node?.kind === 'constant') {
    const { value } = node
    return typeof value === 'string'
      ? [value]
      : isList(value)
        ? (value.filter((name) => typeof name === 'string') as string[])
        : null
  }
  if (node?.kind !== 'call' || node.definition.name !== 'list') return null
  const lists = node.arguments.map(namesOf)
  return lists.includes(null) ? null : lists.flatMap((names) => names ?? [])
}
