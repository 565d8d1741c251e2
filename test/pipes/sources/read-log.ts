/** A log for the tests of sources that read datasets, and a source as the engine moves it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Snapshot } from '../../../src/log/contract.ts'
import { type LogReader, openLog } from '../../../src/log/reader.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import type { Entity } from '../../../src/model/entity.ts'
import type { SourceType } from '../../../src/pipes/contract.ts'
import { sourceOffset } from '../../../src/pipes/full-run.ts'
import { write } from '../../log/sample.ts'
import { configured, surroundings } from '../surroundings.ts'

export type Json = Record<string, unknown>

let reader: LogReader
let writer: LogWriter

/** To be called once in a test file. */
export function useLog(): void {
  let path: string
  beforeAll(async () => {
    path = mkdtempSync(join(tmpdir(), 'samtale-sources-'))
    writer = await LogWriter.open(path)
    reader = openLog(path)
  })
  afterAll(async () => {
    await reader.close()
    await writer.close()
    rmSync(path, { recursive: true, force: true })
  })
}

let counter = 0
export const fresh = (name: string): string => `${name}-${counter++}`
export const snapshot = (): Snapshot => reader.snapshot()
export const theWriter = (): LogWriter => writer

export async function put(dataset: string, ...entities: Json[]): Promise<void> {
  await writer.assertDataset(dataset)
  await writer.commit({ writes: [write(dataset, entities)] })
}

/** A source as the engine moves it: state and offset of a batch are one commit. */
export class Moved {
  readonly id = fresh('pipe')
  batchSize = 100
  readonly #type: SourceType

  constructor(type: unknown) {
    this.#type = type as SourceType
  }

  get offset(): string | null {
    const now = reader.snapshot()
    const offset = now.offset(sourceOffset(this.id)) ?? null
    now.close()
    return offset
  }

  async setOffset(offset: string | null): Promise<void> {
    await writer.commit({ offsets: [[sourceOffset(this.id), offset]] })
  }

  /** Stops after so many batches, as a process that ends does; `saves` false: as a full run into a dataset that has something. */
  async run(
    config: Json,
    { since = this.offset, batches = Number.POSITIVE_INFINITY, saves = true }: RunOptions = {},
  ): Promise<Entity[]> {
    const now = reader.snapshot()
    const entities: Entity[] = []
    try {
      let left = batches
      for await (const batch of this.open(config, now).read(since, new AbortController().signal)) {
        if (left-- <= 0) break
        const offsets = saves && batch.offset !== null ? ([[sourceOffset(this.id), batch.offset]] as const) : []
        await writer.commit({ state: batch.state ?? [], offsets })
        entities.push(...batch.entities)
        now.renew()
      }
    } finally {
      now.close()
    }
    return entities
  }

  /** What it gives for members, as of now. */
  reread(config: Json, dataset: string, ids: readonly string[]): readonly Entity[] {
    const now = reader.snapshot()
    try {
      return this.open(config, now).reread?.(dataset, ids) ?? []
    } finally {
      now.close()
    }
  }

  open(config: Json, now: Snapshot) {
    const filled = configured(this.#type.config, { type: this.#type.type, ...config })
    return this.#type.open(filled, surroundings({}, { pipe: this.id, batchSize: this.batchSize, snapshot: () => now }))
  }
}

interface RunOptions {
  readonly since?: string | null
  readonly batches?: number
  readonly saves?: boolean
}
