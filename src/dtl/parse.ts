/** JSON → frozen nodes: what each part of a program is, with every mistake of form at once (dtl.md §3). */

import { didYouMean, pointerStep } from '../config/problems.ts'
import { type Dict, dictOf, entries, get, has, names } from '../model/dict.ts'
import { decodeTransit } from '../model/transit.ts'
import { isDict, isInteger, isList, type Value } from '../model/value.ts'
import { arityText, type Bound, bind } from './binding.ts'
import { functions } from './functions/index.ts'
import { parseHops } from './parse-hops.ts'
import { splitPath, variableOf } from './path.ts'
import { BUILT_IN, type Problems, Scope } from './scope.ts'
import { checkSecrets, secretCall } from './secret.ts'
import { signaturesOf } from './signature.ts'
import type {
  ArgumentNode,
  BlockNode,
  ConstantNode,
  FunctionDefinition,
  Node,
  Parameter,
  PathNode,
  ProgramNode,
  RuleNode,
  TransformDefinition,
  TransformNode,
} from './syntax.ts'
import { transforms } from './transforms/index.ts'

const EXAMPLE = 'For example {"type": "dtl", "rules": {"default": [["copy", "*"]]}}.'
const PROPERTIES = ['type', 'rules', 'id_required', 'trigger_on', 'comment']

/** Reads the transform object; null when it is not even the frame of a program. */
export function parseProgram(transform: Value, problems: Problems): ProgramNode | null {
  if (!isDict(transform)) {
    problems.error('', 'A DTL transform must be an object with "rules".', EXAMPLE)
    return null
  }
  for (const name of names(transform)) {
    if (PROPERTIES.includes(name)) continue
    const hint = didYouMean(name, PROPERTIES) ?? `Properties are ${PROPERTIES.join(', ')}.`
    problems.warning(pointerStep(name), `A DTL transform has no property '${name}'.`, hint)
  }
  const idRequired = get(transform, 'id_required') ?? true
  if (typeof idRequired !== 'boolean')
    problems.error('/id_required', '"id_required" must be true or false.', 'Write it without quotes.')
  const rules = get(transform, 'rules')
  if (!isDict(rules)) {
    problems.error(
      rules === undefined ? '' : '/rules',
      'A DTL transform needs "rules": an object with a rule named "default".',
      EXAMPLE,
    )
    return null
  }
  if (!has(rules, 'default'))
    problems.error('/rules', 'The rule "default" is missing: it is where a program starts.', EXAMPLE)
  const parsed = new Map(entries(rules).map(([id, rule]) => [id, parseRule(id, rule, problems)]))
  checkSecrets(transform, problems.secrets, problems)
  return Object.freeze({ rules: parsed, idRequired: idRequired !== false, trigger: parseTrigger(transform, problems) })
}

function parseRule(id: string, rule: Value, problems: Problems): RuleNode {
  const pointer = `/rules${pointerStep(id)}`
  const scope = new Scope(problems)
  const block = parseBlock(rule, pointer, scope, `The rule "${id}"`)
  return Object.freeze({ id, pointer, block, slots: scope.slots })
}

/** Which entities a transform of any type is for (dtl.md §3.1); null: all. */
export function parseTrigger(transform: Dict, problems: Problems): ProgramNode['trigger'] {
  const trigger = get(transform, 'trigger_on')
  if (trigger === undefined) return null
  const key = isDict(trigger) ? (get(trigger, 'key') ?? '_trigger') : null
  if (!isDict(trigger) || typeof key !== 'string' || !has(trigger, 'value')) {
    problems.error(
      '/trigger_on',
      '"trigger_on" must be an object with "value", and "key" if it is not "_trigger".',
      'For example {"key": "type", "value": "order*"}.',
    )
    return null
  }
  const path = parsePath(`_S.${key}`, '/trigger_on/key', new Scope(problems))
  return path.kind === 'path' ? Object.freeze({ path, value: decoded(get(trigger, 'value') as Value) }) : null
}

/** One transform or a list of them, told apart by the first element. */
function parseBlock(value: Value, pointer: string, scope: Scope, what: string): BlockNode {
  const block = (list: readonly TransformNode[]): BlockNode =>
    Object.freeze({ kind: 'block', pointer, transforms: Object.freeze(list) })
  if (!isList(value)) {
    scope.problems.error(
      pointer,
      `${what} must be a list of transforms.`,
      'For example [["copy", "*"], ["add", "n", 1]].',
    )
    return block([])
  }
  const nodes =
    typeof value[0] === 'string'
      ? [parseTransform(value, pointer, scope)]
      : value.map((one, place) => parseTransform(one, pointer + pointerStep(place), scope))
  return block(nodes.filter((node) => node !== null))
}

