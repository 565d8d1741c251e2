/** Entities and batches for the tests of the log, in few words. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type EntityKeys, EntityPacker } from '../../src/log/batch.ts'
import type { Journal, Write } from '../../src/log/contract.ts'
import { type LogReader, openLog } from '../../src/log/reader.ts'
import { LogWriter, type WriterOptions } from '../../src/log/writer.ts'
import type { Entity } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { parseJson } from '../../src/model/json.ts'

export const entity = (json: Readonly<Record<string, unknown>>): Entity => parseJson(JSON.stringify(json)) as Entity

/** A write of plain JSON entities; `keysOf` gives their index keys. */
export function write(
  dataset: string,
  entities: readonly Readonly<Record<string, unknown>>[],
  {
    keysOf = () => [],
    ...rest
  }: Partial<Omit<Write, 'dataset' | 'entities'>> & {
    keysOf?: (json: Readonly<Record<string, unknown>>) => EntityKeys
  } = {},
): Write {
  const packer = new EntityPacker()
  for (const json of entities) packer.add(encodeEntity(entity(json)), keysOf(json))
  return { dataset, entities: packer.finish(), indexSet: 0, ...rest }
}

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'samtale-log-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export interface OpenedLog {
  readonly path: string
  readonly writer: LogWriter
  readonly log: LogReader
}

/** A log of its own, with a dataset `d`, closed after the test. */
export async function openedLog(options: WriterOptions = {}): Promise<OpenedLog> {
  const path = folder()
  const writer = await LogWriter.open(path, options)
  await writer.assertDataset('d')
  const log = openLog(path)
  onTestFinished(async () => {
    log.close()
    await writer.close()
  })
  return { path, writer, log }
}

/** Reads something of the present. */
export function reading<T>(log: LogReader, read: (snapshot: ReturnType<LogReader['snapshot']>) => T): T {
  const snapshot = log.snapshot()
  try {
    return read(snapshot)
  } finally {
    snapshot.close()
  }
}

export const commitTo = (journal: Journal, ...writes: readonly Write[]) => journal.commit({ writes })

export const bytes = (text: string): Uint8Array => Buffer.from(text)
