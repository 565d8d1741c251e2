/** What a type of rule is: what it can be told, and how it finds that something is wrong. */

import type { Static, TObject } from 'typebox'
import type { Reason } from '../health/reason.ts'
import type { PumpEvent } from './event.ts'

/**
 * What a rule finds. `wrong` holds until it is `right` again; what `happened` is over at once. Null: there is nothing new
 * to say.
 */
export type Verdict = { readonly kind: 'wrong' | 'happened'; readonly msg: string } | { readonly kind: 'right' } | null

/** What a rule remembers of a pipe between two looks. */
export interface Memory {
  /** How often in a row. */
  count?: number
  /** Milliseconds since 1970. */
  since?: number
}

/** A pipe at the moment; what has to be looked up is looked up when it is asked for. */
export interface PipeCondition {
  readonly now: number
  /** When the hub began to look at it: before that nobody knows. */
  readonly watchedSince: number
  /** When the run under way began; null: none is. */
  readonly runningSince: number | null
  /** When a run ended last, as far as anybody knows. */
  readonly lastEndedAt: number | null
  /** When it should have begun to run; null: it does not run by itself. */
  readonly dueAt: number | null
  readonly isTripped: boolean
  /** Changes that it has not taken in. */
  queue(): number
  /** For how long the oldest of them has waited. */
  waitingSeconds(): number
  deadLetters(): number
  /** Entities that wait to be retried. */
  retryable(): number
}

export interface NodeCondition {
  readonly now: number
  /** Share of the disk of the data folder that is used, in percent; null: nobody knows. */
  readonly diskUsedPercent: number | null
  readonly backupTrouble: string | null
  readonly reasons: readonly Reason[]
}

export interface RuleType<Info extends TObject = TObject> {
  readonly type: string
  readonly title: string
  readonly summary: string
  /** What a rule of this type is about. */
  readonly scope: 'pipe' | 'node'
  /** What `extra_rule_info` holds. */
  readonly info: Info
  /** An event of a pipe. */
  hear?(event: PumpEvent, info: Static<Info>, memory: Memory): Verdict
  /** Now and then. */
  look?(pipe: PipeCondition, info: Static<Info>, memory: Memory): Verdict
  lookAtNode?(node: NodeCondition, info: Static<Info>): Verdict
}

/** A type whose functions have the types of its schema. */
export const ruleType = <Info extends TObject>(type: RuleType<Info>): RuleType => type as unknown as RuleType

export const wrong = (msg: string): Verdict => ({ kind: 'wrong', msg })
export const happened = (msg: string): Verdict => ({ kind: 'happened', msg })
export const RIGHT: Verdict = { kind: 'right' }
