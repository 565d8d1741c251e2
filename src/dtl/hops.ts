/** Hops at work: rows found through index lookups, filtered, projected, chained and recursed (dtl.md §10). */

import { newDict, setStored, storedKey } from '../model/dict.ts'
import { type Entity, idOf, isEntity } from '../model/entity.ts'
import { compareText } from '../model/order.ts'
import { isTrue, type Value } from '../model/value.ts'
import { compileArgument } from './closures.ts'
import type { IndexSpec } from './contract.ts'
import type { Frame } from './frame.ts'
import { indexText } from './index-text.ts'
import { type Check, type JoinPair, planSpec } from './plan.ts'
import { Problems } from './scope.ts'
import type { AliasVariable, Evaluate, HopsNode, Node, SpecNode, TemplateNode, Tools } from './syntax.ts'
import { joinKeys, ValueSet } from './value-set.ts'

/** What one spec gives for the `_S` of the frame. */
type RunSpec = (frame: Frame) => Value[]

/** The closure of a `hops`: each value that a spec gives is the `_S` of the next. */
export function compileHops(node: HopsNode, tools: Tools): (frame: Frame) => Value[] {
  const run = compileSpecs(node, tools)
  return (frame) => {
    const evaluation = frame.run.context.meter?.begin(node.pointer) ?? null
    if (evaluation === null) return run(frame)
    const outer = frame.run.evaluation
    frame.run.evaluation = evaluation
    const results = run(frame)
    frame.run.evaluation = outer
    return results
  }
}

function compileSpecs(node: HopsNode, tools: Tools): RunSpec {
  const specs = node.specs.map((spec, place) => {
    // The dataset whose entities are the inputs, where there is one: recursion must know an entity when it comes back.
    const from = place === 0 ? null : ((node.specs[place - 1] as SpecNode).aliases.at(-1) as AliasVariable).dataset
    return compileSpec(spec, from, tools)
  })
  const [only] = specs
  if (specs.length === 1 && only !== undefined) return only
  return (frame) => {
    const within = frame.forInputs()
    let inputs: Value[] = [frame.source]
    for (const run of specs) {
      const outputs: Value[] = []
      for (const input of inputs) {
        within.source = input
        for (const output of run(within)) outputs.push(output)
      }
      inputs = outputs
    }
    return inputs
  }
}

function compileSpec(spec: SpecNode, from: string | null, tools: Tools): RunSpec {
  const rows = compileRows(spec, tools)
  const project = compileReturn(spec, tools)
  const { trace } = spec
  const once: RunSpec = (frame) => {
    const results: Value[] = []
    if (trace === null) rows(frame, () => project(frame, results))
    else {
      let found = 0
      rows(frame, () => {
        found++
        project(frame, results)
      })
      frame.run.context.cardinality?.(trace, found)
    }
    return results
  }
  return spec.recurse ? recursive(spec, from, once) : once
}

/** Level by level, an entity once only, so that cycles end (dtl.md §10.6). */
function recursive(spec: SpecNode, from: string | null, once: RunSpec): RunSpec {
  const { dataset } = spec.aliases.at(-1) as AliasVariable
  const limit = spec.maxDepth ?? Number.POSITIVE_INFINITY
  return (frame) => {
    const start = frame.source
    const results: Value[] = spec.excludesRoot ? [] : [start]
    const visited = new Set<string>()
    // Where the first input comes from is the pipe's affair; an entity with its id is taken for the same.
    if (isEntity(start) && (from === null || from === dataset)) visited.add(idOf(start))
    const within = frame.forInputs()
    let level: Value[] = [start]
    for (let depth = 0; depth < limit && level.length > 0; depth++) {
      const next: Value[] = []
      for (const input of level) {
        within.source = input
        for (const output of once(within)) {
          const id = idOf(output as Entity)
          if (visited.has(id)) continue
          visited.add(id)
          next.push(output)
        }
      }
      for (const output of next) results.push(output)
      level = next
    }
    return results
  }
}

/** Binds every row of the spec in turn and calls back, in the order of the ids. */
type Rows = (frame: Frame, found: () => void) => void

interface CompiledStep {
  readonly slot: number
  readonly find: (frame: Frame) => readonly Entity[]
  readonly after: number
  readonly holds: (frame: Frame) => boolean
}

function compileRows(spec: SpecNode, tools: Tools): Rows {
  const plan = planSpec(spec, new Problems())
  const holdsBefore = compileChecks(plan.before, tools)
  const steps = plan.steps.map(
    ({ alias, lookups, after, checks }): CompiledStep => ({
      slot: alias.slot,
      after,
      find: compileLookups(alias, lookups, tools),
      holds: compileChecks(checks, tools),
    }),
  )
  const nested = nestedLoops(steps)
  const inPlanOrder: Rows = (frame, found) => {
    if (holdsBefore(frame)) nested(frame, found)
  }
  return plan.inOrder ? inPlanOrder : sortedRows(spec, inPlanOrder)
}

