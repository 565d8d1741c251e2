/** A part of a YAML file and its place in it: the door through which unchecked values become checked ones. */

import { parseDocument, visit } from 'yaml'
import { didYouMean, pointerStep } from '../../../src/config/problems.ts'
import type { MappingProblem } from './errors.ts'

/** Many readers take these for booleans (YAML 1.1), so they must be quoted. */
const AMBIGUOUS = /^(?:on|off|yes|no|y|n)$/i

export class Part {
  readonly value: unknown
  readonly file: string
  readonly pointer: string
  readonly #problems: MappingProblem[]

  constructor(value: unknown, file: string, pointer: string, problems: MappingProblem[]) {
    this.value = value
    this.file = file
    this.pointer = pointer
    this.#problems = problems
  }

  /** The whole of a file, as YAML 1.2. */
  static read(file: string, text: string, problems: MappingProblem[]): Part {
    const document = parseDocument(text)
    const whole = new Part(document.toJS(), file, '', problems)
    for (const { message } of document.errors) whole.problem(message)
    visit(document, {
      Scalar(_key, { type, source }) {
        if (type !== 'PLAIN' || source === undefined || !AMBIGUOUS.test(source)) return
        whole.problem(`'${source}' must be quoted: some readers of YAML take it for true or false.`)
      },
    })
    return whole
  }

  problem(message: string, hint?: string): void {
    this.#problems.push({ file: this.file, pointer: this.pointer, message, ...(hint === undefined ? {} : { hint }) })
  }

  get isThere(): boolean {
    return this.value !== undefined
  }

  at(step: string | number): Part {
    const inside = this.value as Readonly<Record<string | number, unknown>> | null | undefined
    return new Part(inside?.[step], this.file, this.pointer + pointerStep(step), this.#problems)
  }

  /** Checks that it is an object with these names. `later`: names that mappings have and this compiler does not do. */
  object(known: readonly string[], later: readonly string[] = []): this {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem('This must be an object.')
      return this
    }
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue
      if (later.includes(name)) this.at(name).problem(`'${name}' is not supported by this version.`)
      else this.at(name).problem(`Unknown key '${name}'.`, didYouMean(name, [...known, ...later]))
    }
    return this
  }

  names(): readonly string[] {
    return typeof this.value === 'object' && this.value !== null ? Object.keys(this.value) : []
  }

  list(): readonly Part[] {
    if (Array.isArray(this.value)) return this.value.map((_, place) => this.at(place))
    if (this.isThere) this.problem('This must be a list.')
    return []
  }

  /** With a fallback it may be absent. */
  text(fallback?: string): string {
    if (typeof this.value === 'string' && this.value !== '') return this.value
    if (!this.isThere && fallback !== undefined) return fallback
    this.problem(this.isThere ? 'This must be a text.' : 'This is missing: a text.')
    return ''
  }

  choice<T extends string>(choices: readonly T[], fallback?: T): T {
    const text = this.text(fallback)
    if (choices.includes(text as T)) return text as T
    if (text !== '') this.problem(`This must be ${choices.join(' or ')}, not '${text}'.`, didYouMean(text, choices))
    return choices[0] as T
  }

  number(fallback?: number): number {
    if (typeof this.value === 'number') return this.value
    if (!this.isThere && fallback !== undefined) return fallback
    this.problem(this.isThere ? 'This must be a number.' : 'This is missing: a number.')
    return 0
  }
}
