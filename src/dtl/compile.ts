/** The language as others use it: programs, single expressions and index texts in, functions out. */

import { keyOf } from '../model/canonical.ts'
import type { Dict } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { isList, type Value } from '../model/value.ts'
import { analyse } from './analyse.ts'
import { checkIndexExpression, checkNode, checkProgram } from './check.ts'
import { compileArgument } from './closures.ts'
import type {
  Analysis,
  CompiledIndex,
  DtlProblem,
  DtlSettings,
  DtlTransform,
  Inverse,
  RuleLineage,
  RunContext,
  Trace,
} from './contract.ts'
import { DtlError, type DtlErrorCode } from './errors.ts'
import { type Explanation, explainProgram } from './explain.ts'
import { frameOf } from './frame.ts'
import { indexText, passedText, readIndexText, readPassage } from './index-text.ts'
import { invert } from './inverse.ts'
import { lineageOf } from './lineage.ts'
import { parseExpression, parseProgram, parseTrigger } from './parse.ts'
import { Impassable, isValueByValue, namesRead, type PassedProgram, sliceOf } from './passage.ts'
import { passing } from './passing.ts'
import { Program } from './program.ts'
import { rootNames } from './root-names.ts'
import { Problems, Scope } from './scope.ts'
import type { ProgramNode, Tools } from './syntax.ts'
import { Tracer } from './trace.ts'
import { compileTrigger } from './trigger.ts'
import { joinKeys } from './value-set.ts'

export { INDEX_FINGERPRINT, propertyIndexExpression, shownExpression } from './index-text.ts'

export interface Compiled {
  /** Null when there is an error among the problems. */
  readonly transform: DtlTransform | null
  readonly problems: readonly DtlProblem[]
}

/** Compiles a transform object, `{"type": "dtl", "rules": …}` (dtl.md §3.1). */
export function compileDtl(transform: Value, settings: DtlSettings): Compiled {
  const problems = new Problems()
  const node = parseProgram(transform, problems)
  if (node !== null) checkProgram(node, problems)
  if (node === null || problems.hasErrors) return { transform: null, problems: problems.all }
  const compiled = new CompiledTransform(node, settings, transform)
  if (compiled.analysis.tracked.length > 0) warnOfObstacles(compiled.inverse, problems)
  return { transform: compiled, problems: problems.all }
}

/** Where tracking stops (dtl.md §11.3); what the planner has said of the same spec is not said again. */
function warnOfObstacles({ places }: Inverse, problems: Problems): void {
  for (const { pointer, alias, tracked, obstacle } of places) {
    const at = `${pointer}/where`
    if (!tracked || obstacle === null || problems.all.some((one) => one.pointer.startsWith(at))) continue
    problems.warning(
      at,
      `No change of '${alias}' can be followed back: ${obstacle}.`,
      'Set "track-dependencies": false if that is meant.',
    )
  }
}

/** Errors that say nothing without the values that led to them; the entity is run once more to find them. */
const WITH_VALUES: ReadonlySet<string> = new Set<DtlErrorCode>(['bad-argument', 'bad-id'])

class CompiledTransform implements DtlTransform {
  readonly #program: Program
  readonly #node: ProgramNode
  readonly #settings: DtlSettings
  readonly #written: Value
  readonly analysis: Analysis
  /** Compiled when a trace is first asked for. */
  #twin: Program | null = null
  #inverse: Inverse | null = null
  #lineage: readonly RuleLineage[] | null = null

  constructor(node: ProgramNode, settings: DtlSettings, written: Value) {
    this.#written = written
    this.#node = node
    this.#settings = settings
    this.#program = new Program(node, settings)
    this.analysis = analyse(node, settings)
  }

  apply(source: Entity, context: RunContext): readonly Entity[] {
    try {
      return this.#program.run(source, context)
    } catch (error) {
      if (error instanceof DtlError && WITH_VALUES.has(error.code)) error.values = this.#traced(source, context).failed
      throw error
    }
  }

