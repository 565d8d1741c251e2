/** What is wrong or doubtful in a program whose form is right (dtl.md §16). */

import { didYouMean } from '../config/problems.ts'
import { planSpec } from './plan.ts'
import { readsOf } from './reads.ts'
import type { Problems } from './scope.ts'
import type { ArgumentNode, HopsNode, Node, ProgramNode, RuleNode, Variable } from './syntax.ts'
import { nameOfVariable, variablesOf, walk } from './walk.ts'

/** Reports on all rules, also on those that nothing applies. */
export function checkProgram(program: ProgramNode, problems: Problems): void {
  const uses = new Map([...program.rules].map(([id, rule]) => [id, usesOf(rule)]))
  const applied = new Set([...uses.values()].flatMap(({ rules }) => rules.map(({ id }) => id)))
  for (const [id, rule] of program.rules) {
    checkNode(rule.block, problems)
    checkRuleNames(id, uses, problems)
    if (id !== 'default' && !applied.has(id))
      problems.warning(rule.pointer, `The rule "${id}" is never applied.`, `Write ["apply", "${id}", …], or remove it.`)
  }
  const start = program.rules.get('default')
  if (start !== undefined && !applied.has('default')) warnOfParent(start, problems)
  warnOfSharedTraces(program, problems)
}

/** Two specs that report under one name cannot be told apart (dtl.md §10.1). */
function warnOfSharedTraces(program: ProgramNode, problems: Problems): void {
  const seen = new Map<string, string>()
  const hops = (node: HopsNode) => {
    for (const { trace, pointer } of node.specs) {
      if (trace === null) continue
      const first = seen.get(trace)
      if (first === undefined) seen.set(trace, pointer)
      else problems.warning(`${pointer}/trace`, `The trace "${trace}" is also that of the hops at ${first}.`, UNIQUE)
    }
  }
  for (const rule of program.rules.values()) walk(rule.block, { hops })
}

const UNIQUE = 'Give each its own name: what both find is reported as one figure.'

/** Checks the arguments and hops of one part of a program. */
export function checkNode(node: ArgumentNode, problems: Problems): void {
  const report = (place: ArgumentNode, message: string, hint: string) => problems.error(place.pointer, message, hint)
  walk(node, {
    call: ({ definition, arguments: args, pointer }) => {
      definition.check?.(args, report)
      if (definition.deprecated !== undefined)
        problems.warning(pointer, `'${definition.name}' is deprecated.`, definition.deprecated)
    },
    transform: ({ definition, arguments: args }) => definition.check?.(args, report),
    hops: ({ specs }) => {
      for (const spec of specs) {
        const plan = planSpec(spec, problems)
        for (const { alias, lookups } of plan.steps)
          for (const { indexed } of lookups) checkIndexExpression(indexed, alias, problems)
        for (const { alias, expression } of spec.subsets) checkIndexExpression(expression, alias, problems)
      }
    },
  })
}

/** An index holds what an expression gives for one entity, now and at any later time (dtl.md §10.3, §13). */
export function checkIndexExpression(node: Node, of: Variable, problems: Problems): void {
  walk(node, {
    call: (call) => {
      const { definition, pointer } = call
      const reads = readsOf(call)
      const why =
        definition.name === 'apply' ? 'rules are not part of an index' : reads === undefined ? null : REASONS[reads]
      if (why !== null)
        problems.error(pointer, `'${definition.name}' cannot be used in an index expression: ${why}.`, ONE_ENTITY)
    },
  })
  const isOther = (variable: Variable) => nameOfVariable(variable) !== nameOfVariable(of)
  if (variablesOf(node).some(isOther)) {
    const name = of.name === 'alias' ? `the entity of '${of.dataset}'` : of.name
    problems.error(node.pointer, `An index expression sees nothing but ${name}.`, ONE_ENTITY)
  }
}

const ONE_ENTITY = 'What an index holds of an entity must follow from its properties alone.'

const REASONS = {
  datasets: 'it reads other datasets',
  time: 'it depends on the time',
  chance: 'it depends on chance',
  versions: 'it reads the version before',
  openpgp: 'OpenPGP is not there where indexes are made',
  secret: 'secrets are not there where indexes are made',
} as const

interface RuleUse {
  readonly id: string
  readonly pointer: string
  /** `apply` or `apply-hops`. */
  readonly by: string
}

interface Uses {
  readonly rules: readonly RuleUse[]
  readonly hasHops: boolean
}

/** Nodes never change, and every analysis asks again. */
const known = new WeakMap<RuleNode, Uses>()

function usesOf(rule: RuleNode): Uses {
  const former = known.get(rule)
  if (former !== undefined) return former
  const uses = findUses(rule)
  known.set(rule, uses)
  return uses
}

function findUses(rule: RuleNode): Uses {
  const rules: RuleUse[] = []
  let hasHops = false
  walk(rule.block, {
    call: ({ definition, arguments: args }) => {
      const [first] = args
      if (first?.kind === 'rule') rules.push({ id: first.rule, pointer: first.pointer, by: definition.name })
    },
    hops: () => {
      hasHops = true
    },
  })
  return { rules, hasHops }
}

function checkRuleNames(id: string, uses: ReadonlyMap<string, Uses>, problems: Problems): void {
  for (const use of uses.get(id)?.rules ?? []) {
    if (!uses.has(use.id)) {
      const hint = didYouMean(use.id, uses.keys()) ?? `The rules are ${[...uses.keys()].join(', ')}.`
      if (use.id !== '') problems.error(use.pointer, `There is no rule "${use.id}".`, hint)
    } else if (use.by === 'apply' && reachesHops(use.id, uses, new Set())) {
      problems.error(
        use.pointer,
        `The rule "${use.id}" uses hops, itself or through rules it applies, so 'apply' cannot run it.`,
        'Only rules of apply-hops may use hops: dependencies can be followed backwards only through it.',
      )
    }
  }
}

function reachesHops(id: string, uses: ReadonlyMap<string, Uses>, seen: Set<string>): boolean {
  const use = uses.get(id)
  if (use === undefined || seen.has(id)) return false
  seen.add(id)
  return use.hasHops || use.rules.some((next) => reachesHops(next.id, uses, seen))
}

function warnOfParent(rule: RuleNode, problems: Problems): void {
  walk(rule.block, {
    path: ({ variable, pointer }) => {
      if (variable.name === '_P')
        problems.warning(
          pointer,
          `'_P' is null in the rule "default": no rule calls it.`,
          'Use _S, or move the expression to an applied rule.',
        )
    },
  })
}

/** Rules that can run, from `default` on. */
export function reachableRules(program: ProgramNode): readonly RuleNode[] {
  const reached = new Set<string>(['default'])
  for (const id of reached) {
    const rule = program.rules.get(id)
    if (rule !== undefined) for (const use of usesOf(rule).rules) reached.add(use.id)
  }
  return [...reached].flatMap((id) => program.rules.get(id) ?? [])
}

/** Whether a rule that can run applies itself, directly or through others. */
export function isRecursive(program: ProgramNode): boolean {
  const uses = new Map(reachableRules(program).map((rule) => [rule.id, usesOf(rule).rules]))
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (uses.get(from) ?? []).some(({ id }) => id === to || (!seen.has(id) && reaches(id, to, seen.add(id))))
  return [...uses.keys()].some((id) => reaches(id, id, new Set()))
}
