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

interface OpenStep {
  readonly kind: TraceStep['kind']
  readonly name: string
  readonly pointer: string
  readonly depth: number
  readonly input: string[]
  output: string | null
  failed: boolean
}

export class Tracer {
  readonly steps: OpenStep[] = []
  isCut = false
  readonly #mask: (text: string) => string
  #open: (OpenStep | null)[] = []

  constructor(mask: (text: string) => string = (text) => text) {
    this.#mask = mask
  }

  /** What the innermost step got. */
  input(value: Value): void {
    const step = this.#open.at(-1)
    if (step != null && step.input.length < SHOWN) step.input.push(this.#text(value))
  }

  step<T>(kind: TraceStep['kind'], name: string, pointer: string, run: () => T, output: (result: T) => Value): T {
    const step = this.#begin(kind, name, pointer)
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
    }
  }

  /** What the innermost step that failed had got. */
  failedInput(): readonly string[] {
    return this.steps.findLast(({ failed }) => failed)?.input ?? []
  }

  #begin(kind: TraceStep['kind'], name: string, pointer: string): OpenStep | null {
    if (this.steps.length >= MAX_STEPS) {
      this.isCut = true
      return null
    }
    const step = { kind, name, pointer, depth: this.#open.length, input: [], output: null, failed: false }
    this.steps.push(step)
    return step
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
  const seen = args.map((argument, place) => observed(argument, isKey(place)))
  const evaluate = definition.compile(seen, tools)
  return (frame: Frame): Value => {
    const { tracer } = frame.run
    if (tracer === null) return evaluate(frame)
    return tracer.step(
      'function',
      definition.name,
      pointer,
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
    args.map((argument) => observed(argument)),
    tools,
  )
  return (frame) => {
    const { tracer } = frame.run
    if (tracer === null) return run(frame)
    const before = copyOf(frame.target)
    return tracer.step(
      'transform',
      definition.name,
      pointer,
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

function observed(argument: Argument | undefined, isKey = false): Argument | undefined {
  if (argument === undefined || argument.node.kind === 'block' || argument.node.kind === 'rule') return argument
  return {
    ...argument,
    evaluate: (frame) => {
      const value = argument.evaluate(frame)
      frame.run.tracer?.input(isKey ? '***' : value)
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