function parseTransform(value: Value, pointer: string, scope: Scope): TransformNode | null {
  const { problems } = scope
  if (!isList(value) || typeof value[0] !== 'string') {
    problems.error(
      pointer,
      'A transform must be a list that starts with the name of a transform.',
      'For example ["copy", "*"].',
    )
    return null
  }
  const name = value[0]
  const definition = transforms.get(name)
  if (definition === undefined) {
    if (functions.has(name)) {
      problems.error(
        pointer,
        `'${name}' is an expression function, not a transform.`,
        `Use it within one: ["add", "property", ["${name}", …]].`,
      )
    } else {
      const meant = didYouMean(name, transforms.keys())
      problems.error(
        pointer,
        `Unknown transform '${name}'.`,
        meant ?? `Transforms are ${[...transforms.keys()].join(', ')}.`,
      )
    }
    return null
  }
  const args = parseArguments(value.slice(1), pointer, scope, definition)
  return args === null ? null : Object.freeze({ kind: 'transform', pointer, definition, arguments: args.nodes })
}

/** Reads an expression; what cannot be read is reported, and stands as null. */
export function parseExpression(value: Value, pointer: string, scope: Scope): Node {
  if (typeof value === 'string') return parsePath(value, pointer, scope)
  return isList(value) ? parseCall(value, pointer, scope) : constant(decoded(value), pointer)
}

const constant = (value: Value, pointer: string): ConstantNode => Object.freeze({ kind: 'constant', pointer, value })

/** Transit tags are decoded in constants, at every depth. */
function decoded(value: Value): Value {
  if (typeof value === 'string') return decodeTransit(value)
  if (isList(value)) return value.map(decoded)
  return isDict(value) ? dictOf(entries(value).map(([name, property]) => [name, decoded(property)] as const)) : value
}

/** A path when it starts with a variable that is in scope here, otherwise an ordinary string. */
function parsePath(text: string, pointer: string, scope: Scope): ConstantNode | PathNode {
  const { problems } = scope
  const name = variableOf(text)
  const variable = name === null ? null : scope.variable(name)
  if (name === null || variable === null) {
    if (name?.startsWith('_') && !BUILT_IN.has(name) && BUILT_IN.has(name.toUpperCase())) {
      problems.warning(
        pointer,
        `'${text}' is an ordinary string: there is no variable '${name}'.`,
        `Did you mean '${name.toUpperCase()}'?`,
      )
    }
    return constant(decodeTransit(text), pointer)
  }
  if (variable.name === '_' && !scope.hasCurrent) {
    problems.error(
      pointer,
      `'_' has no value here: it is bound only inside functions that are called for each value.`,
      'For the source write _S., for the target _T.',
    )
    return constant(null, pointer)
  }
  const { elements, mistake } = splitPath(text)
  if (mistake !== undefined) {
    problems.error(
      pointer,
      `The path '${text}' cannot be read: ${mistake}.`,
      'Write an element with dots in single quotes, and a quote within it twice.',
    )
    return constant(null, pointer)
  }
  return Object.freeze({ kind: 'path', pointer, variable: Object.freeze(variable), elements: Object.freeze(elements) })
}

function parseCall(value: readonly Value[], pointer: string, scope: Scope): Node {
  const { problems } = scope
  const name = value[0]
  if (typeof name !== 'string') {
    problems.error(
      pointer,
      'A list in an expression must start with the name of a function.',
      'Write a list of values as ["list", …].',
    )
    return constant(null, pointer)
  }
  const given = value.slice(1)
  const definition = functions.get(name)
  if (definition === undefined) {
    reportUnknown(name, pointer, problems)
    parseLoosely(given, pointer, scope)
    return constant(null, pointer)
  }
  if (name === 'literal' && given.length === 1) return constant(decoded(given[0] as Value), pointer)
  const args = parseArguments(given, pointer, scope, definition)
  if (args === null) return constant(null, pointer)
  return Object.freeze({ kind: 'call', pointer, definition, arguments: args.nodes, parameters: args.parameters })
}

function reportUnknown(name: string, pointer: string, problems: Problems): void {
  if (transforms.has(name)) {
    problems.error(
      pointer,
      `'${name}' is a transform, not an expression function.`,
      'Transforms stand in rules, and in the branches of if, case and case-eq.',
    )
  } else {
    const meant = didYouMean(name, functions.keys())
    problems.error(pointer, `Unknown function '${name}'.`, meant ?? 'Write a list of values as ["list", …].')
  }
}

/** Only for the mistakes within: nobody knows what these arguments are to a function that is not known. */
function parseLoosely(given: readonly Value[], pointer: string, scope: Scope): void {
  given.forEach((argument, place) => {
    if (isList(argument) && typeof argument[0] === 'string' && functions.has(argument[0])) {
      parseExpression(argument, pointer + pointerStep(place + 1), scope.withCurrent())
    }
  })
}

