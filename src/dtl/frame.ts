/** What a running rule has at hand: its source and target, those of the rules around it, and the entity's run. */

import { type Dict, newDict } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Value } from '../model/value.ts'
import type { Evaluation, RunContext } from './contract.ts'
import { DtlError } from './errors.ts'
import type { Tracer } from './trace.ts'

/** Elements made and steps taken for one source entity at most: far above honest work, below what stalls a thread. */
const MAX_WORK = 20_000_000

/** Work between two questions whether there is memory left. */
const LOOK_WORK = 50_000
/** Bytes of a list for each of its values, while it grows and is copied for it. */
const VALUE_BYTES = 20

/** Seconds that one source entity may ask its pipe to pause, at most: for a pipe that sleeps longer there are schedules. */
export const MAX_PAUSE_SECONDS = 3_600

/** One source entity on its way through a program. */
export class Run {
  readonly context: RunContext
  /** Null in all but traced runs. */
  readonly tracer: Tracer | null
  readonly #limit: number
  /** What `create` emitted, in order. */
  readonly emitted: Entity[] = []
  /** Rules applied within one another. */
  depth = 0
  /** Entities looked up by hops. */
  collected = 0
  /** The innermost hops that is being evaluated. */
  evaluation: Evaluation | null = null
  #work = 0
  /** Work after which it is asked whether there is memory left. */
  #look = LOOK_WORK
  #pauseSeconds = 0

  constructor(context: RunContext, limit = MAX_WORK, tracer: Tracer | null = null) {
    this.context = context
    this.tracer = tracer
    this.#limit = limit
  }

  /** Counts work that the program's size does not bound: elements of lists made, values a function is called with. */
  spend(amount: number): void {
    this.#work += amount
    if (this.#work >= this.#look) this.#lookForRoom(amount)
    if (this.#work > this.#limit) {
      throw new DtlError('too-much-work', 'One entity takes more work, or makes more output, than is allowed.', {
        hint: 'Look for lists that multiply: nested map, tuples, range, or hops without a selective join.',
      })
    }
  }

  /** Before what is about to be made is there: in one piece, it may be more than there is any room for. */
  #lookForRoom(amount: number): void {
    this.#look = this.#work + LOOK_WORK
    if (this.#work <= this.#limit) this.context.room?.(amount * VALUE_BYTES)
  }

  /** Nothing waits here: whoever runs the program does, when the entity is through (dtl.md §8.2, `sleep!`). */
  pause(seconds: number): void {
    this.#pauseSeconds += seconds
    if (this.#pauseSeconds > MAX_PAUSE_SECONDS) {
      throw new DtlError('too-much-work', `One entity asks for a pause of more than ${MAX_PAUSE_SECONDS} seconds.`, {
        hint: 'Do not sleep in a rule that is applied to many values.',
      })
    }
    this.context.pause?.(seconds)
  }

  /** The same for text made, eight characters at a time. */
  spendText(length: number): void {
    this.spend(Math.floor(length / 8))
  }

  /** What a lookup of a hops gave. */
  collect(entities: readonly Entity[]): readonly Entity[] {
    this.collected += entities.length
    this.evaluation?.collect(entities)
    return entities
  }
}

const NO_ROWS: Value[] = []

/** Room for the aliases of a rule. */
export const rowsFor = (slots: number): Value[] => (slots === 0 ? NO_ROWS : new Array<Value>(slots).fill(null))

/** The variables of one rule at work. */
export class Frame {
  /** `_S`; changes only in a frame made by {@link Frame.forInputs}. */
  source: Value
  /** `_T`; only this rule writes to it, and whoever reads it whole gets a copy. */
  readonly target: Dict
  /** The frame behind `_P`. */
  readonly parent: Frame | null
  /** The frame behind `_R`. */
  readonly root: Frame
  readonly run: Run
  /** `_` */
  current: Value = null
  /** What the aliases of the rule's hops are bound to, by slot. */
  readonly rows: Value[]

  constructor(source: Value, target: Dict, parent: Frame | null, run: Run, rows: Value[], root?: Frame) {
    this.source = source
    this.target = target
    this.parent = parent
    this.root = root ?? parent?.root ?? this
    this.run = run
    this.rows = rows
  }

  /** The same rule with a source that changes: for what the specs of a hops take in, one after the other (dtl.md §10.4). */
  forInputs(): Frame {
    const frame = new Frame(this.source, this.target, this.parent, this.run, this.rows, this.root)
    frame.current = this.current
    return frame
  }
}

const NOWHERE: RunContext = {
  lookup: { joined: () => [], entity: () => undefined },
  now: () => 0n,
  uuid: () => '',
  bound: newDict(),
}

/** A frame for expressions that see nothing but `_S`: constants, index keys. */
export const frameOf = (source: Value, limit?: number): Frame =>
  new Frame(source, newDict(), null, new Run(NOWHERE, limit), NO_ROWS)
