/**
 * Walks from changed entities backwards to the source entities that may depend on them, through indexes alone.
 *
 * What was reached is remembered as bits, so memory does not grow with how many there are, and each is taken once in a run.
 * Indexes tell the newest state, at whatever moment they are asked: what changed since the run fixed its ends is a change
 * for the next run, which begins at the state before.
 */

import type { DatasetView, Version } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { hash128, indexKey, keyOf } from '../../model/canonical.ts'
import { type Entity, idOf } from '../../model/entity.ts'
import type { Value } from '../../model/value.ts'
import type { IndexCompiler } from '../dataset-writer.ts'
import { PipeError } from '../errors.ts'
import { Bits } from './bits.ts'
import type { TrackedPlace, TrackedStep, TrackingPlan } from './plan.ts'

/** Entities expanded, and index rows read, at a time. */
const PAGE = 500
const ROWS = 1_000
/** Questions remembered as asked at most; a forgotten one is only asked again. */
const ASKED = 50_000
/** Ids of sources kept at hand at most; those of others are read again from where the bits say they are. */
const IDS = 20_000
/** Sources under one key that make it a hot one. */
const HOT = 10_000

/** A lookup to be made: who has the value in the index. */
interface Question {
  readonly step: TrackedStep
  readonly index: string
  readonly value: Value
  readonly turns: number
  /** The entity whose value it is. */
  readonly of: string
  readonly dataset: string
}

/** Of one input, by the sequence of the newest version: all that were found, those that are to be taken, and some ids. */
interface Sources {
  readonly all: Bits
  readonly open: Bits
  readonly ids: Map<number, string>
}

/** A value that very many source entities are joined by. */
export interface HotKey {
  readonly dataset: string
  readonly entity: string
  readonly value: Value
  readonly found: number
}

export interface WalkerPorts {
  /** The dataset as of now; another one whenever the run has moved. */
  view(dataset: string): DatasetView | undefined
  readonly indexes: IndexCompiler
  /** The last sequence of an input of the source that was read: what is newer is read anyway. */
  passed(input: string): number
  hot(key: HotKey): void
}

export class Walker {
  /** Index rows read. */
  rows = 0
  /** Source entities found. */
  found = 0
  readonly #plan: TrackingPlan
  readonly #ports: WalkerPorts
  /** By place and turns: what came there, and what is to go on from there. */
  readonly #visited = new Map<string, Bits>()
  readonly #open = new Map<string, Bits>()
  readonly #sources = new Map<string, Sources>()
  readonly #asked = new Set<string>()
  #questions: Question[] = []

  constructor(plan: TrackingPlan, ports: WalkerPorts) {
    this.#plan = plan
    this.#ports = ports
  }

  /** A version of an entity that is, or was, bound where its dataset can be; a deleted one joins nothing. */
  begin(dataset: string, version: Version): void {
    if (version.deleted) return
    let entity: Entity | null = null
    for (const [number, place] of this.#plan.places.entries()) {
      if (!place.isStart || place.dataset !== dataset) continue
      entity ??= entityOf(version, { internal: false })
      this.#ask(number, 0, entity)
    }
  }

  /** Goes on until nothing is left to be found; between its steps the run may move. */
  *walk(): Generator<void> {
    for (;;) {
      for (const question of this.#takeQuestions()) yield* this.#answer(question)
      const next = this.#next()
      if (next === null) return
      this.#expand(next.place, next.turns, next.bits)
      yield
    }
  }

  /** Ids of sources that were found and not taken yet, `most` of them, in the order of the log; null: all were taken. */
  take(input: string, most: number): readonly string[] | null {
    const sources = this.#sources.get(input)
    const sequences = sources?.open.take(most) ?? []
    if (sources === undefined || sequences.length === 0) return null
    const far = sequences.filter((sequence) => !sources.ids.has(sequence))
    for (const { sequence, id } of this.#ports.view(input)?.placesAt(far) ?? []) sources.ids.set(sequence, id)
    return sequences.flatMap((sequence) => {
      const id = sources.ids.get(sequence)
      sources.ids.delete(sequence)
      return id ?? []
    })
  }

  /** How many are to be taken. */
  get waiting(): number {
    return [...this.#sources.values()].reduce((sum, { open }) => sum + open.size, 0)
  }

  #takeQuestions(): Question[] {
    const questions = this.#questions
    this.#questions = []
    return questions
  }

  /** Fewest turns first, so that what a recursion reaches is reached on the shortest way. */
  #next(): { readonly place: number; readonly turns: number; readonly bits: Bits } | null {
    let least: { place: number; turns: number; bits: Bits } | null = null
    for (const [name, bits] of this.#open) {
      if (bits.size === 0) continue
      const [place, turns] = name.split(' ').map(Number) as [number, number]
      if (least === null || turns < least.turns) least = { place, turns, bits }
    }
    return least
  }

  #expand(place: number, turns: number, bits: Bits): void {
    const { dataset } = this.#plan.places[place] as TrackedPlace
    const view = this.#ports.view(dataset)
    const sequences = bits.take(PAGE)
    for (const version of view?.versionsAt(sequences) ?? []) {
      if (!version.deleted) this.#ask(place, turns, entityOf(version, { internal: false }))
    }
  }

