/** What a parser knows of the place it is at: the variables there, and where its findings go. */

import type { Value } from '../model/value.ts'
import type { DtlProblem } from './contract.ts'
import type { AliasVariable, Node, Variable } from './syntax.ts'

/** Collects mistakes: all of a program at once, none without a word on what to do. */
export class Problems {
  readonly all: DtlProblem[] = []
  /** Pointers of arguments that are secrets. */
  readonly secrets = new Set<string>()

  error(pointer: string, message: string, hint: string): void {
    this.all.push({ level: 'error', pointer, message, hint })
  }

  warning(pointer: string, message: string, hint: string): void {
    this.all.push({ level: 'warning', pointer, message, hint })
  }

  get hasErrors(): boolean {
    return this.all.some(({ level }) => level === 'error')
  }
}

/** Variables with a name of their own (dtl.md §4). */
export const BUILT_IN: ReadonlySet<string> = new Set(['_S', '_T', '_P', '_R', '_B', '_'])

interface Surroundings {
  readonly hasCurrent: boolean
  readonly aliases: ReadonlyMap<string, AliasVariable>
  /** In subset expressions `_S` is the entity of the dataset. */
  readonly source: AliasVariable | null
}

const BARE: Surroundings = { hasCurrent: false, aliases: new Map(), source: null }

export class Scope {
  readonly problems: Problems
  readonly #counter: { slots: number }
  readonly #surroundings: Surroundings

  constructor(problems: Problems, counter: { slots: number } = { slots: 0 }, surroundings: Surroundings = BARE) {
    this.problems = problems
    this.#counter = counter
    this.#surroundings = surroundings
  }

  /** Inside a function-expression. */
  withCurrent(): Scope {
    return this.#with({ hasCurrent: true })
  }

  /** Inside `where` and `return` of a hops. */
  withAliases(aliases: readonly AliasVariable[]): Scope {
    const all = new Map(this.#surroundings.aliases)
    for (const alias of aliases) all.set(alias.alias, alias)
    return this.#with({ aliases: all })
  }

  /** Inside a subset expression. */
  withSource(source: AliasVariable): Scope {
    return this.#with({ source, hasCurrent: false, aliases: new Map() })
  }

  /** A place in the frame for one more alias. */
  nextSlot(): number {
    return this.#counter.slots++
  }

  get slots(): number {
    return this.#counter.slots
  }

  get hasCurrent(): boolean {
    return this.#surroundings.hasCurrent
  }

  /** What a name stands for here, or null. */
  variable(name: string): Variable | null {
    const { aliases, source } = this.#surroundings
    if (name === '_S' && source !== null) return source
    return BUILT_IN.has(name) ? ({ name } as Variable) : (aliases.get(name) ?? null)
  }

  #with(change: Partial<Surroundings>): Scope {
    return new Scope(this.problems, this.#counter, { ...this.#surroundings, ...change })
  }
}

/** Reads an expression; what cannot be read is reported and stands as null. */
export type ParseExpression = (value: Value, pointer: string, scope: Scope) => Node
