/** One commit inside its transaction: everything is checked before anything is written. */

import type { Appender, AppendOptions } from './appender.ts'
import { BatchReader } from './batch.ts'
import { seal } from './checksum.ts'
import type { Commit, Committed, Completeness, DatasetDocument, RunToken, Write } from './contract.ts'
import { nameKey, putRemnant, writeCounts, writeText } from './documents.ts'
import type { Environment } from './environment.ts'
import { LogError } from './errors.ts'
import { Expectations, hasExpectations } from './expectations.ts'
import { MAX_KEY } from './keys.ts'
import { heldBack, tooLarge, wrongKind } from './refusals.ts'
import type { Dataset, Registry, Staged } from './registry.ts'
import type { Runs } from './runs.ts'
import { isOpenFor, stagingNumber } from './staging.ts'
import type { Stagings } from './stagings.ts'
import { checkStampedAlone, checkStamps } from './stamps.ts'

interface Parts {
  readonly environment: Environment
  readonly registry: Registry
  readonly appender: Appender
  readonly stagings: Stagings
  readonly runs: Runs
  /** Microseconds since 1970. */
  readonly now: () => number
  readonly maxEntityBytes: number
}

export class Committer {
  readonly #environment: Environment
  readonly #registry: Registry
  readonly #appender: Appender
  readonly #stagings: Stagings
  readonly #runs: Runs
  readonly #now: () => number
  readonly #maxEntityBytes: number

  constructor({ environment, registry, appender, stagings, runs, now, maxEntityBytes }: Parts) {
    this.#environment = environment
    this.#registry = registry
    this.#appender = appender
    this.#stagings = stagings
    this.#runs = runs
    this.#now = now
    this.#maxEntityBytes = maxEntityBytes
  }

