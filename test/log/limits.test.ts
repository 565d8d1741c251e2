/**
 * How long an `_id` and how large an entity may be, and how many datasets and entities there may be. `LARGE=1`
 * (`npm run test:large`) tries the largest, and prints times and memory.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { EntityPacker } from '../../src/log/batch.ts'
import { type DatasetView, MAX_ENTITY_BYTES } from '../../src/log/contract.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { bytes, commitTo, folder, openedLog, reading, write } from './sample.ts'

const LARGE = process.env.LARGE === '1'
/** What takes long is no part of the short form; a skipped test would be a gap in it. */
const inLongForm: (name: string, tests: () => void) => void = LARGE ? describe : () => {}
const HASH = '0'.repeat(32)

describe('an _id', () => {
  it.each([1, 2, 511, 512, 513, 2_000, 100_000])('of %i bytes is found by all ways', async (length) => {
    const { writer, log } = await openedLog()
    const { number } = await writer.assertIndex('d', 'k', '')
    const [id, other] = ['x', 'y'].map((last) => 'a'.repeat(length - 1) + last) as [string, string]
    const options = { indexSet: 1, keysOf: () => [[number, [bytes('k')]] as const] }
    const both = (v: number) =>
      write(
        'd',
        [
          { _id: id, v: 1 },
          { _id: other, v },
        ],
        options,
      )
    await commitTo(writer, both(1))
    expect((await commitTo(writer, both(2))).writes[0]?.written).toBe(1)
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d') as DatasetView
      expect(view.latest(id)).toMatchObject({ id, sequence: 0 })
      expect(view.latest(other)).toMatchObject({ id: other, sequence: 2, previous: 1 })
      expect(view.head(`${id}z`)).toBeUndefined()
      expect([...view.entities()].map((one) => one.id).sort()).toEqual([id, other])
      expect([...view.changes(null)].map((one) => one.id)).toEqual([id, other, other])
      expect(view.lookup(number, bytes('k'))).toEqual([id, other])
    })
    await commitTo(writer, write('d', [{ _id: id, _deleted: true }], options))
    expect(reading(log, (snapshot) => snapshot.dataset('d')?.lookup(number, bytes('k')))).toEqual([other])
  })

  it('of no bytes is refused', () => {
    expect(() => new EntityPacker().add({ id: '', deleted: false, text: '{"_id":""}', hash: HASH })).toThrow(
      expect.objectContaining({ code: 'bad-id' }),
    )
  })
})

inLongForm('an entity', () => {
  it('of exactly as many bytes as may be is kept, and one of a byte more refused', async () => {
    const { writer, log } = await openedLog()
    const text = (length: number) => `{"_id":"a","t":"${'x'.repeat(length - 18)}"}`
    const packed = (length: number) => {
      const packer = new EntityPacker(length + 100)
      packer.add({ id: 'a', deleted: false, text: text(length), hash: HASH })
      return { dataset: 'd', entities: packer.finish(), indexSet: 0 }
    }
    await expect(commitTo(writer, packed(MAX_ENTITY_BYTES + 1))).rejects.toMatchObject({ code: 'entity-too-large' })
    await commitTo(writer, packed(MAX_ENTITY_BYTES))
    reading(log, (snapshot) => {
      const { body } = snapshot.dataset('d')?.latest('a') ?? { body: new Uint8Array() }
      expect(body.length).toBe(MAX_ENTITY_BYTES)
      expect(Buffer.from(body).equals(Buffer.from(text(MAX_ENTITY_BYTES)))).toBe(true)
    })
  }, 120_000)
})

describe('datasets', () => {
  const COUNT = LARGE ? 5_000 : 500

  it(`are cheap: ${COUNT} of them are made, written, listed, opened again and deleted`, async () => {
    const path = folder()
    const times: string[] = []
    const timed = async <T>(what: string, work: () => Promise<T> | T): Promise<T> => {
      const startedAt = performance.now()
      const result = await work()
      times.push(`${what} ${Math.round(performance.now() - startedAt)} ms`)
      return result
    }
    const names = Array.from({ length: COUNT }, (_, n) => `d${n}`)
    const all = (work: (name: string) => Promise<unknown>) => async () => void (await Promise.all(names.map(work)))
    let writer = await LogWriter.open(path)
    await timed(
      'make',
      all((name) => writer.assertDataset(name)),
    )
    await timed('write to each', async () => {
      for (const name of names) await commitTo(writer, write(name, [{ _id: name }]))
    })
    await writer.close()
    writer = await timed('open', () => LogWriter.open(path))
    const log = openLog(path)
    const found = await timed('list with counts', () =>
      reading(log, (snapshot) =>
        snapshot.datasets().map(({ id }) => [id, snapshot.dataset(id)?.counts().existing] as const),
      ),
    )
    expect(new Map(found)).toEqual(new Map(names.map((name) => [name, 1])))
    await timed(
      'delete',
      all((name) => writer.deleteDataset(name)),
    )
    expect(reading(log, (snapshot) => snapshot.datasets())).toEqual([])
    log.close()
    await writer.close()
    if (LARGE) console.log(`${COUNT} datasets: ${times.join(', ')}.`)
  }, 120_000)
})

inLongForm('a scan', () => {
  const MILLION = 1_000_000

  it('of 10 million entities takes no more memory than one of a million', async () => {
    const path = folder()
    const startedAt = performance.now()
    await runScan('write', path, 10 * MILLION)
    const seconds = (performance.now() - startedAt) / 1000
    const few = await medianOfThree(() => runScan('scan', path, MILLION))
    const many = await medianOfThree(() => runScan('scan', path, 10 * MILLION))
    console.log(
      `10 million entities: written in ${seconds.toFixed(0)} s; ${report('scan of 1 million', few)}; ${report('of 10 million', many)}.`,
    )
    expect(few.seen).toBe(MILLION)
    expect(many.seen).toBe(10 * MILLION)
    expect(many.anonymousMb).toBeLessThan(1.1 * few.anonymousMb)
  }, 1_800_000)
})

interface Scanned {
  readonly seen: number
  readonly seconds: number
  /** At most, while it went on. */
  readonly anonymousMb: number
}

/** By memory: one peak differs from the next by some percent, as the garbage collector happens to run. */
async function medianOfThree(run: () => Promise<Scanned>): Promise<Scanned> {
  const runs = [await run(), await run(), await run()].sort((a, b) => a.anonymousMb - b.anonymousMb)
  return runs[1] as Scanned
}

const report = (what: string, { seconds, anonymousMb }: Scanned): string =>
  `${what} ${seconds.toFixed(1)} s, ${anonymousMb.toFixed(0)} MB anonymous`

/** In a process of its own, so that its memory is that of the scan. */
async function runScan(action: 'write' | 'scan', path: string, count: number): Promise<Scanned> {
  const program = fileURLToPath(new URL('./scan-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, action, path, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  const [code] = await once(child, 'close')
  expect(code).toBe(0)
  return JSON.parse(printed) as Scanned
}
