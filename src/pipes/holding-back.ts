/** Up to when a dataset source lets entities through: `completeness` and `initial_completeness` (hub.md §11). */

import { compileDtl } from '../dtl/compile.ts'
import type { DtlSettings, RunContext } from '../dtl/contract.ts'
import type { Snapshot } from '../log/contract.ts'
import { dictOf, get } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { Datetime, isDict, isList, type Value } from '../model/value.ts'
import { completenessAt } from './completeness.ts'
import { errorAt, type Finding, warningAt } from './finding.ts'
import type { Pipe } from './pipe.ts'

/** What of a source's configuration says so. */
export interface Holding {
  /** Nothing comes before these have a value. */
  readonly initial: readonly string[]
  /** Null: nothing is held back. */
  readonly rule: HoldingRule | null
}

export type HoldingRule =
  | { readonly kind: 'datasets'; readonly ids: readonly string[] }
  | { readonly kind: 'expression'; evaluate(context: RunContext): Value }

/** Microseconds since 1970 after which entities are held back, null for none; or what has to come before any goes. */
export type Held = { readonly to: number | null } | { readonly waits: string }

export function readHolding(
  config: Readonly<Record<string, unknown>>,
  settings: DtlSettings,
): { readonly holding: Holding; readonly findings: readonly Finding[] } {
  if (config.type !== 'dataset') return { holding: { initial: [], rule: null }, findings: [] }
  const { dataset, completeness = false, initial_completeness: initial = [] } = config as unknown as HoldingConfig
  const { rule, findings } = readRule(dataset, completeness, settings)
  return { holding: { initial, rule }, findings }
}

interface HoldingConfig {
  readonly dataset: string
  readonly completeness?: Value
  readonly initial_completeness?: readonly string[]
}

interface Read {
  readonly rule: HoldingRule | null
  readonly findings: readonly Finding[]
}

function readRule(dataset: string, given: Value, settings: DtlSettings): Read {
  if (given === false || given === null) return { rule: null, findings: [] }
  if (given === true) return { rule: { kind: 'datasets', ids: [dataset] }, findings: [] }
  if (isList(given) && given.length > 0 && given.every((id) => typeof id === 'string')) {
    return { rule: { kind: 'datasets', ids: given as readonly string[] }, findings: [] }
  }
  if (isDict(given)) {
    const expression = get(given, 'expression')
    if (expression !== undefined) return readExpression(expression, settings)
  }
  const hint =
    'true: the value of the dataset itself; ["a", "b"]: the smallest of those; {"expression": …}: a datetime.'
  return {
    rule: null,
    findings: [
      errorAt('/completeness', 'completeness is true or false, a list of dataset ids, or an expression.', hint),
    ],
  }
}

const RULE = '/rules/default/0/2'

/** A program of its own, so that it may use all of the language that needs no source entity. */
function readExpression(expression: Value, settings: DtlSettings): Read {
  const program = dictOf({ type: 'dtl', rules: dictOf({ default: [['add', 'value', expression]] as Value }) })
  const { transform, problems } = compileDtl(program, { ...settings, namespacedIdentifiers: false })
  const findings: Finding[] = problems.map((problem) => ({
    ...problem,
    pointer: `/completeness/expression${problem.pointer.startsWith(RULE) ? problem.pointer.slice(RULE.length) : ''}`,
  }))
  if (transform === null) return { rule: null, findings }
  if (transform.analysis.datasets.length > 0) {
    const message = `It reads the datasets ${transform.analysis.datasets.join(', ')}, and it is evaluated without an entity.`
    return { rule: null, findings: [...findings, errorAt('/completeness/expression', message, 'Use completeness.')] }
  }
  const evaluate = (context: RunContext): Value => {
    const [made] = transform.apply(NOBODY, context)
    return made === undefined ? null : (get(made, 'value') ?? null)
  }
  return { rule: { kind: 'expression', evaluate }, findings }
}

const NOBODY = dictOf({ _id: 'none' }) as Entity

/** As of the snapshot. */
export function heldOf({ source, reads }: Pipe, snapshot: Snapshot, context: RunContext): Held {
  const { initial, rule } = source.holding
  const from = { dataset: source.inputs[0] ?? '', reads }
  const unknown = initial.find((id) => knownOf(snapshot, id, from) === null)
  if (unknown !== undefined) return { waits: `waits for dataset '${unknown}' to have a completeness value` }
  if (rule === null) return { to: null }
  if (rule.kind === 'expression') return heldBy(rule.evaluate(context))
  const values = rule.ids.map((id) => [id, knownOf(snapshot, id, from)] as const)
  const missing = values.find(([, value]) => value === null)
  if (missing !== undefined) {
    const [id] = missing
    const via = id === from.dataset ? '' : ` that '${from.dataset}' knows of`
    return { waits: `waits for dataset '${id}' to have a completeness value${via}` }
  }
  return { to: Math.min(...values.map(([, value]) => value as number)) }
}

/** Whether its source may keep entities for later. */
export const holdsBack = ({ source: { holding } }: Pipe): boolean => holding.rule !== null || holding.initial.length > 0

/**
 * Up to when the source would let entities through now, for who must not evaluate anything: null, not at all; undefined,
 * it holds nothing back, or a program says so.
 */
export function releasedNow(pipe: Pipe, snapshot: Snapshot): number | null | undefined {
  const { initial, rule } = pipe.source.holding
  if (rule?.kind === 'expression' || (rule === null && initial.length === 0)) return undefined
  const held = heldOf(pipe, snapshot, NOTHING_EVALUATED)
  return 'waits' in held ? null : (held.to ?? Number.POSITIVE_INFINITY)
}

/** No expression is asked. */
const NOTHING_EVALUATED = undefined as unknown as RunContext

/** What is no datetime counts as 1970 (dtl.md §12), when nothing had been written yet. */
function heldBy(value: Value): Held {
  if (value instanceof Datetime && value.nanoseconds > 0n) return { to: Number(value.nanoseconds / 1_000n) }
  return { waits: 'waits: the completeness expression of its source gives no datetime after 1970' }
}

/** As the dataset that is read knows it, and at first hand what the pipe reads itself: of two the smaller. */
function knownOf(
  snapshot: Snapshot,
  id: string,
  { dataset, reads }: { readonly dataset: string; readonly reads: readonly string[] },
): number | null {
  const ways = reads.includes(id) && id !== dataset ? [dataset, id] : [dataset]
  const values = ways.flatMap((via) => completenessAt(snapshot, via, id) ?? [])
  return values.length === 0 ? null : Math.min(...values)
}

/** What a full read does to what is held back (hub.md §7). */
export function checkHolding({ rule }: Holding, tracksDeletions: boolean): readonly Finding[] {
  if (rule === null || !tracksDeletions) return []
  return [
    warningAt(
      '/completeness',
      'A rescan or a reset deletes in the sink dataset what is held back at that moment; it comes again when its time has come.',
      'Set "deletion_tracking": false on the sink, or do not rescan the pipe.',
    ),
  ]
}