function nestedLoops(steps: readonly CompiledStep[]): Rows {
  return (frame, found) => {
    const candidates: (readonly Entity[] | null)[] = new Array(steps.length).fill(null)
    const descend = (place: number): void => {
      const step = steps[place]
      if (step === undefined) {
        found()
        return
      }
      const entities = candidates[place] ?? step.find(frame)
      candidates[place] = entities
      for (const entity of entities) {
        frame.run.spend(1)
        frame.rows[step.slot] = entity
        // What depends on this alias must be looked up anew.
        for (let later = place + 1; later < steps.length; later++) {
          if ((steps[later] as CompiledStep).after > place) candidates[later] = null
        }
        if (step.holds(frame)) descend(place + 1)
      }
    }
    descend(0)
  }
}

/** Rows found in another order than that of `datasets` are kept, sorted, and bound again. */
function sortedRows(spec: SpecNode, rows: Rows): Rows {
  const slots = spec.aliases.map(({ slot }) => slot)
  return (frame, found) => {
    const all: Entity[][] = []
    rows(frame, () => {
      all.push(slots.map((slot) => frame.rows[slot] as Entity))
    })
    all.sort(compareRows)
    for (const row of all) {
      for (let place = 0; place < slots.length; place++) frame.rows[slots[place] as number] = row[place] as Entity
      found()
    }
  }
}

function compareRows(a: readonly Entity[], b: readonly Entity[]): number {
  for (let place = 0; place < a.length; place++) {
    const difference = compareText(idOf(a[place] as Entity), idOf(b[place] as Entity))
    if (difference !== 0) return difference
  }
  return 0
}

function compileLookups(
  alias: AliasVariable,
  lookups: readonly { readonly key: Node; readonly indexed: Node }[],
  tools: Tools,
): (frame: Frame) => readonly Entity[] {
  const finders = lookups.map(({ key, indexed }) => {
    const index: IndexSpec = { dataset: alias.dataset, expression: indexText(indexed, tools.settings) }
    const { evaluate } = compileArgument(key, tools)
    return (frame: Frame): readonly Entity[] => {
      const keys = joinKeys(evaluate(frame))
      return keys.length === 0 ? NONE : frame.run.collect(frame.run.context.lookup.joined(index, keys))
    }
  })
  const [only] = finders
  if (finders.length === 1 && only !== undefined) return only
  return (frame) => {
    const byId = new Map<string, Entity>()
    for (const find of finders) for (const entity of find(frame)) byId.set(idOf(entity), entity)
    return [...byId.values()].sort((a, b) => compareText(idOf(a), idOf(b)))
  }
}

const NONE: readonly Entity[] = []

function compileChecks(checks: readonly Check[], tools: Tools): (frame: Frame) => boolean {
  const tests = checks.map((check) => compileCheck(check, tools))
  const [only] = tests
  if (only === undefined) return () => true
  return tests.length === 1 ? only : (frame) => tests.every((test) => test(frame))
}

function compileCheck(check: Check, tools: Tools): (frame: Frame) => boolean {
  if (check.kind === 'filter') {
    const { evaluate } = compileArgument(check.node, tools)
    return (frame) => isTrue(evaluate(frame))
  }
  if (check.kind === 'overlap') {
    const pairs = check.pairs.map((pair) => compileOverlap(pair, tools))
    return (frame) => pairs.some((overlaps) => overlaps(frame))
  }
  const { evaluate } = compileArgument(check.subset.expression, tools)
  const wanted = new ValueSet([check.subset.value])
  return (frame) => joinKeys(evaluate(frame)).some((value) => wanted.has(value))
}

function compileOverlap({ left, right }: JoinPair, tools: Tools): (frame: Frame) => boolean {
  const [one, other] = [left, right].map((node) => compileArgument(node, tools).evaluate) as [Evaluate, Evaluate]
  return (frame) => {
    const [a, b] = [joinKeys(one(frame)), joinKeys(other(frame))]
    if (a.length === 0 || b.length === 0) return false
    const among = new ValueSet(b)
    return a.some((value) => among.has(value))
  }
}

/** Adds what a row returns to the results (dtl.md §10.5). */
function compileReturn(spec: SpecNode, tools: Tools): (frame: Frame, results: Value[]) => void {
  const { returns } = spec
  if (returns.kind === 'aliases') {
    const slots = returns.aliases.map(({ slot }) => slot)
    return (frame, results) => {
      for (const slot of slots) results.push(frame.rows[slot] as Value)
    }
  }
  const evaluate = compileTemplate(returns.value, tools)
  return (frame, results) => {
    results.push(evaluate(frame))
  }
}

function compileTemplate(node: Node | TemplateNode, tools: Tools): Evaluate {
  if (node.kind !== 'template') return compileArgument(node, tools).evaluate
  const properties = node.properties.map(([name, value]) => [storedKey(name), compileTemplate(value, tools)] as const)
  return (frame) => {
    const dict = newDict()
    for (const [key, evaluate] of properties) setStored(dict, key, evaluate(frame))
    return dict
  }
}
