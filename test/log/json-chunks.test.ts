import { expect, it } from 'vitest'
import type { Version } from '../../src/log/contract.ts'
import { JsonChunks } from '../../src/log/json-chunks.ts'
import { storedJson } from '../../src/log/stored.ts'

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
