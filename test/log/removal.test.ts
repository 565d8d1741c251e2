import { expect, it } from 'vitest'
import { fillIndex } from '../../src/log/fill.ts'
import { get } from '../../src/model/dict.ts'
import { bytes, openedLog, reading, write } from './sample.ts'

const round = (value: string, count = 3) =>
  Array.from({ length: count }, (_, i) => ({ _id: `e${i}`, value: `${value}${i}` }))

const keysOf = (json: Readonly<Record<string, unknown>>) => [[0, [bytes(String(json.value))]] as const]

it('takes versions out of a block and leaves the others as they were', async () => {
  const { writer, log } = await openedLog()
  await writer.commit({ writes: [write('d', [...round('a'), ...round('b')])] })
  const before = reading(log, (snapshot) => [...(snapshot.dataset('d')?.changes(null) ?? [])].map(plain))
  const { generation } = await writer.assertDataset('d')
  expect(await writer.remove({ dataset: 'd', generation, blocks: [[0, [0, 2]]], ids: [] })).toEqual({
    versions: 2,
    blocks: 1,
  })
  reading(log, (snapshot) => {
    const view = snapshot.dataset('d')
    expect([...(view?.changes(null) ?? [])].map(plain)).toEqual(
      before.filter(({ sequence }) => ![0, 2].includes(sequence)),
    )
    expect(view?.counts()).toEqual({ end: 6, existing: 3, deleted: 0, versions: 4 })
    expect(view?.version(0)).toBeUndefined()
    expect(view?.version(1)).toMatchObject({ id: 'e1', previous: null })
    expect(view?.latest('e0')).toMatchObject({ sequence: 3, previous: 0 })
  })
  expect(await writer.remove({ dataset: 'd', generation, blocks: [[0, [0, 1, 2]]], ids: [] })).toEqual({
    versions: 1,
    blocks: 1,
  })
})

it('refuses to take away the newest version of an id', async () => {
  const { writer, log } = await openedLog()
  await writer.commit({ writes: [write('d', round('a'))] })
  const { generation } = await writer.assertDataset('d')
  await expect(writer.remove({ dataset: 'd', generation, blocks: [[0, [1]]], ids: [0] })).rejects.toMatchObject({
    code: 'newest-version',
  })
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.counts().versions)).toBe(3)
})

it('refuses to touch another dataset of the same name', async () => {
  const { writer } = await openedLog()
  const { generation } = await writer.assertDataset('d')
  await writer.deleteDataset('d')
  await writer.assertDataset('d')
  const refused = writer.remove({ dataset: 'd', generation, blocks: [], ids: [] })
  await expect(refused).rejects.toMatchObject({ code: 'unknown-dataset' })
})

it('takes all of an id away when told so: counts, sums and index keys with it', async () => {
  const { writer, log } = await openedLog()
  await fillIndex(writer, log, 'd', 'value', (one) => [bytes(String(get(one, 'value')))])
  const { indexSet, generation } = await writer.assertDataset('d')
  await writer.commit({ writes: [write('d', round('a'), { indexSet, keysOf })] })
  await writer.commit({ writes: [write('d', [{ _id: 'e1', value: 'a1', _deleted: true }], { indexSet, keysOf })] })
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.lookup(0, bytes('a1'), { deleted: true }))).toEqual(['e1'])
  await writer.remove({
    dataset: 'd',
    generation,
    blocks: [
      [0, [1]],
      [3, [3]],
    ],
    ids: [3],
  })
  reading(log, (snapshot) => {
    const view = snapshot.dataset('d')
    expect(view?.counts()).toEqual({ end: 4, existing: 2, deleted: 0, versions: 2 })
    expect(view?.head('e1')).toBeUndefined()
    expect(view?.lookup(0, bytes('a1'), { deleted: true })).toEqual([])
    expect([...(view?.entities() ?? [])].map(({ id }) => id)).toEqual(['e0', 'e2'])
  })
  // The id may come again, as a new one.
  await writer.commit({ writes: [write('d', [{ _id: 'e1', value: 'a1' }], { indexSet, keysOf })] })
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.latest('e1'))).toMatchObject({ sequence: 4, previous: null })
})

it('keeps its position with the removal, and forgets it with the dataset', async () => {
  const { writer, log } = await openedLog()
  const { generation } = await writer.assertDataset('d')
  await writer.remove({ dataset: 'd', generation, blocks: [], ids: [], position: 'here' })
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.compacted())).toBe('here')
  await writer.deleteDataset('d')
  await writer.assertDataset('d')
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.compacted())).toBeUndefined()
})

it('notes what an erased entity leaves, whatever it was before', async () => {
  const { writer, log } = await openedLog()
  await writer.commit({ writes: [write('d', [{ _id: 'e', _deleted: true }])] })
  await writer.commit({ writes: [write('d', [{ _id: 'e', _deleted: true }], { erases: true })] })
  reading(log, (snapshot) => {
    expect(snapshot.dataset('d')?.remnants()).toEqual([1])
    expect(snapshot.dataset('d')?.document.erased).toBe(1)
  })
  const { generation } = await writer.assertDataset('d')
  await writer.remove({ dataset: 'd', generation, blocks: [], ids: [], settled: [1] })
  expect(reading(log, (snapshot) => snapshot.dataset('d')?.remnants())).toEqual([])
})

const plain = ({ body, ...version }: { readonly body: Uint8Array; readonly sequence: number }) => ({
  ...version,
  body: Buffer.from(body).toString(),
})
