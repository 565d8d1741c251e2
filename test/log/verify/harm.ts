/** A log to be harmed, and what verify says of it. */

import { type Environment, openForWriting, rowsOf } from '../../../src/log/environment.ts'
import { fillIndex } from '../../../src/log/fill.ts'
import { openLog } from '../../../src/log/reader.ts'
import type { Finding, Walked } from '../../../src/log/verify/finding.ts'
import { type VerifyOptions, verifyLog } from '../../../src/log/verify/verify.ts'
import { LogWriter } from '../../../src/log/writer.ts'
import { get as property } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { bytes, folder, write } from '../sample.ts'

export const keysOf = (_: string, __: string, entity: Entity) => [bytes(property(entity, 'p') as string)]

/** A closed log: dataset `d` with an index on `p`, long ids and values, deleted ids, two versions of many; and `e`. */
export async function sampleLog(): Promise<string> {
  const path = folder()
  const writer = await LogWriter.open(path)
  await writer.assertDataset('d')
  await writer.assertDataset('e')
  await writer.assertIndex('d', 'p', '', { feeds: true })
  const log = openLog(path)
  const one = (i: number, v: number) => ({
    _id: i === 7 ? 'long'.repeat(300) : `id${i}`,
    _deleted: i % 10 === 3 && v > 0,
    p: i === 5 ? 'value'.repeat(200) : `p${i === 9 || i === 42 || i === 7 ? v : i % 4}`,
    v,
    text: `${'x'.repeat(i % 300)}`,
  })
  for (const v of [0, 1, 2]) {
    const entities = Array.from({ length: 400 }, (_, i) => one(i, i % 3 === 0 || i === 7 ? v : 0))
    const indexed = {
      indexSet: 1,
      keysOf: (json: Readonly<Record<string, unknown>>) => [[0, [bytes(json.p as string)]] as const],
    }
    await writer.commit({ writes: [write('d', entities, indexed), write('e', entities)], offsets: [['o', '5']] })
  }
  await writer.commit({ state: [[bytes('s'), bytes('t')]], meta: [['m', '{}']], populated: [['d', true]] })
  await fillIndex(writer, log, 'e', 'p', (entity) => keysOf('', '', entity))
  log.close()
  await writer.close()
  return path
}

export async function verified(
  path: string,
  options: Partial<VerifyOptions> = {},
): Promise<{ findings: Finding[]; walked: Walked }> {
  const findings: Finding[] = []
  const { walked } = await verifyLog(path, { keysOf, found: (finding) => findings.push(finding), ...options })
  return { findings, walked }
}

export async function harm(path: string, action: (environment: Environment) => void): Promise<void> {
  const environment = openForWriting(path)
  environment.write(() => action(environment))
  await environment.close()
}

/** Changes one byte of a value, counted from the end when negative. */
export function flip(table: Environment['tables']['log'], key: Uint8Array, at: number): void {
  const [row] = rowsOf(table, { start: key, limit: 1 })
  const value = Buffer.from(row?.value as Buffer)
  const place = at < 0 ? value.length + at : at
  value[place] = (value[place] as number) ^ 0xff
  table.put(row?.key as Buffer, value)
}
