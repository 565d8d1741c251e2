/** Turns a run's entities into commits on its sink dataset: encoded, with their index keys, in order, each with the offset it reaches. */

import { compileIndex } from '../dtl/compile.ts'
import type { CompiledIndex } from '../dtl/contract.ts'
import { EntityPacker } from '../log/batch.ts'
import type { Commit, Committed, DatasetDocument, Journal, Write } from '../log/contract.ts'
import { LogError } from '../log/errors.ts'
import { type EncodedEntity, encodeEntity, indexKey } from '../model/canonical.ts'
import { copyOf, set } from '../model/dict.ts'
import { type Entity, idOf } from '../model/entity.ts'
import { isFiltered } from './transform-batch.ts'

/** Compiled index expressions of a thread, by their text. */
export class IndexCompiler {
  readonly #compiled = new Map<string, CompiledIndex>()

  keysOf(expression: string, entity: Entity): Uint8Array[] {
    let index = this.#compiled.get(expression)
    if (index === undefined) {
      index = compileIndex(expression)
      this.#compiled.set(expression, index)
    }
    const keys: Uint8Array[] = []
    for (const value of index.keys(entity)) {
      const key = indexKey(value)
      if (key !== null) keys.push(key)
    }
    return keys
  }
}

/** What happened to the entities of one commit. */
export interface Written {
  /** Versions appended. */
  readonly changes: number
}

type Expectations = Omit<Commit, 'writes'>

/** How often a commit is packed again because the dataset's indexes changed meanwhile. */
const REPACKS = 5

export class DatasetWriter {
  readonly #journal: Journal
  readonly #indexes: IndexCompiler
  readonly #document: () => DatasetDocument
  readonly #dataset: string

  readonly #refresh: () => void

  /** `document` gives the dataset as the run sees it; `refresh` makes it see the present, after a refusal. */
  constructor(
    journal: Journal,
    indexes: IndexCompiler,
    dataset: string,
    document: () => DatasetDocument,
    refresh: () => void,
  ) {
    this.#refresh = refresh
    this.#journal = journal
    this.#indexes = indexes
    this.#dataset = dataset
    this.#document = document
  }

  async write(entities: readonly Entity[], expectations: Expectations, deletesOnlyExisting = false): Promise<Written> {
    const groups = grouped(entities)
    for (let attempt = 1; ; attempt++) {
      const document = this.#document()
      // A filtered entity deletes what is there and otherwise leaves no trace (hub.md §2.2).
      const writes = groups.map(({ isFiltered, encoded }) => ({
        ...this.#pack(encoded, document),
        deletesOnlyExisting: isFiltered || deletesOnlyExisting,
      }))
      try {
        return { changes: changesOf(await this.#journal.commit({ ...expectations, writes })) }
      } catch (error) {
        if (!(error instanceof LogError && error.code === 'index-set-changed') || attempt === REPACKS) throw error
        this.#refresh()
      }
    }
  }

  #pack(entities: readonly Encoded[], document: DatasetDocument): Write {
    const packer = new EntityPacker()
    const { indexes } = document
    for (const { entity, encoded } of entities) {
      packer.add(
        encoded,
        indexes.map((index) => [index.number, this.#indexes.keysOf(index.expression, entity)] as const),
      )
    }
    return { dataset: this.#dataset, entities: packer.finish(), indexSet: document.indexSet }
  }
}

interface Encoded {
  readonly entity: Entity
  readonly encoded: EncodedEntity
}

interface Group {
  readonly isFiltered: boolean
  readonly encoded: Encoded[]
}

/** As few groups as will do, of kept and of filtered entities, that leave what happens to each id in order. */
function grouped(entities: readonly Entity[]): readonly Group[] {
  const groups: Group[] = []
  let kept: Group = { isFiltered: false, encoded: [] }
  let filtered: Group = { isFiltered: true, encoded: [] }
  let filteredIds = new Set<string>()
  for (const entity of entities) {
    if (isFiltered(entity)) {
      filtered.encoded.push({ entity, encoded: asDeleted(entity) })
      filteredIds.add(idOf(entity))
      continue
    }
    if (filteredIds.size > 0 && filteredIds.has(idOf(entity))) {
      groups.push(kept, filtered)
      kept = { isFiltered: false, encoded: [] }
      filtered = { isFiltered: true, encoded: [] }
      filteredIds = new Set()
    }
    kept.encoded.push({ entity, encoded: encodeEntity(entity) })
  }
  return [...groups, kept, filtered].filter(({ encoded }) => encoded.length > 0)
}

function asDeleted(entity: Entity): EncodedEntity {
  const deleted = copyOf(entity)
  set(deleted, '_deleted', true)
  return encodeEntity(deleted)
}

const changesOf = (committed: Committed): number => committed.writes.reduce((sum, write) => sum + write.written, 0)