interface ParsedArguments {
  readonly nodes: readonly (ArgumentNode | undefined)[]
  readonly parameters: readonly Parameter[]
}

function parseArguments(
  given: readonly Value[],
  pointer: string,
  scope: Scope,
  definition: FunctionDefinition | TransformDefinition,
): ParsedArguments | null {
  const bound = bind(definition, given.length)
  if (bound === null) {
    scope.problems.error(
      pointer,
      `'${definition.name}' takes ${arityText(definition)}, not ${given.length}.`,
      signatureHint(definition),
    )
    parseLoosely(given, pointer, scope)
    return null
  }
  const specs = bound.parameters.findIndex(({ kind }) => kind === 'hops-spec')
  return Object.freeze(
    specs < 0 ? parseEach(given, pointer, scope, bound) : parseWithHops(given, specs, pointer, scope, bound),
  )
}

function parseEach(
  given: readonly Value[],
  pointer: string,
  scope: Scope,
  { parameters, places, size }: Bound,
): ParsedArguments {
  const nodes: (ArgumentNode | undefined)[] = new Array(size).fill(undefined)
  const all: Parameter[] = new Array(size)
  given.forEach((argument, place) => {
    const parameter = parameters[place] as Parameter
    nodes[places[place] as number] = parseArgument(argument, pointer + pointerStep(place + 1), scope, parameter)
    all[places[place] as number] = parameter
  })
  return { nodes: Object.freeze(nodes), parameters: Object.freeze(all) }
}

/** All specs of a call are one argument. */
function parseWithHops(
  given: readonly Value[],
  first: number,
  pointer: string,
  scope: Scope,
  bound: Bound,
): ParsedArguments {
  const leading = given
    .slice(0, first)
    .map((argument, place) =>
      parseArgument(argument, pointer + pointerStep(place + 1), scope, bound.parameters[place] as Parameter),
    )
  const specs = given.slice(first).map((spec, place) => ({ spec, pointer: pointer + pointerStep(first + place + 1) }))
  const hops = parseHops(specs, pointer, scope, parseExpression)
  return { nodes: Object.freeze([...leading, hops]), parameters: Object.freeze(bound.parameters.slice(0, first + 1)) }
}

function parseArgument(value: Value, pointer: string, scope: Scope, parameter: Parameter): ArgumentNode {
  const { name, kind } = parameter
  const secret = secretCall(value, pointer, parameter)
  if (secret !== null) {
    scope.problems.secrets.add(pointer)
    return secret
  }
  switch (kind) {
    case 'function-expression':
    case 'default-value-expression':
      return parseExpression(value, pointer, scope.withCurrent())
    case 'transforms':
      return parseBlock(value, pointer, scope, name)
    case 'rule-id':
      return Object.freeze({ kind: 'rule', pointer, rule: constantText(value, pointer, scope, name) })
    case 'constant-string':
      return constant(constantText(value, pointer, scope, name), pointer)
    case 'constant-integer':
      return constant(constantInteger(value, pointer, scope, name), pointer)
    case 'constant string or dict':
      return constant(
        isDict(value) ? value : constantText(value, pointer, scope, name, 'a constant string or an object'),
        pointer,
      )
    case 'wildcard-string-list':
      return constant(patterns(value, pointer, scope, name), pointer)
    case 'any':
      return constant(null, pointer)
    default:
      return parseExpression(value, pointer, scope)
  }
}

function constantText(value: Value, pointer: string, scope: Scope, name: string, wanted = 'a constant string'): string {
  if (typeof value === 'string') return value
  scope.problems.error(
    pointer,
    `${name} must be ${wanted}.`,
    'It is not evaluated, so that it is known before anything runs.',
  )
  return ''
}

function constantInteger(value: Value, pointer: string, scope: Scope, name: string): Value {
  if (isInteger(value)) return value
  scope.problems.error(
    pointer,
    `${name} must be a constant integer.`,
    'It is not evaluated, so that it is known before anything runs.',
  )
  return 0
}

function patterns(value: Value, pointer: string, scope: Scope, name: string): readonly string[] {
  if (typeof value === 'string') return [value]
  const list = isList(value) && value[0] === 'list' ? value.slice(1) : null
  if (list?.every((pattern) => typeof pattern === 'string')) return list as string[]
  scope.problems.error(
    pointer,
    `${name} must be a constant pattern, or a list of them.`,
    'For example "a*", or ["list", "a*", "b"]. It is not evaluated.',
  )
  return []
}

const signatureHint = (definition: FunctionDefinition | TransformDefinition): string =>
  `Write ${signaturesOf(definition).join(' or ')}.`
