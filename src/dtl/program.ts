/** A compiled program: its rules linked to each other, run for one entity after the other. */

import { type Dict, getStored, setStored, storedKey, values } from '../model/dict.ts'
import { type Entity, isDeleted } from '../model/entity.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { isRecursive, reachableRules } from './check.ts'
import { compileBlock } from './closures.ts'
import type { DtlSettings, RunContext } from './contract.ts'
import { DtlError, located, tooDeep } from './errors.ts'
import { Frame, Run, rowsFor } from './frame.ts'
import { compileHops } from './hops.ts'
import { type ApplyRule, FILTERED, GO_ON, type ProgramNode, type RuleNode, type Step, type Tools } from './syntax.ts'
import { targetMaker } from './target.ts'
import type { Tracer } from './trace.ts'
import { compileTrigger } from './trigger.ts'

/** Rules within one another at most (dtl.md §3.2). */
const MAX_DEPTH = 1_000

const ID = storedKey('_id')
const DELETED = storedKey('_deleted')
const FILTERED_MARK = storedKey('_filtered')

/** The program of one transform; kept by the pipe, since it remembers the namespaces it made up. */
export class Program {
  readonly #rules = new Map<string, CompiledRule>()
  readonly #start: CompiledRule
  readonly #idRequired: boolean
  /** Only rules that apply themselves can nest values without end. */
  readonly #isRecursive: boolean
  readonly #isMeant: ((entity: Entity) => boolean) | null

  /** Namespaces it made up for URIs; a traced twin shares them. */
  readonly #namespaceFor: (prefix: string) => string | null

  /**
   * With the program it is the traced twin of, it tells every step of a run to a tracer, slowly. `namespaceFor` makes up
   * namespaces; absent: it does so itself.
   */
  constructor(
    node: ProgramNode,
    settings: DtlSettings,
    twin?: Program,
    namespaceFor: (prefix: string) => string | null = madeUpNamespaces(settings.pipe),
  ) {
    this.#namespaceFor = twin === undefined ? namespaceFor : twin.#namespaceFor
    const tools = this.#tools(node, settings, twin !== undefined)
    for (const rule of reachableRules(node)) this.#rules.set(rule.id, new CompiledRule(rule))
    for (const rule of this.#rules.values()) rule.compile(tools)
    this.#start = this.#rules.get('default') as CompiledRule
    this.#idRequired = node.idRequired
    this.#isRecursive = isRecursive(node)
    this.#isMeant = node.trigger === null ? null : compileTrigger(node.trigger, settings)
  }

  /** What the source becomes: the entities of `create`, then the target (dtl.md §1). */
  run(source: Entity, context: RunContext, tracer: Tracer | null = null): readonly Entity[] {
    // A filtered entity of an earlier transform travels on (dtl.md §14).
    if (getStored(source, FILTERED_MARK) === true) return [source]
    if (this.#isMeant !== null && !this.#isMeant(source)) return [source]
    const run = new Run(context, undefined, tracer)
    const frame = new Frame(source, startOf(source, this.#start.newTarget()), null, run, rowsFor(this.#start.slots))
    try {
      const outcome = this.#start.run(frame)
      if (outcome === GO_ON) this.#emit(frame)
      if (outcome === FILTERED) emitFiltered(frame)
      if (run.collected > 0) context.meter?.source(run.collected)
      if (this.#isRecursive) for (const entity of run.emitted) checkNesting(entity)
    } catch (thrown) {
      const error = located(thrown, this.#start.pointer)
      const id = getStored(source, ID)
      error.entity = typeof id === 'string' ? id : null
      throw error
    }
    return run.emitted
  }

  #emit({ target, run }: Frame): void {
    if (typeof getStored(target, ID) === 'string') run.emitted.push(target)
    else if (this.#idRequired) {
      run.tracer?.refuse(target)
      throw new DtlError('bad-id', 'The target has no string _id.', {
        hint: 'Add one, or set "id_required": false to have entities without one left out.',
      })
    }
  }

  #tools({ idRequired }: ProgramNode, settings: DtlSettings, isTraced: boolean): Tools {
    const tools: Tools = {
      settings,
      idRequired,
      isTraced,
      rule: (id) => this.#applyRule(id),
      hops: (node) => compileHops(node, tools),
      namespaceFor: this.#namespaceFor,
    }
    return tools
  }

  /** Looked up when it is first called: rules may apply one another in a circle. */
  #applyRule(id: string): ApplyRule {
    let rule: CompiledRule | undefined
    return (value, caller) => {
      rule ??= this.#rules.get(id) as CompiledRule
      const { tracer } = caller.run
      if (tracer === null) return rule.applyTo(value, caller)
      const applied = rule
      const apply = () => {
        tracer.input(value)
        return applied.applyTo(value, caller)
      }
      return tracer.step(
        { kind: 'rule', name: id, pointer: rule.pointer, constants: [] },
        apply,
        (target) => target ?? null,
      )
    }
  }
}

class CompiledRule {
  readonly #node: RuleNode
  readonly newTarget = targetMaker()
  run: Step = () => GO_ON

  constructor(node: RuleNode) {
    this.#node = node
  }

  compile(tools: Tools): void {
    this.run = compileBlock(this.#node.block, tools)
  }

  get slots(): number {
    return this.#node.slots
  }

  get pointer(): string {
    return this.#node.pointer
  }

  /** The target made of a value; undefined when the rule filters or discards it (dtl.md §9.7). */
  applyTo(value: Value, caller: Frame): Value | undefined {
    const { run } = caller
    if (run.depth >= MAX_DEPTH) throw tooDeep()
    run.depth++
    const frame = new Frame(value, this.newTarget(), caller, run, rowsFor(this.#node.slots))
    const outcome = this.run(frame)
    run.depth--
    return outcome === GO_ON ? frame.target : undefined
  }
}

/** A target starts with the id of its source, and deleted when that is (dtl.md §1). */
function startOf(source: Entity, target: Dict): Dict {
  const id = getStored(source, ID)
  if (id !== undefined) setStored(target, ID, id)
  if (isDeleted(source)) setStored(target, DELETED, true)
  return target
}

/** The target built so far, marked; without an id there is nothing that a sink could delete. */
function emitFiltered({ target, run }: Frame): void {
  if (typeof getStored(target, ID) !== 'string') return
  setStored(target, FILTERED_MARK, true)
  run.emitted.push(target)
}

/** Lists and dicts within one another at most: JSON of more is refused when it is read again. */
const MAX_NESTING = 500

function checkNesting(value: Value, depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > MAX_NESTING) {
    throw new DtlError('nested-too-deep', `Lists and dicts are nested more than ${MAX_NESTING} deep.`, {
      hint: 'Let the rule that applies itself collect its results in one list.',
    })
  }
  if (isList(value)) for (const element of value) checkNesting(element, depth + 1)
  else if (isDict(value)) for (const property of values(value)) checkNesting(property, depth + 1)
}

/** URI prefixes that a program makes up namespaces for, at most. */
const MAX_MADE_UP = 100_000

/** `<pipe>-1`, `<pipe>-2` … for URI prefixes in the order in which they come up (dtl.md §9.14). */
function madeUpNamespaces(pipe: string): (prefix: string) => string | null {
  const made = new Map<string, string>()
  return (prefix) => {
    const known = made.get(prefix)
    if (known !== undefined || made.size >= MAX_MADE_UP) return known ?? null
    const namespace = `${pipe}-${made.size + 1}`
    made.set(prefix, namespace)
    return namespace
  }
}
