import { describe, expect, test } from 'vitest'
import type { Entity } from '../../../src/model/entity.ts'
import { writeJson } from '../../../src/model/json.ts'
import { diffDatasetsSource } from '../../../src/pipes/sources/diff-datasets.ts'
import { configured } from '../surroundings.ts'
import { fresh, type Json, Moved, put, useLog } from './read-log.ts'

useLog()

type Diffs = Record<string, unknown>

const diffsOf = (entities: readonly Entity[]): Diffs =>
  Object.fromEntries(
    entities.map((entity) => {
      const plain = JSON.parse(writeJson(entity)) as Json
      return [plain._id as string, plain._deleted === true ? 'deleted' : plain.$diff]
    }),
  )

async function products() {
  const [one, other] = [fresh('one'), fresh('other')]
  await put(
    one,
    { _id: 'same', price: 1, tags: ['a'] },
    { _id: 'price', price: 1 },
    { _id: 'order', tags: [['a', 'b'], 'c', 'c'] },
    { _id: 'mine', price: 1 },
    { _id: 'gone', price: 1, _deleted: true },
  )
  await put(
    other,
    { _id: 'same', price: 1.0, tags: ['a'] },
    { _id: 'price', price: 2, more: null },
    { _id: 'order', tags: ['c', ['b', 'a', 'a']] },
  )
  return { one, other, config: { datasets: [one, other] } }
}

describe('the differences of datasets', () => {
  test('are given property by property, with who has which value; what is equal is left out', async () => {
    const { one, other, config } = await products()
    expect(diffsOf(await new Moved(diffDatasetsSource).run(config))).toEqual({
      price: { price: { [one]: 1, [other]: 2 }, more: { [other]: null } },
      order: { tags: { [one]: [['a', 'b'], 'c', 'c'], [other]: ['c', ['b', 'a', 'a']] } },
      mine: { _deleted: { [one]: false }, price: { [one]: 1 } },
      gone: { _deleted: { [one]: true }, price: { [one]: 1 } },
    })
  })

  test('come with all that the datasets hold', async () => {
    const { one, other, config } = await products()
    const made = await new Moved(diffDatasetsSource).run({ ...config, whitelist: ['price'] })
    expect(made.map((entity) => JSON.parse(writeJson(entity)))).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ _id: 'price', _deleted: false, [one]: { _id: 'price', _deleted: false, price: 1 } }),
      ]) as never,
    )
    expect(other).not.toBe(one)
  })

  test('are looked for only where the lists of properties say so', async () => {
    const { config } = await products()
    const named = async (more: Json) =>
      Object.keys(diffsOf(await new Moved(diffDatasetsSource).run({ ...config, ...more })))
    expect((await named({ whitelist: ['price'] })).sort()).toEqual(['gone', 'mine', 'price'])
    expect((await named({ whitelist: ['price', 'tags'], blacklist: ['price'] })).sort()).toEqual([
      'gone',
      'mine',
      'order',
    ])
    expect((await named({ treat_lists_as_sets: true })).sort()).toEqual(['gone', 'mine', 'price'])
    expect((await named({ ignore_deletes: true })).sort()).toEqual(['mine', 'order', 'price'])
  })

  test('are deleted when they are no more, and come back when they are again', async () => {
    const { other, config } = await products()
    const source = new Moved(diffDatasetsSource)
    await source.run(config)
    await put(other, { _id: 'price', price: 1 }, { _id: 'same', price: 3 })
    expect(diffsOf(await source.run(config))).toMatchObject({ price: 'deleted', same: { price: {} } })
    expect(await source.run(config)).toEqual([])
  })

  test('are told by the check to be deprecated', () => {
    const config = configured(diffDatasetsSource.config, { type: 'diff_datasets', datasets: ['a', 'b'] })
    expect(diffDatasetsSource.check?.(config)).toMatchObject([{ level: 'warning', pointer: '/type' }])
  })
})