  /** Throws what is wrong with it; gives the batches of its writes. */
  check(commit: Commit): readonly BatchReader[] {
    this.#runs.check(commit.run)
    this.#stagings.checkNotTripped(commit)
    const { writes = [] } = commit
    const batches = writes.map((write) => this.#checkWrite(write, commit.run))
    checkStampedAlone(writes)
    this.#checkExpectations(writes, batches)
    this.#checkRest(commit)
    return batches
  }

  apply(commit: Commit, batches: readonly BatchReader[]): Committed {
    this.#stagings.noteFormer(commit)
    const writes = (commit.writes ?? []).map((write, i) => this.#write(write, batches[i] as BatchReader))
    this.#writeRest(commit)
    if (writes.some(({ written }) => written > 0) || hasRest(commit)) this.#registry.noteChange()
    return { writes }
  }

  #checkWrite({ dataset: id, entities, indexSet, maxEntityBytes, stamps }: Write, run?: RunToken): BatchReader {
    const dataset = this.#registry.dataset(id)
    const { document, counts, staged } = dataset
    const isExposed = stamps !== undefined && staged?.staging.state === 'exposing'
    if (!isExposed) {
      if (staged !== null && !isOpenFor(staged.staging, run)) throw heldBack(document, staged.staging)
      if ((document.kind === 'replicated') !== (stamps !== undefined)) throw wrongKind(document)
    }
    if (document.indexSet !== indexSet) {
      throw new LogError('index-set-changed', `The indexes of dataset '${id}' changed while the batch was made.`, {
        details: { dataset: id, given: indexSet, current: document.indexSet },
        hint: 'Compute the index keys again, for the set of indexes that the dataset has now.',
      })
    }
    const batch = new BatchReader(entities, 'entities')
    const limit = Math.min(maxEntityBytes ?? this.#maxEntityBytes, this.#maxEntityBytes)
    if (batch.greatest > limit) throw tooLarge(id, batch, limit)
    this.#appender.checkLongIds(document.number, batch)
    if (stamps !== undefined) {
      const place = { id, number: document.number, end: counts.end }
      checkStamps(this.#environment.tables, place, batch, stamps, (one) => this.#appender.head(place.number, one))
    }
    return batch
  }

  /** One walk for each dataset, over all that the commit brings it. */
  #checkExpectations(writes: readonly Write[], batches: readonly BatchReader[]): void {
    if (!writes.some(hasExpectations)) return
    const byDataset = new Map<string, Expectations>()
    writes.forEach((write, i) => {
      let expectations = byDataset.get(write.dataset)
      if (expectations === undefined) {
        const { document, staged } = this.#registry.dataset(write.dataset)
        const { number } = document
        expectations = new Expectations(
          (id) =>
            (staged === null ? undefined : this.#appender.head(stagingNumber(number), id)) ??
            this.#appender.head(number, id),
        )
        byDataset.set(write.dataset, expectations)
      }
      expectations.check(write, batches[i] as BatchReader)
    })
  }

  #checkRest({ offsets = [], meta = [], state = [], populated = [], completeness = [] }: Commit): void {
    for (const [name] of offsets) nameKey('', name)
    for (const [name] of meta) nameKey('m', name)
    for (const [key] of state) {
      if (key.length === 0 || key.length > MAX_KEY) {
        throw new LogError('key-too-long', `A state key has ${key.length} bytes.`, {
          details: { bytes: key.length, limit: MAX_KEY },
          hint: `Use keys of 1 to ${MAX_KEY} bytes; store what is longer by its hash.`,
        })
      }
    }
    for (const [dataset] of populated) this.#registry.dataset(dataset)
    for (const { dataset } of completeness) this.#registry.dataset(dataset)
  }

  #write({ dataset: id, stamps, ...write }: Write, batch: BatchReader): Committed['writes'][number] {
    const dataset = this.#registry.dataset(id)
    const { document, counts, staged } = dataset
    const { number } = document
    if (staged !== null && stamps === undefined) return this.#writeStaged(dataset, staged, write, batch)
    if (write.erases === true) this.#appender.forgetLeft(number, batch)
    const written =
      stamps === undefined
        ? this.#appender.append(number, counts, batch, this.#now(), optionsOf(write, fedOf(document)))
        : this.#appender.appendStamped(number, counts, batch, stamps, fedOf(document))
    if (written > 0) this.#registry.noteCounts(dataset)
    if (write.erases === true) this.#noteErased(id, counts.end - written, counts.end)
    // The last of what was held back is there.
    if (staged !== null && counts.end >= staged.counts.end) this.#stagings.expose(dataset)
    return { written, seen: batch.count, end: counts.end }
  }

  #writeStaged(
    dataset: Dataset,
    { staging, counts }: Staged,
    write: Omit<Write, 'dataset' | 'stamps'>,
    batch: BatchReader,
  ): Committed['writes'][number] {
    const number = stagingNumber(staging.dataset)
    const options = optionsOf(write, NONE_FED, staging.dataset)
    const written = this.#appender.append(number, counts, batch, this.#now(), options)
    if (written > 0) writeCounts(this.#environment.tables.meta, number, counts)
    const result = { written, seen: batch.count, end: counts.end }
    if (counts.versions <= staging.limit) return result
    // Above it already, when this is not the first write of its commit.
    this.#stagings.trip(dataset)
    return { ...result, tripped: true }
  }

  #noteErased(id: string, from: number, end: number): void {
    const { number, erased } = this.#registry.dataset(id).document
    for (let sequence = from; sequence < end; sequence++) putRemnant(this.#environment.tables.meta, number, sequence)
    this.#registry.changeDocument(id, { erased: erased + end - from })
  }

  #writeRest({ offsets = [], meta = [], state = [], populated = [], completeness = [] }: Commit): void {
    const { tables } = this.#environment
    for (const [name, value] of offsets) {
      if (value === null) tables.offset.remove(nameKey('', name))
      else writeText(tables.offset, nameKey('', name), value)
    }
    for (const [name, value] of meta) {
      if (value === null) tables.meta.remove(nameKey('m', name))
      else writeText(tables.meta, nameKey('m', name), value)
    }
    for (const [key, value] of state) {
      if (value === null) tables.state.remove(key)
      else tables.state.put(key, seal(value))
    }
    for (const [id, isPopulated] of populated) {
      if (this.#registry.dataset(id).document.populated !== isPopulated)
        this.#registry.changeDocument(id, { populated: isPopulated })
    }
    for (const learned of completeness) this.#learn(learned)
  }

  #learn({ dataset: id, value, upstream }: Completeness): void {
    const dataset = this.#registry.dataset(id)
    const learned = {
      ...(value === undefined ? {} : { completeness: value === 'now' ? this.#now() : value }),
      ...(upstream === undefined ? {} : { upstream }),
    }
    if (dataset.staged !== null) this.#stagings.learn(dataset, learned)
    else this.#registry.changeDocument(id, learned)
  }
}

const hasRest = ({ offsets = [], meta = [], state = [], populated = [], completeness = [] }: Commit): boolean =>
  offsets.length + meta.length + state.length + populated.length + completeness.length > 0

const optionsOf = (
  { force = false, erases = false, deletesOnlyExisting = false, secondVersions }: Omit<Write, 'dataset'>,
  fed: ReadonlySet<number>,
  beside: number | null = null,
): AppendOptions => ({
  force: force || erases,
  deletesOnlyExisting,
  ignoresSecond: secondVersions === 'ignore',
  beside,
  fed,
})

const NONE_FED: ReadonlySet<number> = new Set()

/** The indexes that subsets are read from as feeds. */
function fedOf({ indexes }: DatasetDocument): ReadonlySet<number> {
  const fed = indexes.filter(({ feedsSince }) => feedsSince !== null)
  return fed.length === 0 ? NONE_FED : new Set(fed.map(({ number }) => number))
}
