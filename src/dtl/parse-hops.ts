/** The specs of hops: JSON → nodes (dtl.md §10.1). */

import { didYouMean, pointerStep } from '../config/problems.ts'
import { type Dict, entries, get, has, names } from '../model/dict.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { specProperties } from './hops-properties.ts'
import { BUILT_IN, type ParseExpression, type Problems, type Scope } from './scope.ts'
import type { AliasVariable, HopsNode, Node, ReturnNode, SpecNode, SubsetNode, TemplateNode } from './syntax.ts'

const PROPERTIES = specProperties.map(({ name }) => name)

interface GivenSpec {
  readonly spec: Value
  readonly pointer: string
}

export function parseHops(
  given: readonly GivenSpec[],
  pointer: string,
  scope: Scope,
  parse: ParseExpression,
): HopsNode {
  const specs = given
    .map(({ spec, pointer }, place) => parseSpec(spec, pointer, place === given.length - 1, scope, parse))
    .filter((spec) => spec !== null)
  return Object.freeze({ kind: 'hops', pointer, specs: Object.freeze(specs) })
}

function parseSpec(
  spec: Value,
  pointer: string,
  isLast: boolean,
  scope: Scope,
  parse: ParseExpression,
): SpecNode | null {
  const { problems } = scope
  if (!isDict(spec)) {
    problems.error(
      pointer,
      'A hops spec must be an object with "datasets" and "where".',
      'For example {"datasets": ["customer c"], "where": ["eq", "_S.customer", "c._id"]}.',
    )
    return null
  }
  checkNames(spec, pointer, problems)
  const aliases = parseDatasets(get(spec, 'datasets'), `${pointer}/datasets`, scope)
  const inside = scope.withAliases(aliases)
  const where = parseWhere(get(spec, 'where'), `${pointer}/where`, inside, parse)
  const recurse = flag(spec, 'recurse', false, pointer, problems)
  const returns = parseReturn(spec, pointer, { aliases, isLast, recurse }, inside, parse)
  const subsets = parseSubsets(spec, pointer, aliases, scope, parse)
  const excludesRoot = flag(spec, 'exclude_root', false, pointer, problems)
  const tracked = flag(spec, 'track-dependencies', true, pointer, problems)
  const maxDepth = parseDepth(spec, pointer, problems)
  const trace = parseTrace(spec, pointer, isLast, problems)
  for (const name of ['max_depth', 'exclude_root']) {
    if (has(spec, name) && !recurse)
      problems.warning(
        pointer + pointerStep(name),
        `"${name}" has no effect without "recurse".`,
        'Set "recurse": true, or remove it.',
      )
  }
  // Without them there is nothing to plan, and nothing more to say.
  if (aliases.length === 0 || where === null) return null
  return Object.freeze({
    pointer,
    aliases: Object.freeze(aliases),
    where: Object.freeze(where),
    returns,
    recurse,
    excludesRoot,
    maxDepth,
    tracked,
    trace,
    subsets: Object.freeze(subsets),
  })
}

function checkNames(spec: Dict, pointer: string, problems: Problems): void {
  for (const name of names(spec)) {
    const at = pointer + pointerStep(name)
    if (!PROPERTIES.includes(name))
      problems.error(
        at,
        `A hops spec has no property '${name}'.`,
        didYouMean(name, PROPERTIES) ?? `Properties are ${PROPERTIES.join(', ')}.`,
      )
    if (name === 'prefilters') problems.warning(at, '"prefilters" is the old name of "subsets".', 'Write "subsets".')
  }
}

function flag(spec: Dict, name: string, otherwise: boolean, pointer: string, problems: Problems): boolean {
  const value = get(spec, name) ?? otherwise
  if (typeof value === 'boolean') return value
  problems.error(pointer + pointerStep(name), `"${name}" must be true or false.`, 'Write it without quotes.')
  return otherwise
}

/** The name under which a run reports how many rows the spec found at most (dtl.md §10.1). */
function parseTrace(spec: Dict, pointer: string, isLast: boolean, problems: Problems): string | null {
  const trace = get(spec, 'trace')
  if (trace === undefined || trace === null) return null
  if (typeof trace !== 'string') {
    problems.error(`${pointer}/trace`, '"trace" must be a string.', 'It names the figure that each run reports.')
    return null
  }
  if (!isLast) problems.warning(`${pointer}/trace`, '"trace" should be on the last spec only.', 'Move it there.')
  return trace
}

/** Levels of recursion when nothing else is said (dtl.md §10.1). */
const MAX_DEPTH = 10

function parseDepth(spec: Dict, pointer: string, problems: Problems): number | null {
  const depth = has(spec, 'max_depth') ? get(spec, 'max_depth') : MAX_DEPTH
  if (depth === null || (typeof depth === 'number' && Number.isInteger(depth) && depth >= 0)) return depth
  problems.error(
    `${pointer}/max_depth`,
    '"max_depth" must be an integer that is not negative, or null.',
    `Null means no limit; without it the limit is ${MAX_DEPTH}.`,
  )
  return MAX_DEPTH
}

const ALIAS = /^[\p{L}\p{N}_-]+$/u

