/**
 * Walks all of a log and names each law that does not hold, with the place. It only reads, one snapshot from begin to end,
 * and keeps nothing that grows with the log: what must agree is counted on both sides first, and looked for one by one only
 * where the counts differ.
 */

import type { Entity } from '../../model/entity.ts'
import { unseal } from '../checksum.ts'
import { HOUSE, type House, type MetaKind, readHouse, type StoredDocument } from '../documents.ts'
import { keysIn, type Tables } from '../environment.ts'
import { openLog } from '../reader.ts'
import type { OpenSnapshot } from '../snapshot.ts'
import { type StoredStaging, stagingNumber } from '../staging.ts'
import { DatasetWalk } from './dataset-walk.ts'
import { type Finding, Findings, nothingWalked, type Place, type Walked } from './finding.ts'
import { BrokenTable, type Walk, type WalkedRow, walkRows } from './rows.ts'

/** A reading position that is a sequence. */
export interface Position {
  readonly offset: string
  readonly dataset: string
  readonly sequence: number
}

export interface VerifyOptions {
  /** Keys of an entity in the index of an expression; null when the expression cannot be compiled. */
  keysOf?(expression: string, fingerprint: string, entity: Entity): readonly Uint8Array[] | null
  /** Which of the offsets are sequences, and of which dataset: the log does not know. */
  positionsOf?(snapshot: OpenSnapshot): readonly Position[]
  /** Hears of each finding. */
  found(finding: Finding): void
  /** Between two chunks of rows; the walk goes on when it resolves. */
  progress?(walked: Readonly<Walked>, place: Place): Promise<void> | void
}

/** Gives what was looked at, and how many findings there were. Throws when there is no log. */
export async function verifyLog(
  path: string,
  options: VerifyOptions,
): Promise<{ readonly walked: Walked; readonly findings: number }> {
  const log = openLog(path)
  const findings = new Findings((finding) => options.found(finding))
  const walked = nothingWalked()
  let snapshot: OpenSnapshot | undefined
  try {
    snapshot = log.snapshot() as OpenSnapshot
    await new LogWalk(snapshot, options, findings, walked).all()
  } catch (error) {
    findings.add('unreadable', `The log cannot be read further: ${(error as Error).message}`)
  } finally {
    snapshot?.close()
    log.close()
  }
  findings.end()
  return { walked, findings: findings.total }
}

class LogWalk implements Walk {
  readonly environment
  readonly transaction
  readonly #snapshot: OpenSnapshot
  readonly #options: VerifyOptions
  readonly #findings: Findings
  readonly #walked: Walked
  #place: Place = {}

  constructor(snapshot: OpenSnapshot, options: VerifyOptions, findings: Findings, walked: Walked) {
    this.environment = snapshot.environment
    this.transaction = snapshot.transaction
    this.#snapshot = snapshot
    this.#options = options
    this.#findings = findings
    this.#walked = walked
  }

  readonly breathe = async (): Promise<void> => {
    await this.#options.progress?.(this.#walked, this.#place)
  }

