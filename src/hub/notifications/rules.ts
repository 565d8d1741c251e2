/** The rules of a tenant: one document of its log's meta table. */

import type { Journal } from '../../log/contract.ts'
import { HubError } from '../errors.ts'
import { type Rule, readRule } from './rule.ts'

export const RULES = 'notification-rules'

/** All of them are looked at again and again. */
export const MAX_RULES = 2_000

export interface RulesPorts {
  readonly journal: Pick<Journal, 'commit'>
  now(): number
  /** The rules are others from now on. */
  changed(): void
}

export class Rules {
  readonly #ports: RulesPorts
  #rules: readonly Rule[]
  /** One change after the other. */
  #last: Promise<unknown> = Promise.resolve()

  /** `text`: the document as it is stored. */
  constructor(text: string | undefined, ports: RulesPorts) {
    this.#rules = text === undefined ? [] : (JSON.parse(text) as Rule[])
    this.#ports = ports
  }

  all(): readonly Rule[] {
    return this.#rules
  }

  of(pipe: string): readonly Rule[] {
    return this.#rules.filter((rule) => rule.pipe_id === pipe)
  }

  /** Code: unknown-rule. `pipe`: it must be about this one. */
  get(id: string, pipe: string | null = null): Rule {
    const found = this.#rules.find((rule) => rule.id === id && (pipe === null || rule.pipe_id === pipe))
    if (found !== undefined) return found
    throw new HubError(
      'unknown-rule',
      `There is no notification rule '${id}'${pipe === null ? '' : ` of pipe '${pipe}'`}.`,
    )
  }

  /** Codes: bad-rule, too-many-rules. */
  add(text: string, pipe: string | null): Promise<Rule> {
    return this.#change((rules) => {
      if (rules.length >= MAX_RULES) {
        throw new HubError('too-many-rules', `There are no more than ${MAX_RULES} notification rules.`, {
          hint: 'One rule can be about many pipes: "pipes": ["*"].',
        })
      }
      const rule = readRule(text, pipe, null, this.#ports.now())
      return [[...rules, rule], rule]
    })
  }

  /** Codes: unknown-rule, bad-rule. */
  replace(id: string, text: string, pipe: string | null): Promise<Rule> {
    return this.#change((rules) => {
      const rule = readRule(text, pipe, this.get(id, pipe), this.#ports.now())
      return [rules.map((one) => (one.id === id ? rule : one)), rule]
    })
  }

  /** Code: unknown-rule. */
  remove(id: string, pipe: string | null): Promise<Rule> {
    return this.#change((rules) => {
      const rule = this.get(id, pipe)
      return [rules.filter((one) => one.id !== id), rule]
    })
  }

  #change<T>(change: (rules: readonly Rule[]) => readonly [rules: readonly Rule[], result: T]): Promise<T> {
    const changed = this.#last.then(async () => {
      const [rules, result] = change(this.#rules)
      await this.#ports.journal.commit({ meta: [[RULES, JSON.stringify(rules)]], durable: true })
      this.#rules = rules
      this.#ports.changed()
      return result
    })
    this.#last = changed.catch(() => {})
    return changed
  }
}
