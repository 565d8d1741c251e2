/** A run of one entity told step by step: what each transform and function got and gave, within bounds. */

import { copyOf, type Dict, dictOf, entries, getStored, nameOf, names, storedKeys } from '../model/dict.ts'
import { writeJson } from '../model/json.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import type { TraceStep } from './contract.ts'
import type { Frame } from './frame.ts'
import type { Argument, CallNode, Step, Tools, TransformNode } from './syntax.ts'
import { DISCARDED, FILTERED } from './syntax.ts'

/** Steps told of one run, and characters of one value, at most. */
const MAX_STEPS = 2_000
const MAX_TEXT = 2_000
/** Elements of a list or properties of a dict that are shown, and how deep. */
const SHOWN = 50
const DEPTH = 8

interface Told {
  /** Of the argument. */
  readonly place: number
  readonly text: string
}

interface OpenStep {
  readonly kind: TraceStep['kind']
  readonly name: string
  readonly pointer: string
  readonly depth: number
  readonly told: Told[]
  output: string | null
  failed: boolean
}

/** What a step is called, and the constants among its arguments: some are never evaluated. */
interface StepName {
  readonly kind: TraceStep['kind']
  readonly name: string
  readonly pointer: string
  readonly constants: readonly { readonly place: number; readonly value: Value }[]
}

export class Tracer {
  readonly #steps: OpenStep[] = []
  isCut = false
  readonly #mask: (text: string) => string
  #open: (OpenStep | null)[] = []
  #refused: string | null = null

  constructor(mask: (text: string) => string = (text) => text) {
    this.#mask = mask
  }

  /** What the innermost step got as one of its arguments. */
  input(value: Value, place = 0): void {
    const step = this.#open.at(-1)
    if (step != null && step.told.length < SHOWN) step.told.push({ place, text: this.#text(value) })
  }

  step<T>(named: StepName, run: () => T, output: (result: T) => Value): T {
    const step = this.#begin(named)
    this.#open.push(step)
    try {
      const result = run()
      if (step !== null) step.output = this.#text(output(result))
      return result
    } catch (error) {
      if (step !== null) step.failed = true
      throw error
    } finally {
      this.#open.pop()
      if (step !== null) this.#tellConstants(step, named)
    }
  }

  get steps(): readonly TraceStep[] {
    return this.#steps.map(({ told, ...step }) => ({ ...step, input: textsOf(told) }))
  }

  /** What the run came to and may not give. */
  refuse(target: Value): void {
    this.#refused = this.#text(target)
  }

  /** What the innermost step that failed had got, or what was refused at the end. */
  failedInput(): readonly string[] {
    if (this.#refused !== null) return [this.#refused]
    return textsOf(this.#steps.findLast(({ failed }) => failed)?.told ?? [])
  }

  #begin({ kind, name, pointer }: StepName): OpenStep | null {
    if (this.#steps.length >= MAX_STEPS) {
      this.isCut = true
      return null
    }
    const step = { kind, name, pointer, depth: this.#open.length, told: [], output: null, failed: false }
    this.#steps.push(step)
    return step
  }

  /** Those that were known when the program was compiled stand where they are written. */
  #tellConstants({ told }: OpenStep, { constants }: StepName): void {
    for (const { place, value } of constants) {
      if (told.some((one) => one.place === place)) continue
      const behind = told.findIndex((one) => one.place > place)
      told.splice(behind < 0 ? told.length : behind, 0, { place, text: this.#text(value) })
    }
  }

  #text(value: Value): string {
    const text = this.#mask(writeJson(shortened(value)))
    return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  }
}

/** A call that tells its arguments and its result; nothing is folded, so that everything is seen. */
export function tracedCall(
  { definition, pointer, parameters }: CallNode,
  args: readonly (Argument | undefined)[],
  tools: Tools,
) {
  const isKey = (place: number) => CIPHERS.test(definition.name) && parameters[place]?.name !== 'VALUES'
  const seen = args.map((argument, place) => observed(argument, place, isKey(place)))
  const evaluate = definition.compile(seen, tools)
  const named = { kind: 'function', name: definition.name, pointer, constants: constantsOf(args, isKey) } as const
  return (frame: Frame): Value => {
    const { tracer } = frame.run
    if (tracer === null) return evaluate(frame)
    return tracer.step(
      named,
      () => evaluate(frame),
      (value) => value,
    )
  }
}

/** A transform that tells its arguments, and the properties of the target that it changed. */
export function tracedTransform(
  { definition, pointer }: TransformNode,
  args: readonly (Argument | undefined)[],
  tools: Tools,
): Step {
  const run = definition.compile(
    args.map((argument, place) => observed(argument, place)),
    tools,
  )
  const named = { kind: 'transform', name: definition.name, pointer, constants: constantsOf(args) } as const
  return (frame) => {
    const { tracer } = frame.run
    if (tracer === null) return run(frame)
    const before = copyOf(frame.target)
    return tracer.step(
      named,
      () => run(frame),
      (outcome): Value => {
        if (outcome === FILTERED) return 'filtered'
        return outcome === DISCARDED ? 'discarded' : changesOf(before, frame.target)
      },
    )
  }
}

/** Functions whose other arguments are keys, which nobody is told. */
const CIPHERS = /^(en|de)crypt/

function constantsOf(args: readonly (Argument | undefined)[], isKey = (_: number) => false): StepName['constants'] {
  return args.flatMap((argument, place) =>
    argument?.node.kind === 'constant' ? [{ place, value: isKey(place) ? HIDDEN : argument.node.value }] : [],
  )
}

const HIDDEN = '***'

const textsOf = (told: readonly Told[]): readonly string[] => told.map(({ text }) => text)

function observed(argument: Argument | undefined, place: number, isKey = false): Argument | undefined {
  if (argument === undefined || argument.node.kind === 'block' || argument.node.kind === 'rule') return argument
  return {
    ...argument,
    evaluate: (frame) => {
      const value = argument.evaluate(frame)
      frame.run.tracer?.input(isKey ? HIDDEN : value, place)
      return value
    },
  }
}

/** Properties with new values; removed ones with null. */
function changesOf(before: Dict, after: Dict): Value {
  const changed = storedKeys(after).filter((key) => getStored(before, key) !== getStored(after, key))
  const written = dictOf(changed.map((key) => [nameOf(key), getStored(after, key) as Value] as const))
  const removed = names(before).filter((name) => !names(after).includes(name))
  return dictOf([...entries(written), ...removed.map((name) => [name, null] as const)])
}

function shortened(value: Value, depth = 0): Value {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
  if (isList(value)) {
    if (depth >= DEPTH) return '…'
    const shown = value.slice(0, SHOWN).map((element) => shortened(element, depth + 1))
    return value.length > SHOWN ? [...shown, `… and ${value.length - SHOWN} more`] : shown
  }
  if (!isDict(value)) return value
  if (depth >= DEPTH) return '…'
  const all = entries(value)
  return dictOf(all.slice(0, SHOWN).map(([name, property]) => [name, shortened(property, depth + 1)] as const))
}