  async all(): Promise<void> {
    const { documents, sweeps, stagings } = await this.#meta()
    for (const document of documents) {
      this.#place = { dataset: document.id }
      this.#walked.datasets++
      await new DatasetWalk(this, this.#snapshot, document, sweeps, this.#options, this.#findings, this.#walked).all()
    }
    const numbers = new Set([...documents.map(({ number }) => number), ...sweeps.datasets, ...stagings])
    for (const table of ['log', 'latest', 'index', 'left'] as const) await this.#strays(table, numbers)
    await this.#sealed('offset', () => {
      this.#walked.offsets++
    })
    await this.#sealed('state', () => {
      this.#walked.states++
    })
    this.#positions()
  }

  /** Documents of datasets and orders of sweeps; everything else there is only unsealed. */
  async #meta(): Promise<{
    documents: readonly StoredDocument[]
    sweeps: Sweeps
    stagings: ReadonlySet<number>
  }> {
    const documents: StoredDocument[] = []
    const counted = new Set<number>()
    const sweeps: Sweeps = { datasets: new Set(), indexes: new Set() }
    // What a circuit breaker holds back is read when it is committed; here it only has its place.
    const stagings = new Set<number>()
    const read: Record<MetaKind, (key: Buffer, value: Buffer) => void> = {
      h: (_, value) => void (JSON.parse(textOf(value, 'h')) as House),
      d: (_, value) => void documents.push(JSON.parse(textOf(value, 'd')) as StoredDocument),
      c: (key) => void counted.add(key.readUInt32BE(1)),
      y: (_, value) => void textOf(value, 'y'),
      p: (key, value) => {
        textOf(value, 'p')
        counted.add(key.readUInt32BE(1))
      },
      e: (key) => void counted.add(key.readUInt32BE(1)),
      x: (key) => {
        if (key.length === 5) sweeps.datasets.add(key.readUInt32BE(1))
        else sweeps.indexes.add(`${key.readUInt32BE(1)} ${key.readUInt32BE(5)}`)
      },
      r: (_, value) => void textOf(value, 'r'),
      s: (_, value) => void stagings.add(stagingNumber((JSON.parse(textOf(value, 's')) as StoredStaging).dataset)),
      u: (_, value) => void textOf(value, 'u'),
      m: (_, value) => void textOf(value, 'm'),
    }
    await this.#each('meta', (key, value) => read[String.fromCharCode(key[0] as number) as MetaKind](key, value))
    for (const number of stagings) counted.delete(number)
    this.#checkNumbers(documents, counted, sweeps)
    return { documents, sweeps, stagings }
  }

  #checkNumbers(documents: readonly StoredDocument[], counted: ReadonlySet<number>, sweeps: Sweeps): void {
    const house = this.#house()
    const known = new Map<number, string>()
    for (const { id, number } of documents) {
      const other = known.get(number)
      if (other !== undefined) {
        this.#findings.add('stray', `The datasets '${other}' and '${id}' have the same number.`, { dataset: id })
      }
      if (sweeps.datasets.has(number)) {
        this.#findings.add('stray', 'It is there, and to be swept away.', { dataset: id })
      }
      known.set(number, id)
      if (house !== undefined && number >= house.nextDataset) {
        this.#findings.add('stray', 'Its number has not been given out yet.', { dataset: id })
      }
    }
    for (const number of counted) {
      if (!known.has(number)) {
        this.#findings.add('stray', `There are counts or notes of dataset number ${number}, which does not exist.`, {
          table: 'meta',
        })
      }
    }
  }

  #house(): House | undefined {
    try {
      const house = readHouse(this.environment, this.transaction)
      if (house === undefined) {
        this.#findings.add('unreadable', 'The row that says what the log is, is missing.', {
          table: 'meta',
          key: HOUSE.toString('hex'),
        })
      }
      return house
    } catch {
      // Told already, by the walk over the table.
      return undefined
    }
  }

  /** Rows of datasets that do not exist: one look for each number. */
  async #strays(table: 'log' | 'latest' | 'index' | 'left', numbers: ReadonlySet<number>): Promise<void> {
    let from: Buffer | undefined = Buffer.from([0])
    try {
      while (from !== undefined) {
        await this.breathe()
        const [key] = keysIn(this.environment.tables[table], {
          start: from,
          limit: 1,
          transaction: this.transaction,
        })
        if (key === undefined) return
        const number = key.length < 4 ? -1 : key.readUInt32BE(0)
        if (!numbers.has(number)) {
          this.#findings.add('stray', `It holds rows of dataset number ${number}, which does not exist.`, {
            table,
            key: key.toString('hex'),
          })
        }
        if (number === 0xffff_ffff || number < 0) return
        from = Buffer.allocUnsafe(4)
        from.writeUInt32BE(number + 1)
      }
    } catch (error) {
      this.#findings.add('unreadable', `Not all of it can be reached: ${(error as Error).message}`, { table })
    }
  }

  #sealed(table: 'offset' | 'state', count: () => void): Promise<void> {
    return this.#each(table, (_, value) => {
      count()
      unseal(value, value.length, 'a row')
    })
  }

  /** All rows of a small table; what `read` throws is a finding. */
  async #each(table: keyof Tables, read: (key: Buffer, value: Buffer) => void): Promise<void> {
    this.#place = { table }
    const one = ({ key, value }: WalkedRow) => {
      try {
        if (!Buffer.isBuffer(value)) throw value
        read(key, value)
      } catch (error) {
        this.#findings.add('unreadable', (error as Error).message, { table, key: key.toString('hex') })
      }
    }
    try {
      for await (const rows of walkRows(this, table, Buffer.from([0]), undefined)) rows.forEach(one)
    } catch (error) {
      if (!(error instanceof BrokenTable)) throw error
      this.#findings.add('unreadable', `Not all of it can be reached: ${error.message}`, { table })
    }
  }

  #positions(): void {
    let positions: readonly Position[]
    try {
      positions = this.#options.positionsOf?.(this.#snapshot) ?? []
    } catch (error) {
      this.#findings.add('unreadable', `The offsets cannot be told: ${(error as Error).message}`, { table: 'offset' })
      return
    }
    for (const { offset, dataset, sequence } of positions) {
      const end = this.#endOf(dataset)
      if (end !== undefined && sequence >= end) {
        this.#findings.add('offset', `The offset '${offset}' is ${sequence}; the dataset ends before ${end}.`, {
          table: 'offset',
          dataset,
        })
      }
    }
  }

  #endOf(dataset: string): number | undefined {
    try {
      return this.#snapshot.dataset(dataset)?.counts().end
    } catch {
      return undefined
    }
  }
}

/** What is to be swept away. */
export interface Sweeps {
  readonly datasets: Set<number>
  /** `dataset index`. */
  readonly indexes: Set<string>
}

const textOf = (value: Buffer, what: string): string => unseal(value, value.length, `'${what}'`).toString('utf8')