  trace(source: Entity, context: RunContext): Trace {
    return this.#traced(source, context).trace
  }

  #traced(source: Entity, context: RunContext): { readonly trace: Trace; readonly failed: readonly string[] } {
    this.#twin ??= new Program(this.#node, this.#settings, this.#program)
    const tracer = new Tracer(context.mask)
    const told = (result: readonly Entity[], error: DtlError | null) => {
      const { steps, isCut } = tracer
      return { trace: { result, error, steps, isCut }, failed: tracer.failedInput() }
    }
    try {
      return told(this.#twin.run(source, context, tracer), null)
    } catch (error) {
      if (!(error instanceof DtlError)) throw error
      error.values = tracer.failedInput()
      return told([], error)
    }
  }

  get inverse(): Inverse {
    this.#inverse ??= invert(this.#node, this.#settings)
    return this.#inverse
  }

  get lineage(): readonly RuleLineage[] {
    this.#lineage ??= lineageOf(this.#node, this.#settings)
    return this.#lineage
  }

  get passed(): PassedProgram {
    const writes = this.lineage.find(({ rule }) => rule === 'default')?.writes ?? []
    return { node: this.#node, written: this.#written, writes }
  }

  get explanation(): Explanation {
    return explainProgram(this.#node, this.inverse, this.#settings)
  }
}

export interface CompiledTrigger {
  readonly matches: (entity: Entity) => boolean
  readonly problems: readonly DtlProblem[]
}

/** `trigger_on` of a transform of another type; without one, all entities match (dtl.md §3.1). */
export function compileTriggerOf(transform: Dict, settings: DtlSettings): CompiledTrigger {
  const problems = new Problems()
  const trigger = parseTrigger(transform, problems)
  return { matches: trigger === null ? () => true : compileTrigger(trigger, settings), problems: problems.all }
}

/** How a transform does its work: the plan of each hops, the ways back, what is known beforehand. */
export const explain = (transform: DtlTransform): Explanation =>
  transform instanceof CompiledTransform ? transform.explanation : { hops: [], folded: [] }

export interface CompiledExpression {
  /** Only to be used when there is no error among the problems. */
  readonly evaluate: (entity: Entity) => Value
  /** Its text as an index. */
  readonly index: string
  /** Properties of the entity that it reads, by the names they are stored under; null: nobody knows which. */
  readonly reads: readonly string[] | null
  readonly problems: readonly DtlProblem[]
}

/** Compiles an expression over one entity, `_S`: a side of a merge rule or of a subset, or an index (dtl.md §13). */
export function compileExpression(expression: Value, settings: DtlSettings): CompiledExpression {
  const problems = new Problems()
  const node = parseExpression(expression, '', new Scope(problems))
  checkNode(node, problems)
  checkIndexExpression(node, { name: '_S' }, problems)
  if (problems.hasErrors) return { evaluate: () => null, index: '', reads: [], problems: problems.all }
  const { evaluate } = compileArgument(node, indexTools(settings))
  return {
    evaluate: (entity) => evaluate(frameOf(entity)),
    index: indexText(node, settings),
    reads: rootNames(node, settings),
    problems: problems.all,
  }
}

/** What lies between an entity of a dataset and what a program reads. */
export interface Passage {
  /** Programs before it. */
  readonly before: readonly DtlTransform[]
  /** Of the pipe. */
  readonly settings: DtlSettings
  readonly addsNamespaces: boolean
  /** Stands before the id. */
  readonly idPrefix: string
  /** It is made into one with others, the values of all of them in lists. */
  readonly isPart: boolean
  /** Whether a root property comes out of the source as the dataset has it. */
  carries(property: string): boolean
}

/**
 * The index over the entities of the dataset that has what `index` has over what the program reads of them; or why there
 * is none, and what to do.
 */
export function indexThrough(
  index: string,
  passage: Passage,
): { readonly index: string } | { readonly obstacle: string; readonly hint: string } {
  try {
    return { index: passedIndex(index, passage) }
  } catch (error) {
    if (error instanceof Impassable) return { obstacle: error.message, hint: error.hint }
    throw error
  }
}

function passedIndex(index: string, { before, settings, addsNamespaces, idPrefix, isPart, carries }: Passage): string {
  const parsed = (expression: Value) => parseExpression(expression, '', new Scope(new Problems()))
  const read = parsed(readIndexText(index).expression)
  let reads = namesRead(read)
  const through: (readonly Value[])[] = []
  for (const transform of [...before].reverse()) {
    if (!(transform instanceof CompiledTransform)) throw new Impassable(NO_PROGRAM, BY_ITSELF)
    const slice = sliceOf(transform.passed, reads)
    reads = slice.reads
    through.unshift(slice.transforms)
  }
  for (const name of reads) if (!carries(name) && !(name === '_id' && idPrefix !== '')) throw notCarried(name)
  if (isPart) {
    const added = through
      .flat()
      .flatMap((one) => (isList(one) && (one[0] === 'add' || one[0] === 'default') ? [one[2] as Value] : []))
    for (const one of [read, ...added.map(parsed)]) if (!isValueByValue(one)) throw new Impassable(SEVERAL, ONE_VALUE)
  }
  const passes = addsNamespaces || idPrefix !== '' || through.length > 0
  if (!passes) return index
  return passedText(index, { prefix: idPrefix, added: addsNamespaces ? settings.namespaces : null, through, settings })
}

const NO_PROGRAM = 'a transform before it is no program, so nobody knows what it makes of an entity'
const BY_ITSELF = 'Put it into a pipe of its own, and read its dataset.'

const SEVERAL = 'it joins on what is computed of several entities that are made one'
const ONE_VALUE =
  'Join on one property, or on a function of it that takes each value by itself; or let a pipe of its own write what is joined on.'

const notCarried = (name: string): Impassable =>
  new Impassable(`it joins on '${name}', which the source makes of more than one entity`, ONE_VALUE)

/** Recompiles the text of an index, in any thread. */
export function compileIndex(text: string): CompiledIndex {
  const passage = readPassage(text)
  const keys = compiledKeys(text)
  if (passage === null) return { keys }
  const pass = passing(passage)
  return {
    keys: (entity) => {
      const passed = pass(entity)
      return passed.length === 1 ? keys(passed[0] as Entity) : distinctKeys(passed.flatMap(keys))
    },
  }
}

const distinctKeys = (values: readonly Value[]): readonly Value[] => [
  ...new Map(values.map((value) => [keyOf(value), value])).values(),
]

function compiledKeys(text: string): (entity: Entity) => readonly Value[] {
  const { expression, settings } = readIndexText(text)
  const { evaluate, problems } = compileExpression(expression, settings)
  const mistake = problems.find(({ level }) => level === 'error')
  if (mistake !== undefined) {
    throw new DtlError('bad-argument', `The text of an index is no index expression: ${mistake.message}`, {
      hint: 'Use a text that the compiler gave.',
    })
  }
  return (entity) => keysOf(entity, evaluate)
}

/** An entity that the expression fails on has no keys: what is stored must not depend on who indexes it. */
function keysOf(entity: Entity, evaluate: (entity: Entity) => Value): readonly Value[] {
  try {
    return joinKeys(evaluate(entity))
  } catch (error) {
    if (error instanceof DtlError) return []
    throw error
  }
}

/** An index knows no rules, no other datasets, and no namespaces that a program made up. */
const indexTools = (settings: DtlSettings): Tools => ({
  settings,
  idRequired: false,
  rule: notInIndex,
  hops: notInIndex,
  namespaceFor: () => null,
})

function notInIndex(): never {
  throw new TypeError('An index expression reads one entity only.')
}
