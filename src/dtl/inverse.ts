/**
 * The hops of a program turned round: from an entity of a dataset back to the sources whose result may hold it (dtl.md §11.3).
 *
 * Each alias of each spec is a place where an entity can be bound. From there one index lookup leads to the next place, or
 * to the source of the pipe: the joins of a spec, taken from the alias to `_S`, and `_S` is wherever the input of the spec
 * comes from: the source, what a spec before it returns, what an `apply-hops` gives the rule, or the spec itself where it
 * recurses. Filters and subsets are left out: what is found is a superset.
 */

import { checkIndexExpression, reachableRules } from './check.ts'
import type { DtlSettings, Inverse, InverseLookup, InversePlace, InverseStep } from './contract.ts'
import { indexText } from './index-text.ts'
import { type Join, type JoinPair, joinsOf } from './plan.ts'
import { Problems } from './scope.ts'
import type { AliasVariable, HopsNode, Node, ProgramNode, ReturnNode, RuleNode, SpecNode, Variable } from './syntax.ts'
import { nameOfVariable, SKIP, type Visitor, variablesOf, walk } from './walk.ts'

export function invert(program: ProgramNode, settings: DtlSettings): Inverse {
  const inverter = new Inverter(settings)
  for (const rule of reachableRules(program)) inverter.addRule(rule)
  return inverter.finish()
}

/** Where an input comes from: bound aliases, rules with their own inputs, the source, or somewhere no index leads to. */
interface Inputs {
  readonly aliases: readonly AliasVariable[]
  readonly rules: readonly string[]
  readonly isSource: boolean
  readonly obstacles: readonly string[]
}

const NOTHING: Inputs = { aliases: [], rules: [], isSource: false, obstacles: [] }

/** A spec in its surroundings. */
interface PlacedSpec {
  readonly rule: string
  readonly spec: SpecNode
  readonly inputs: Inputs
}

class Inverter {
  readonly #settings: DtlSettings
  readonly #specs: PlacedSpec[] = []
  readonly #inputsOfRules = new Map<string, Inputs>([['default', { ...NOTHING, isSource: true }]])
  readonly #places = new Map<AliasVariable, number>()

  constructor(settings: DtlSettings) {
    this.#settings = settings
  }

  addRule({ id, block }: RuleNode): void {
    walk(block, this.#collector(id, { ...NOTHING, rules: [id] }))
  }

  finish(): Inverse {
    const places = this.#specs.flatMap((placed) => {
      const ways = waysToInput(placed.spec)
      return placed.spec.aliases.map((alias) => this.#placeOf(placed, alias, ways.get(nameOfVariable(alias))))
    })
    return { places }
  }

