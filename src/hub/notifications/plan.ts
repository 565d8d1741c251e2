/** Which rule looks at which pipe: made anew when rules or pipes change. */

import { type Rule, watches } from './rule.ts'
import type { RuleType } from './rule-type.ts'
import { findRuleType } from './rule-types.ts'
import { trackName } from './track.ts'

/** A rule, and a pipe that it is about or null for the hub. */
export interface Pair {
  readonly name: string
  readonly rule: Rule
  readonly type: RuleType
  readonly pipe: string | null
}

export interface Plan {
  /** By pipe, those that hear its events, and those that look at it. */
  readonly hearing: ReadonlyMap<string, readonly Pair[]>
  readonly looking: ReadonlyMap<string, readonly Pair[]>
  readonly ofNode: readonly Pair[]
  readonly names: ReadonlySet<string>
}

export function planOf(rules: readonly Rule[], pipes: readonly string[]): Plan {
  const pairs = rules.filter(({ is_enabled }) => is_enabled).flatMap((rule) => pairsOf(rule, pipes))
  return {
    hearing: byPipe(pairs.filter(({ type }) => type.hear !== undefined)),
    looking: byPipe(pairs.filter(({ type }) => type.look !== undefined)),
    ofNode: pairs.filter(({ type }) => type.lookAtNode !== undefined),
    names: new Set(pairs.map(({ name }) => name)),
  }
}

function pairsOf(rule: Rule, pipes: readonly string[]): Pair[] {
  const type = findRuleType(rule.type)
  if (type === undefined) return []
  const pair = (pipe: string | null): Pair => ({ name: trackName(rule.id, pipe), rule, type, pipe })
  return type.scope === 'node' ? [pair(null)] : pipes.filter(watches(rule)).map(pair)
}

function byPipe(pairs: readonly Pair[]): ReadonlyMap<string, readonly Pair[]> {
  const found = new Map<string, Pair[]>()
  for (const pair of pairs) {
    const { pipe } = pair
    if (pipe === null) continue
    const those = found.get(pipe)
    if (those === undefined) found.set(pipe, [pair])
    else those.push(pair)
  }
  return found
}

/** Whether an entry of an execution log is of interest: those of single entities may be very many. */
export function listensTo(pairs: readonly Pair[]): (entryId: string) => boolean {
  const asked = pairs.flatMap(({ rule }) => {
    const { event_type } = rule.extra_rule_info
    return typeof event_type === 'string' && event_type.endsWith('-error') ? [`${event_type}:`] : []
  })
  return (id) => !id.includes(':') || asked.some((start) => id.startsWith(start))
}
