/** Reads the configuration of a merge source: which datasets, and which expressions over them make entities the same. */

import { compileExpression } from '../../dtl/compile.ts'
import type { DtlSettings } from '../../dtl/contract.ts'
import type { Pair, Side } from '../../merge/rules.ts'
import { writeJson } from '../../model/json.ts'
import { isList, type Value } from '../../model/value.ts'
import { errorAt, type Finding, warningAt } from '../finding.ts'
import { ownExpression } from './merge-alias.ts'
import type { MergeConfig } from './merge-config.ts'
import { checkInitial } from './several-datasets.ts'

const neutral: DtlSettings = {
  pipe: 'merge',
  namespacedIdentifiers: false,
  namespaces: { identity: 'merge', property: 'merge' },
  prefixes: {},
}

export interface MergePlan {
  readonly config: MergeConfig
  /** Datasets by place: those that are merged, then the identity lists. */
  readonly inputs: readonly string[]
  /** How many of them are merged. */
  readonly merged: number
  /** A class with more members is left apart; 0: none is. */
  readonly maxMerged: number
  /** Rules, with inputs by place. */
  readonly pairs: readonly Pair[]
  /** As it is written in the configuration, for messages, by the expression over `_S`. */
  readonly written: ReadonlyMap<string, string>
}

/** The plan of a configuration; what is wrong in it is left out. */
export const planMerge = (config: MergeConfig): MergePlan => new Planner(config).plan

export function checkMerge(config: MergeConfig): readonly Finding[] {
  const { findings: own, plan } = new Planner(config)
  const findings = [...own, ...checkInitial(config, plan.inputs)]
  if (config.version === 2) return findings
  const message = 'Version 1 of the merge source is deprecated, and does here what version 2 does.'
  return [warningAt('/version', message, 'Set "version": 2.'), ...findings]
}

/** Identities as values compare: an IRI that has no namespace here as the identifier that an `_id` of that text would be. */
const asIdentities = (expression: Value): Value => ['ni', ['string', expression]]

const IDS: Value = '_S.$ids'
const SAME_AS = asIdentities('_S.owl:sameAs')
/** Without namespaced identifiers statements have whole IRIs as names, and a path would part it at its dots. */
const SAME_AS_IRI = asIdentities(['path', 'http://www.w3.org/2002/07/owl#sameAs', '_S.'])

