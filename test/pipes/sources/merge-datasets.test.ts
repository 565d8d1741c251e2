import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { get } from '../../../src/model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../../src/model/entity.ts'
import { writeJson } from '../../../src/model/json.ts'
import { mergeDatasetsSource } from '../../../src/pipes/sources/merge-datasets.ts'
import { sourceContract } from '../../contracts/source-contract.ts'
import { fresh, type Json, Moved, put, snapshot, useLog } from './read-log.ts'

useLog()

sourceContract(mergeDatasetsSource as never, [], async (ids) => {
  const [one, other] = [fresh('one'), fresh('other')]
  await put(one, ...ids.slice(0, 20).map((id) => ({ _id: id })))
  await put(other, ...ids.slice(10).map((id) => ({ _id: id })))
  const now = snapshot()
  return {
    config: { datasets: [one, other] },
    surroundings: { snapshot: () => now },
    close: async () => now.close(),
  }
})

const spoken = (entities: readonly Entity[]): string[] =>
  entities.map((entity) => `${isDeleted(entity) ? '-' : ''}${idOf(entity)}=${get(entity, 'v') ?? ''}`)

/** Time is that of the commit, in microseconds: each put has one of its own. */
async function twoDatasets() {
  const [scan, event] = [fresh('scan'), fresh('event')]
  await put(scan, { _id: 'a', v: 1 }, { _id: 'b', v: 1 })
  await put(event, { _id: 'b', v: 2 }, { _id: 'c', v: 2 })
  await put(scan, { _id: 'd', v: 3 })
  return { scan, event, config: { datasets: [scan, event] } }
}

describe('the strategy latest', () => {
  test('gives of each id the newest version, in the order of time', async () => {
    const { scan, event, config } = await twoDatasets()
    const source = new Moved(mergeDatasetsSource)
    expect(spoken(await source.run(config))).toEqual(['a=1', 'b=2', 'c=2', 'd=3'])
    expect(source.offset).toBe('2,1')
    await put(scan, { _id: 'c', v: 4 })
    await put(event, { _id: 'a', _deleted: true })
    await put(scan, { _id: 'e', v: 5 })
    expect(spoken(await source.run(config))).toEqual(['c=4', '-a=', 'e=5'])
    expect(await source.run(config)).toEqual([])
  })

  test('gives members again as the newest of all', async () => {
    const { scan, config } = await twoDatasets()
    const source = new Moved(mergeDatasetsSource)
    expect(spoken(source.reread(config, scan, ['b', 'nobody']))).toEqual(['b=2'])
  })
})

describe('the strategy all', () => {
  test('gives the newest version of each dataset under its name', async () => {
    const { scan, event, config } = await twoDatasets()
    const source = new Moved(mergeDatasetsSource)
    const all = { ...config, strategy: 'all' }
    const made = await source.run(all)
    expect(made.map(idOf)).toEqual(['a', 'b', 'c', 'd'])
    expect(JSON.parse(writeJson(made[1] as Entity))).toMatchObject({
      _deleted: false,
      [scan]: { _id: 'b', _deleted: false, v: 1 },
      [event]: { _id: 'b', _deleted: false, v: 2 },
    })
    await put(event, { _id: 'b', _deleted: true })
    const [half] = await source.run(all)
    expect(isDeleted(half as Entity)).toBe(false)
    await put(scan, { _id: 'b', _deleted: true })
    const [gone] = await source.run(all)
    expect(isDeleted(gone as Entity)).toBe(true)
  })
})

const change = fc.record({ dataset: fc.nat(2), id: fc.nat(3), v: fc.nat(9), deleted: fc.nat(4).map((n) => n === 0) })
const rounds = fc.array(
  fc.record({
    changes: fc.array(change, { maxLength: 5, size: 'max' }),
    batches: fc.option(fc.nat(3), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 5, size: 'max' },
)

describe('whatever happened, and wherever it was cut short', () => {
  test.each(['latest', 'all'])('with the strategy %s it ends as one from scratch', async (strategy) => {
    await fc.assert(
      fc.asyncProperty(rounds, async (history) => {
        const datasets = [fresh('x'), fresh('y'), fresh('z')]
        for (const dataset of datasets) await put(dataset)
        const source = new Moved(mergeDatasetsSource)
        source.batchSize = 2
        const sink = new Map<string, string>()
        const take = (entities: readonly Entity[], to = sink) => {
          for (const entity of entities) {
            if (isDeleted(entity)) to.delete(idOf(entity))
            else to.set(idOf(entity), contentOf(entity))
          }
        }
        const all: Json = { datasets, strategy }
        for (const { changes, batches } of history) {
          for (const { dataset, id, v, deleted } of changes) {
            await put(datasets[dataset] as string, { _id: `e${id}`, v, _deleted: deleted })
          }
          take(await source.run(all, batches === undefined ? {} : { batches }))
        }
        take(await source.run(all))
        const expected = new Map<string, string>()
        take(await new Moved(mergeDatasetsSource).run(all), expected)
        expect([...sink].sort()).toEqual([...expected].sort())
      }),
      { numRuns: 8 },
    )
  })
})

const contentOf = (entity: Entity): string =>
  writeJson(
    Object.fromEntries(
      Object.entries(JSON.parse(writeJson(entity))).filter(([name]) => !name.startsWith('_')),
    ) as never,
  )
