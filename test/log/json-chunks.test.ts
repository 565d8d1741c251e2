import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EntityPacker } from '../../src/log/batch.ts'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { startWriter } from '../../src/log/journal.ts'
import { JsonChunks } from '../../src/log/json-chunks.ts'
import { putNumber } from '../../src/log/put.ts'
import { openLog } from '../../src/log/reader.ts'
import { storedJson } from '../../src/log/stored.ts'
import { dictOf } from '../../src/model/dict.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'

const version = (sequence: number, bytes: number): Version => ({
  id: `e${sequence}`,
  sequence,
  previous: sequence === 0 ? null : sequence - 1,
  deleted: sequence % 3 === 1,
  ts: 1_489_654_249_474_509,
  hash: '0123456789abcdef'.repeat(2),
  body: Buffer.from(JSON.stringify({ _id: `e${sequence}`, name: 'ø'.repeat(bytes >> 1) })),
})

it.each([0, 1, 2, 7, 100])('holds %i versions as one array, however long they and the chunks are', (count) => {
  for (const size of [1, 64, 300, 65_536]) {
    for (const bytes of [0, 10, 290, 5_000]) {
      const versions = Array.from({ length: count }, (_, i) => version(i, bytes + (i % 5)))
      const chunks = new JsonChunks(size)
      const taken: Uint8Array[] = []
      for (const one of versions) {
        chunks.add(one)
        if (one.sequence % 2 === 0) taken.push(...chunks.take())
      }
      taken.push(...chunks.take(), chunks.end())
      expect(Buffer.concat(taken).toString()).toBe(`[${versions.map(storedJson).join()}]`)
      for (const chunk of taken) expect(chunk.length).toBeGreaterThan(0)
    }
  }
})

it('copies a body that is no Buffer, too', () => {
  const chunks = new JsonChunks(64)
  const one = version(0, 20)
  chunks.add({ ...one, body: Uint8Array.from(one.body) })
  expect(Buffer.concat([...chunks.take(), chunks.end()]).toString()).toBe(`[${storedJson(one)}]`)
})

it('puts straight from the log what it would put of the versions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'samtale-test-'))
  const writer = await startWriter(folder)
  const log = openLog(folder)
  try {
    await writer.journal.assertDataset('d')
    for (let batch = 0; batch < 3; batch++) {
      const packer = new EntityPacker()
      for (let n = 0; n < 40; n++) {
        const deleted = n % 7 === batch
        packer.add(encodeEntity(dictOf({ _id: `ø${n}`, _deleted: deleted, n: batch, text: 'x'.repeat(n * n) })))
      }
      await writer.journal.commit({ writes: [{ dataset: 'd', entities: packer.finish(), indexSet: 0 }] })
    }
    const snapshot = log.snapshot()
    const view = snapshot.dataset('d') as DatasetView
    for (const [since, history, deleted, to, limit] of [
      [null, true, true, 119, Number.POSITIVE_INFINITY],
      [null, false, true, 119, Number.POSITIVE_INFINITY],
      [null, false, false, 119, Number.POSITIVE_INFINITY],
      [17, true, false, 95, Number.POSITIVE_INFINITY],
      [41, true, true, 119, 9],
      [118, false, true, 119, 1],
      [119, true, true, 119, 5],
    ] as const) {
      const expected = [...view.changes(since, { history, to })].filter((one) => history || deleted || !one.deleted)
      const chunks = new JsonChunks(300)
      const { reached, added } = view.jsonInto(chunks, since, { history, deleted, to, limit })
      const text = Buffer.concat([...chunks.take(), chunks.end()]).toString()
      expect(text).toBe(`[${expected.slice(0, limit).map(storedJson).join()}]`)
      expect(added).toBe(Math.min(expected.length, limit))
      expect(reached).toBe(added === limit ? expected[limit - 1]?.sequence : to)
    }
    snapshot.close()
  } finally {
    await log.close()
    await writer.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

it.each([0, 7, 10, 99, 1_000_000, 2 ** 30 - 1, 2 ** 30, 2 ** 48 - 1])('puts %i as it is written', (value) => {
  const bytes = Buffer.alloc(20)
  expect(bytes.toString('latin1', 0, putNumber(bytes, 0, value))).toBe(String(value))
})