  /** Hops within a spec see the input of that spec as their `_S`. */
  #collector(rule: string, inputs: Inputs): Visitor {
    const applied = new Map<HopsNode, string>()
    return {
      call: ({ definition, arguments: [first, second] }) => {
        if (definition.name === 'apply-hops' && first?.kind === 'rule' && second?.kind === 'hops')
          applied.set(second, first.rule)
      },
      hops: (node) => {
        const outputs = this.#addHops(node, rule, inputs)
        const to = applied.get(node)
        if (to !== undefined) this.#inputsOfRules.set(to, union(this.#inputsOfRules.get(to) ?? NOTHING, outputs))
        return SKIP
      },
    }
  }

  /** What comes out of the last spec. */
  #addHops({ specs }: HopsNode, rule: string, inputs: Inputs): Inputs {
    let current = inputs
    for (const spec of specs) {
      this.#specs.push({ rule, spec, inputs: current })
      for (const alias of spec.aliases) this.#places.set(alias, this.#places.size)
      const within = this.#collector(rule, current)
      for (const node of nodesOf(spec)) walk(node, within)
      const outputs = outputsOf(spec.returns)
      current = spec.recurse && !spec.excludesRoot ? union(current, outputs) : outputs
    }
    return current
  }

  #placeOf({ rule, spec, inputs }: PlacedSpec, alias: AliasVariable, way: Way | undefined): InversePlace {
    const { dataset } = alias
    const place = { rule, pointer: spec.pointer, dataset, alias: alias.alias, tracked: spec.tracked }
    if (way === undefined) return { ...place, steps: [], obstacle: unjoined(spec) }
    const pairs = way.join.pairs.map((pair) => turned(pair, alias))
    const obstacle = pairs.map(({ from, to }) => obstacleOf(from) ?? obstacleOf(to)).find((one) => one !== null)
    if (obstacle != null) return { ...place, steps: [], obstacle }
    const texts = pairs.map(({ from, to }): InverseLookup => {
      return { key: indexText(from, this.#settings), index: indexText(to, this.#settings) }
    })
    if (way.to.name === 'alias') return { ...place, steps: [this.#stepTo(way.to, texts)], obstacle: null }
    const reached = this.#resolve(inputs)
    const steps = reached.aliases.map((one) => this.#stepTo(one, texts))
    if (reached.isSource) steps.push({ to: null, dataset: null, lookups: texts, again: null })
    if (spec.recurse && (spec.maxDepth === null || spec.maxDepth > 1)) {
      const again = { limit: spec.maxDepth === null ? null : spec.maxDepth - 1 }
      steps.push({ ...this.#stepTo(spec.aliases.at(-1) as AliasVariable, texts), again })
    }
    return { ...place, steps, obstacle: reached.obstacles[0] ?? null }
  }

  #stepTo(alias: AliasVariable, lookups: readonly InverseLookup[]): InverseStep {
    return { to: this.#places.get(alias) as number, dataset: alias.dataset, lookups, again: null }
  }

  /** Rules are followed to where their inputs come from, also in circles. */
  #resolve(inputs: Inputs): Inputs {
    let all = inputs
    const rules = new Set(inputs.rules)
    for (const rule of rules) {
      const ofRule = this.#inputsOfRules.get(rule) ?? NOTHING
      for (const next of ofRule.rules) rules.add(next)
      all = union(all, ofRule)
    }
    return all
  }
}

const union = (a: Inputs, b: Inputs): Inputs => ({
  aliases: [...new Set([...a.aliases, ...b.aliases])],
  rules: [...new Set([...a.rules, ...b.rules])],
  isSource: a.isSource || b.isSource,
  obstacles: [...new Set([...a.obstacles, ...b.obstacles])],
})

function outputsOf(returns: ReturnNode): Inputs {
  if (returns.kind === 'aliases') return { ...NOTHING, aliases: returns.aliases }
  const { value } = returns
  const isAlias = value.kind === 'path' && value.variable.name === 'alias' && value.elements.length === 0
  if (isAlias) return { ...NOTHING, aliases: [value.variable as AliasVariable] }
  const why = `what the hops returns (${value.pointer}) is computed: it is no entity of a dataset that an index could find`
  return { ...NOTHING, obstacles: [why] }
}

function nodesOf({ where, subsets, returns }: SpecNode): readonly Node[] {
  const templates = returns.kind === 'value' ? [returns.value] : []
  const returned: Node[] = []
  for (const node of templates) {
    if (node.kind === 'template') templates.push(...node.properties.map(([, value]) => value))
    else returned.push(node)
  }
  return [...where, ...subsets.map(({ expression }) => expression), ...returned]
}

/** The join that leads one step towards the input of a spec, and what it leads to. */
interface Way {
  readonly join: Join
  readonly to: Variable
}

/** Breadth first from `_S` and from the aliases of hops around, so that the ways of two aliases never part. */
function waysToInput(spec: SpecNode): ReadonlyMap<string, Way> {
  const joins = joinsOf(spec)
  const isOwn = (variable: Variable) => variable.name === 'alias' && spec.aliases.includes(variable)
  const isStart = (variable: Variable) => !isOwn(variable) && (variable.name === '_S' || variable.name === 'alias')
  const ways = new Map<string, Way>()
  let reached: ReadonlySet<string> = new Set(
    joins.flatMap(({ variables }) => variables.filter(isStart).map(nameOfVariable)),
  )
  while (reached.size > 0) {
    const next = new Set<string>()
    for (const join of joins) {
      for (const [from, to] of [join.variables, [join.variables[1], join.variables[0]] as const]) {
        const name = nameOfVariable(from)
        if (!isOwn(from) || ways.has(name) || !reached.has(nameOfVariable(to))) continue
        if (next.has(name)) continue
        next.add(name)
        ways.set(name, { join, to })
      }
    }
    reached = next
  }
  return ways
}

/** The pair as it is walked: from the side of the alias to the other. */
function turned({ left, right }: JoinPair, alias: AliasVariable): { readonly from: Node; readonly to: Node } {
  return variablesOf(left).includes(alias) ? { from: left, to: right } : { from: right, to: left }
}

/** Why an expression cannot be looked up in an index, or null. */
function obstacleOf(node: Node): string | null {
  const problems = new Problems()
  checkIndexExpression(node, variablesOf(node)[0] as Variable, problems)
  const [first] = problems.all
  return first === undefined
    ? null
    : `the join cannot be walked backwards at ${first.pointer}: ${first.message.replace(/\.$/, '')}`
}

function unjoined(spec: SpecNode): string {
  const others = joinsOf(spec).flatMap(({ variables }) =>
    variables.filter(({ name }) => name !== '_S' && name !== 'alias').map(({ name }) => name),
  )
  return `it is joined with ${[...new Set(others)].join(', ')}, and not with _S: no index knows that`
}