class Planner {
  readonly findings: Finding[] = []
  readonly plan: MergePlan
  readonly #places = new Map<string, number>()
  readonly #inputs: string[] = []
  readonly #written = new Map([
    [writeJson(IDS), '$ids'],
    [writeJson(SAME_AS), 'owl:sameAs'],
    [writeJson(SAME_AS_IRI), 'owl:sameAs'],
  ])

  constructor(config: MergeConfig) {
    for (const [at, entry] of config.datasets.entries()) this.#dataset(entry, `/datasets/${at}`)
    const datasets = this.#inputs.length
    const pairs = [
      ...(config.equality ?? []).flatMap((rule, at) => this.#rule(rule, `/equality/${at}`)),
      ...(config.equality_sets ?? []).flatMap((set, at) => this.#set(set, `/equality_sets/${at}`)),
      ...(config.same_as ? this.#sameAs(datasets) : []),
      ...(config.identity_lists ?? []).flatMap((entry, at) =>
        this.#identityList(entry, `/identity_lists/${at}`, datasets),
      ),
    ]
    this.plan = {
      config,
      inputs: this.#inputs,
      merged: datasets,
      maxMerged: config.max_merged,
      pairs,
      written: this.#written,
    }
  }

  #dataset(entry: string, pointer: string): void {
    const [dataset, alias, ...more] = entry.trim().split(/\s+/) as [string, string?, ...string[]]
    if (more.length > 0) this.#error(pointer, `'${entry}' is not of the form '<dataset> <alias>'.`)
    if (this.#inputs.includes(dataset)) this.#error(pointer, `Dataset '${dataset}' is named twice.`)
    const name = alias ?? dataset
    if (this.#places.has(name)) this.#error(pointer, `The alias '${name}' is used twice.`)
    this.#places.set(name, this.#inputs.length)
    this.#inputs.push(dataset)
  }

  #rule(rule: Value, pointer: string): Pair[] {
    if (!isList(rule) || rule[0] !== 'eq' || rule.length !== 3) {
      this.#error(
        pointer,
        'A rule is a list of "eq" and two expressions.',
        'For example ["eq", "crm.email", "erp.email"].',
      )
      return []
    }
    const left = this.#side(rule[1] as Value, `${pointer}/1`)
    const right = this.#side(rule[2] as Value, `${pointer}/2`)
    return left === null || right === null ? [] : [[left, right]]
  }

  /** A chain of rules: each expression with the next (hub.md §14.2). */
  #set(set: readonly Value[], pointer: string): Pair[] {
    if (set.length < 2) this.#error(pointer, 'A set of equal expressions needs at least two.')
    const sides = set.map((one, at) => this.#side(one, `${pointer}/${at}`))
    return sides.slice(1).flatMap((right, at) => {
      const left = sides[at]
      return left === null || left === undefined || right === null ? [] : [[left, right] as const]
    })
  }

  /**
   * What the list names, whether as identifiers or as text, is compared with the identities of all that is merged. Without
   * a property the entities of the list are statements: they name themselves as well.
   */
  #identityList(entry: string, pointer: string, datasets: number): Pair[] {
    const [dataset, property, ...more] = entry.trim().split(/\s+/) as [string, string?, ...string[]]
    if (more.length > 0) {
      this.#error(pointer, `'${entry}' is neither of the form '<dataset> <property>' nor '<dataset>'.`)
      return []
    }
    if (this.#inputs.includes(dataset)) this.#error(pointer, `Dataset '${dataset}' is named twice.`)
    const input = this.#inputs.push(dataset) - 1
    const named = property === undefined ? [SAME_AS, SAME_AS_IRI, IDS] : [asIdentities(`_S.${property}`)]
    if (property !== undefined) this.#written.set(writeJson(named[0] as Value), `${dataset}.${property}`)
    return named.flatMap((one) => this.#withIdentities({ input, expression: writeJson(one) }, datasets))
  }

  #sameAs(datasets: number): Pair[] {
    return Array.from({ length: datasets }, (_, input) => input).flatMap((input) =>
      [SAME_AS, SAME_AS_IRI].flatMap((one) => this.#withIdentities({ input, expression: writeJson(one) }, datasets)),
    )
  }

  #withIdentities(side: Side, datasets: number): Pair[] {
    return Array.from({ length: datasets }, (_, at) => [side, { input: at, expression: writeJson(IDS) }] as const)
  }

  #side(expression: Value, pointer: string): Side | null {
    const { own, aliases } = ownExpression(expression, this.#places)
    const [alias] = aliases
    if (alias === undefined || aliases.length > 1) {
      const known = [...this.#places.keys()].join(', ')
      const said = aliases.length > 1 ? `refers to ${aliases.join(' and ')}` : 'refers to no dataset'
      this.#error(
        pointer,
        `Each side of a rule refers to exactly one dataset; this one ${said}.`,
        `The aliases are ${known}.`,
      )
      return null
    }
    this.#compile(own, pointer)
    const text = writeJson(own)
    this.#written.set(text, typeof expression === 'string' ? expression : writeJson(expression))
    return { input: this.#places.get(alias) as number, expression: text }
  }

  /** Namespaces change what an expression finds, not whether it is one: any will do here. */
  #compile(expression: Value, pointer: string): void {
    const { problems } = compileExpression(expression, neutral)
    for (const problem of problems) this.findings.push({ ...problem, pointer: pointer + problem.pointer })
  }

  #error(pointer: string, message: string, hint?: string): void {
    this.findings.push(errorAt(pointer, message, hint))
  }
}