  #ask(number: number, turns: number, entity: Entity): void {
    const { steps, dataset, spec } = this.#plan.places[number] as TrackedPlace
    for (const step of steps) {
      const next = step.again !== null ? turns + 1 : this.#isWithin(spec, step.to) ? turns : 0
      if (step.again?.limit != null && next > step.again.limit) continue
      for (const { key, index } of step.lookups) {
        for (const value of this.#ports.indexes.valuesOf(key, entity)) {
          const question: Question = { step, index, value, turns: next, of: idOf(entity), dataset }
          if (this.#isNew(question)) this.#questions.push(question)
        }
      }
    }
  }

  /** From alias to alias of one spec the turns of its recursion go on being counted. */
  #isWithin(spec: string, to: number | null): boolean {
    return to !== null && this.#plan.places[to]?.spec === spec
  }

  /** Whoever asked it, the answer is the same. */
  #isNew({ step, index, value, turns }: Question): boolean {
    const key = keyOf(value)
    const short = key.length <= 64 ? key : hash128(key)
    const counted = step.to !== null && this.#plan.places[step.to]?.countsTurns === true ? turns : 0
    const text = `${step.to} ${step.dataset} ${counted} ${index} ${short}`
    if (this.#asked.has(text)) return false
    if (this.#asked.size >= ASKED) this.#asked.clear()
    this.#asked.add(text)
    return true
  }

  *#answer(question: Question): Generator<void> {
    const { step, of, dataset, value } = question
    let found = yield* this.#readRows(question, false)
    // A source that is deleted runs again, too; what is only passed on the way joins nothing when it is deleted.
    if (step.to === null) found += yield* this.#readRows(question, true)
    if (step.to === null && found >= HOT) this.#ports.hot({ dataset, entity: of, value, found })
  }

  *#readRows({ step, index, value, turns }: Question, deleted: boolean): Generator<void, number> {
    const key = indexKey(value)
    if (key === null) return 0
    let found = 0
    for (let after: string | undefined; ; ) {
      const view = this.#ports.view(step.dataset)
      if (view === undefined) return found
      const number = readyIndex(view, index)
      const [ids] = view.lookupPages(number, key, { after, size: ROWS, deleted })
      if (ids === undefined) return found
      for (const id of ids) this.#arrive(step, view, id, turns)
      found += ids.length
      this.rows += ids.length
      after = ids.at(-1)
      yield
    }
  }

  #arrive(step: TrackedStep, view: DatasetView, id: string, turns: number): void {
    const head = view.head(id)
    if (head === undefined) return
    if (step.to === null) this.#arriveAtSource(step.dataset, head.sequence, id)
    else this.#arriveAt(step.to, head.sequence, turns)
  }

  #arriveAt(place: number, sequence: number, turns: number): void {
    const counted = this.#plan.places[place]?.countsTurns === true ? turns : 0
    for (let before = 0; before < counted; before++) {
      if (this.#visited.get(`${place} ${before}`)?.has(sequence)) return
    }
    const name = `${place} ${counted}`
    if (bitsAt(this.#visited, name).add(sequence)) bitsAt(this.#open, name).add(sequence)
  }

  #arriveAtSource(input: string, sequence: number, id: string): void {
    if (sequence > this.#ports.passed(input)) return
    let sources = this.#sources.get(input)
    if (sources === undefined) {
      sources = { all: new Bits(), open: new Bits(), ids: new Map() }
      this.#sources.set(input, sources)
    }
    if (!sources.all.add(sequence)) return
    sources.open.add(sequence)
    if (sources.ids.size < IDS) sources.ids.set(sequence, id)
    this.found++
  }
}

function bitsAt(all: Map<string, Bits>, name: string): Bits {
  let bits = all.get(name)
  if (bits === undefined) {
    bits = new Bits()
    all.set(name, bits)
  }
  return bits
}

function readyIndex({ document }: DatasetView, expression: string): number {
  const index = document.indexes.find((one) => one.expression === expression)
  if (index?.state === 'ready') return index.number
  throw new PipeError('index-not-ready', `The index ${expression} of dataset '${document.id}' is not complete.`, {
    hint: 'Run the pipe again: its indexes are filled before it runs.',
  })
}