function parseDatasets(datasets: Value | undefined, pointer: string, scope: Scope): AliasVariable[] {
  const { problems } = scope
  if (datasets === undefined || !isList(datasets) || datasets.length === 0) {
    problems.error(
      pointer,
      '"datasets" must be a list of strings, each a dataset and its alias.',
      'For example ["customer c"].',
    )
    return []
  }
  const aliases: AliasVariable[] = []
  datasets.forEach((entry, place) => {
    const at = pointer + pointerStep(place)
    const parts = typeof entry === 'string' ? entry.trim().split(/\s+/) : []
    const [dataset, alias] = parts
    if (dataset === undefined || alias === undefined || parts.length !== 2) {
      problems.error(
        at,
        'An entry of "datasets" must be a dataset and its alias, separated by a space.',
        'For example "customer c".',
      )
    } else if (!ALIAS.test(alias))
      problems.error(at, `The alias '${alias}' may hold letters, digits, '_' and '-' only.`, 'Choose another.')
    else if (BUILT_IN.has(alias))
      problems.error(at, `The alias '${alias}' is the name of a variable.`, 'Choose another.')
    else if (aliases.some((other) => other.alias === alias))
      problems.error(at, `The alias '${alias}' is given twice.`, 'Each dataset needs an alias of its own.')
    else aliases.push(Object.freeze({ name: 'alias', alias, dataset, slot: scope.nextSlot() }))
  })
  return aliases
}

/** A list means `and`; told apart from one expression by the first element. */
function parseWhere(where: Value | undefined, pointer: string, scope: Scope, parse: ParseExpression): Node[] | null {
  if (where === undefined || !isList(where)) {
    scope.problems.error(
      pointer,
      '"where" must be an expression, or a list of them, that joins the datasets with _S.',
      'For example ["eq", "_S.customer", "c._id"].',
    )
    return null
  }
  if (typeof where[0] === 'string') return [parse(where, pointer, scope)]
  return where.map((expression, place) => parse(expression, pointer + pointerStep(place), scope))
}

interface Returning {
  readonly aliases: readonly AliasVariable[]
  readonly isLast: boolean
  readonly recurse: boolean
}

function parseReturn(
  spec: Dict,
  parent: string,
  { aliases, isLast, recurse }: Returning,
  scope: Scope,
  parse: ParseExpression,
): ReturnNode {
  const { problems } = scope
  const pointer = `${parent}/return`
  const last: ReturnNode = Object.freeze({ kind: 'aliases', aliases: aliases.slice(-1) })
  const given = get(spec, 'return')
  if (given === undefined) return last
  if (recurse)
    problems.error(
      pointer,
      '"return" cannot be used together with "recurse".',
      'A recursion gives entities: take what you need of them around the hops, with ["map", …].',
    )
  else if (!isLast)
    problems.error(
      pointer,
      '"return" may stand in the last spec only: the entities of the last alias go on to the next.',
      'Move it to the last spec, or remove it.',
    )
  if (typeof given === 'string') {
    const wanted = given.split(',').map((name) => aliases.find(({ alias }) => alias === name.trim()))
    if (wanted.every((alias) => alias !== undefined)) return Object.freeze({ kind: 'aliases', aliases: wanted })
    const node = parse(given, pointer, scope)
    if (node.kind === 'path') return Object.freeze({ kind: 'value', value: node })
    const known = aliases.map(({ alias }) => alias)
    problems.error(
      pointer,
      `"return" names '${given}', which is no alias of this spec, and no path.`,
      didYouMean(given.split('.')[0] as string, known) ?? `The aliases are ${known.join(', ')}.`,
    )
    return last
  }
  if (isDict(given)) return Object.freeze({ kind: 'value', value: parseTemplate(given, pointer, scope, parse) })
  if (isList(given)) return Object.freeze({ kind: 'value', value: parse(given, pointer, scope) })
  problems.error(
    pointer,
    '"return" must be aliases, a path, an expression or an object.',
    'For example "c", "c.name" or ["concat", "c.first", " ", "c.last"].',
  )
  return last
}

function parseTemplate(template: Dict, pointer: string, scope: Scope, parse: ParseExpression): TemplateNode {
  const properties = entries(template).map(([name, value]) => {
    const at = pointer + pointerStep(name)
    return Object.freeze([
      name,
      isDict(value) ? parseTemplate(value, at, scope, parse) : parse(value, at, scope),
    ] as const)
  })
  return Object.freeze({ kind: 'template', pointer, properties: Object.freeze(properties) })
}

const SUBSETS = 'For example {"c": ["eq", "_S.type", "person"]}.'

/** `["eq", INDEX_EXPRESSION, LITERAL]` for each alias (dtl.md §13). */
function parseSubsets(
  spec: Dict,
  parent: string,
  aliases: readonly AliasVariable[],
  scope: Scope,
  parse: ParseExpression,
): SubsetNode[] {
  const { problems } = scope
  const name = has(spec, 'subsets') ? 'subsets' : 'prefilters'
  const given = get(spec, name)
  const pointer = parent + pointerStep(name)
  if (given === undefined) return []
  const known = aliases.map((one) => one.alias)
  if (!isDict(given)) {
    problems.error(pointer, `"${name}" must be an object: alias → ["eq", expression, literal].`, SUBSETS)
    return []
  }
  return entries(given).flatMap(([wanted, subset]) => {
    const at = pointer + pointerStep(wanted)
    const alias = aliases.find((one) => one.alias === wanted)
    if (alias === undefined) {
      problems.error(
        at,
        `"${name}" names '${wanted}', which is no alias of this spec.`,
        didYouMean(wanted, known) ?? `The aliases are ${known.join(', ')}.`,
      )
      return []
    }
    if (!isList(subset) || subset.length !== 3 || subset[0] !== 'eq') {
      problems.error(at, 'A subset must have the form ["eq", expression, literal].', SUBSETS)
      return []
    }
    const expression = parse(subset[1] as Value, `${at}/1`, scope.withSource(alias))
    const literal = parse(subset[2] as Value, `${at}/2`, scope)
    if (literal.kind !== 'constant') {
      problems.error(
        `${at}/2`,
        'The right side of a subset must be a literal.',
        'For example "~:crm:person", not ["ni", "crm", "person"].',
      )
      return []
    }
    return [Object.freeze({ pointer: at, alias, expression, value: literal.value })]
  })
}
