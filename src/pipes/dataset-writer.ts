/** Turns a run's entities into commits on its sink dataset: encoded, with their index keys, in order, each with the offset it reaches. */

import { compileIndex } from '../dtl/compile.ts'
import type { CompiledIndex } from '../dtl/contract.ts'
import { type EntityKeys, EntityPacker } from '../log/batch.ts'
import {
  type Commit,
  type Committed,
  type DatasetDocument,
  type DatasetView,
  type Journal,
  MAX_ENTITY_BYTES,
  NOT_THERE,
  type Write,
} from '../log/contract.ts'
import { LogError } from '../log/errors.ts'
import { indexKey } from '../model/canonical.ts'
import { copyOf, get, set } from '../model/dict.ts'
import { type Entity, idOf } from '../model/entity.ts'
import { EntityEncoder } from '../model/entity-encoder.ts'
import { writeJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'
import { trippedError } from './breaker.ts'
import { rounds, withGoneChildren } from './child-tracking.ts'
import { PipeError } from './errors.ts'
import type { WriteRules } from './pipe.ts'
import { isFiltered } from './transform-batch.ts'

/** Compiled index expressions of a thread, by their text. */
export class IndexCompiler {
  readonly #compiled = new Map<string, CompiledIndex>()

  keysOf(expression: string, entity: Entity): Uint8Array[] {
    const keys: Uint8Array[] = []
    for (const value of this.valuesOf(expression, entity)) {
      const key = indexKey(value)
      if (key !== null) keys.push(key)
    }
    return keys
  }

  /** Distinct and not null. */
  valuesOf(expression: string, entity: Entity): readonly Value[] {
    let index = this.#compiled.get(expression)
    if (index === undefined) {
      index = compileIndex(expression)
      this.#compiled.set(expression, index)
    }
    return index.keys(entity)
  }
}

/** What happened to the entities of one commit. */
export interface Written {
  /** Versions appended. */
  readonly changes: number
  /** Next sequence of the dataset after the last of them; null when there was nothing to write. */
  readonly end: number | null
}

export interface WriteOptions {
  /** Deletes that the hub itself makes: only of what is there, whichever version it is. */
  readonly isOfHub?: boolean
  /** Also what is equal to the version there (hub.md §2.8). */
  readonly force?: boolean
}

type Expectations = Omit<Commit, 'writes'>

/** How often a commit is packed again because the dataset's indexes, or the entities it was compared with, changed meanwhile. */
const REPACKS = 5
const RECOMPARES = 100

export class DatasetWriter {
  readonly #journal: Journal
  readonly #indexes: IndexCompiler
  readonly #document: () => DatasetDocument
  readonly #dataset: string

  readonly #refresh: () => void
  readonly #present: (() => DatasetView) | null
  readonly #rules: WriteRules
  readonly #encoder = new EntityEncoder()

  /**
   * `document` gives the dataset as the run sees it; `refresh` makes it see the present, after a refusal. `present`, for a
   * sink that tracks children, gives the dataset with all that is stored by now. `rules` are those of the sink.
   */
  constructor(
    journal: Journal,
    indexes: IndexCompiler,
    dataset: string,
    document: () => DatasetDocument,
    refresh: () => void,
    present: (() => DatasetView) | null = null,
    rules: WriteRules = NO_RULES,
  ) {
    this.#rules = rules
    this.#present = present
    this.#refresh = refresh
    this.#journal = journal
    this.#indexes = indexes
    this.#dataset = dataset
    this.#document = document
  }

  async write(entities: readonly Entity[], expectations: Expectations, options: WriteOptions = {}): Promise<Written> {
    if (this.#present === null) return this.#commit(entities, expectations, options)
    const parts = rounds(entities)
    let changes = 0
    let end: number | null = null
    for (const [place, part] of parts.entries()) {
      // What belongs to the batch as a whole, its offset above all, is committed with the last of it.
      const { run } = expectations
      const some = place === parts.length - 1 ? expectations : run === undefined ? {} : { run }
      const written = await this.#commit(part, some, options)
      changes += written.changes
      end = written.end ?? end
    }
    return { changes, end }
  }

  async #commit(
    entities: readonly Entity[],
    expectations: Expectations,
    { isOfHub = false, force = false }: WriteOptions,
  ): Promise<Written> {
    let groups = grouped(this.#compared(entities))
    for (let attempt = 1; ; attempt++) {
      const document = this.#document()
      // A filtered entity deletes what is there and otherwise leaves no trace (hub.md §2.2).
      const writes = groups.map(({ isFiltered, entities }) => ({
        ...this.#pack(entities, document, isOfHub),
        deletesOnlyExisting: isFiltered || isOfHub,
        force,
      }))
      try {
        const committed = await this.#journal.commit({ ...expectations, writes })
        if (committed.writes.some(({ tripped }) => tripped === true)) throw trippedError(this.#dataset)
        return { changes: changesOf(committed), end: committed.writes.at(-1)?.end ?? null }
      } catch (error) {
        if (!(error instanceof LogError) || attempt === RECOMPARES) throw error
        if (error.code === 'stale-entity' && this.#rules.isLocked && !isOfHub) throw staleInput(error, entities)
        if (error.code === 'stale-entity' && this.#present !== null) groups = grouped(this.#compared(entities))
        else if (error.code === 'index-set-changed' && attempt < REPACKS) this.#refresh()
        else throw error
      }
    }
  }

  /** With the children that are gone, each entity with the version this is true of: no other may come between. */
  #compared(entities: readonly Entity[]): readonly Compared[] {
    if (this.#present === null) return entities.map((entity) => ({ entity, after: null }))
    const view = this.#present().withUncommitted()
    return entities.map((entity) => {
      const previous = view.latest(idOf(entity))
      return { entity: withGoneChildren(entity, previous), after: previous?.sequence ?? NOT_THERE }
    })
  }

  #pack(entities: readonly Compared[], document: DatasetDocument, isOfHub: boolean): Write {
    const { isLocked } = this.#rules
    const packer = new EntityPacker()
    const { indexes } = document
    const keysOf = (entity: Entity) =>
      indexes.map((index) => [index.number, this.#indexes.keysOf(index.expression, entity)] as const)
    for (const { entity } of entities) {
      packer.addText(this.#encoder.encode(entity), indexes.length === 0 ? NO_KEYS : keysOf(entity))
    }
    return {
      dataset: this.#dataset,
      entities: packer.finish(),
      indexSet: document.indexSet,
      ...rulesOf(this.#rules),
      // Who names the version was told of it, so it is in what the entity was compared with.
      ...(isLocked && !isOfHub
        ? { expected: Float64Array.from(entities, ({ entity }) => expectedOf(entity)) }
        : this.#present === null
          ? {}
          : { expected: Float64Array.from(entities, ({ after }) => after ?? NOT_THERE) }),
    }
  }
}

/** The rules of a sink that hold for a whole write. */
export const rulesOf = ({ maxEntityBytes, secondVersions }: WriteRules): Partial<Write> => ({
  maxEntityBytes,
  ...(secondVersions === null ? {} : { secondVersions }),
})

const NO_KEYS: EntityKeys = []

const NO_RULES: WriteRules = { maxEntityBytes: MAX_ENTITY_BYTES, secondVersions: null, isLocked: false }

/** Which version an entity says it was made from. Without `_updated` it says that it is new. */
function expectedOf(entity: Entity): number {
  const updated = get(entity, '_updated') ?? null
  if (updated === null) return NOT_THERE
  return typeof updated === 'number' && updated >= 0 ? updated : Number.NaN
}

/** The refusal with the entity as it was to be written, as JSON text. */
function staleInput({ code, message, details, hint }: LogError, entities: readonly Entity[]): PipeError {
  const input = entities.find((entity) => idOf(entity) === details.entity && expectedOf(entity) !== details.current)
  return new PipeError(code, message, {
    details: { ...details, ...(input === undefined ? {} : { input: writeJson(input) }) },
    ...(hint === undefined ? {} : { hint }),
  })
}

interface Compared {
  readonly entity: Entity
  /** Sequence of the version it was compared with; null when it was not. */
  readonly after: number | null
}

interface Group {
  readonly isFiltered: boolean
  readonly entities: Compared[]
}

/** As few groups as will do, of kept and of filtered entities, that leave what happens to each id in order. */
function grouped(entities: readonly Compared[]): readonly Group[] {
  const groups: Group[] = []
  let kept: Group = { isFiltered: false, entities: [] }
  let filtered: Group = { isFiltered: true, entities: [] }
  let filteredIds = new Set<string>()
  for (const { entity, after } of entities) {
    if (isFiltered(entity)) {
      filtered.entities.push({ entity: asDeleted(entity), after })
      filteredIds.add(idOf(entity))
      continue
    }
    if (filteredIds.size > 0 && filteredIds.has(idOf(entity))) {
      groups.push(kept, filtered)
      kept = { isFiltered: false, entities: [] }
      filtered = { isFiltered: true, entities: [] }
      filteredIds = new Set()
    }
    kept.entities.push({ entity, after })
  }
  return [...groups, kept, filtered].filter((group) => group.entities.length > 0)
}

function asDeleted(entity: Entity): Entity {
  const deleted = copyOf(entity)
  set(deleted, '_deleted', true)
  return deleted
}

const changesOf = (committed: Committed): number => committed.writes.reduce((sum, write) => sum + write.written, 0)
