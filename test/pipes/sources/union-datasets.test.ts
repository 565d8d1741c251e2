import { describe, expect, test } from 'vitest'
import { get } from '../../../src/model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../../src/model/entity.ts'
import { unionDatasetsSource } from '../../../src/pipes/sources/union-datasets.ts'
import { sourceContract } from '../../contracts/source-contract.ts'
import { configured } from '../surroundings.ts'
import { fresh, Moved, put, snapshot, theWriter, useLog } from './read-log.ts'

useLog()

const spoken = (entities: readonly Entity[]): string[] =>
  entities.map((entity) => `${isDeleted(entity) ? '-' : ''}${idOf(entity)}`)

async function menAndWomen() {
  const [men, women] = [fresh('men'), fresh('women')]
  await put(men, { _id: 'dave', age: 1 }, { _id: 'carl' })
  await put(women, { _id: 'claire' }, { _id: 'dave' })
  return { men, women, config: { datasets: [men, women] } }
}

sourceContract(unionDatasetsSource as never, [], async (ids) => {
  const dataset = fresh('one')
  await put(dataset, ...ids.map((id) => ({ _id: id })))
  const now = snapshot()
  return {
    config: { datasets: [fresh('nowhere'), dataset] },
    surroundings: { snapshot: () => now },
    idPrefix: `${dataset}:`,
    close: async () => now.close(),
  }
})

describe('the union of datasets', () => {
  test('reads each to its end, in order, with its name before the ids', async () => {
    const { men, women, config } = await menAndWomen()
    const source = new Moved(unionDatasetsSource)
    expect(spoken(await source.run(config))).toEqual([`${men}:dave`, `${men}:carl`, `${women}:claire`, `${women}:dave`])
    expect(source.offset).toBe('1,1')
    await put(women, { _id: 'claire', _deleted: true })
    await put(men, { _id: 'ed' })
    expect(spoken(await source.run(config))).toEqual([`${men}:ed`, `-${women}:claire`])
    expect(source.offset).toBe('2,2')
    expect(await source.run(config)).toEqual([])
  })

  test('leaves ids as they are when asked to, and gives former versions when asked to', async () => {
    const { men, config } = await menAndWomen()
    await put(men, { _id: 'dave', age: 2 })
    const plain = await new Moved(unionDatasetsSource).run({ ...config, prefix_ids: false })
    expect(spoken(plain)).toEqual(['carl', 'dave', 'claire', 'dave'])
    const all = await new Moved(unionDatasetsSource).run({ datasets: [men], include_previous_versions: true })
    expect(all.map((entity) => [idOf(entity), get(entity, 'age')])).toEqual([
      [`${men}:dave`, 1],
      [`${men}:carl`, undefined],
      [`${men}:dave`, 2],
    ])
  })

  test('goes on after any batch, and from an offset that somebody set', async () => {
    const { men, women, config } = await menAndWomen()
    const source = new Moved(unionDatasetsSource)
    source.batchSize = 1
    expect(spoken(await source.run(config, { batches: 1 }))).toEqual([`${men}:dave`])
    expect(source.offset).toBe('0,')
    expect(spoken(await source.run(config, { batches: 2 }))).toEqual([`${men}:carl`, `${women}:claire`])
    expect(spoken(await source.run(config))).toEqual([`${women}:dave`])
    await source.setOffset('0,1')
    expect(spoken(await source.run(config))).toEqual([`${men}:carl`])
    await source.setOffset('nonsense')
    expect(await source.run(config)).toHaveLength(4)
  })

  test('knows each dataset again when others come, go or stand in another order', async () => {
    const { men, women, config } = await menAndWomen()
    const pets = fresh('pets')
    await put(pets, { _id: 'rex' })
    const source = new Moved(unionDatasetsSource)
    await source.run(config)
    expect(await source.run({ datasets: [women, men] })).toEqual([])
    await put(women, { _id: 'eve' })
    expect(spoken(await source.run({ datasets: [women, pets, men] }))).toEqual([`${women}:eve`, `${pets}:rex`])
    expect(source.offset).toBe('2,0,1')
    await put(men, { _id: 'ed' })
    expect(spoken(await source.run({ datasets: [men] }))).toEqual([`${men}:ed`])
    // One that was gone is read from the start.
    const again = spoken(await source.run({ datasets: [men, women] }))
    expect(again).toEqual(['claire', 'dave', 'eve'].map((id) => `${women}:${id}`))
  })

  test('knows them again when the first run with another order was cut short before its offset was saved', async () => {
    const { men, women, config } = await menAndWomen()
    const source = new Moved(unionDatasetsSource)
    await put(men, { _id: 'ed' }, { _id: 'ole' })
    await source.run(config)
    expect(source.offset).toBe('3,1')
    await put(women, { _id: 'eve' })
    const turned = { datasets: [women, men] }
    await source.run(turned, { saves: false, batches: 1 })
    expect(source.offset).toBe('3,1')
    expect(spoken(await source.run(turned))).toEqual([`${women}:eve`])
    expect(source.offset).toBe('2,3')
    expect(await source.run(turned)).toEqual([])
  })

  test('gives members again as they are now', async () => {
    const { men, women, config } = await menAndWomen()
    const source = new Moved(unionDatasetsSource)
    expect(spoken(source.reread(config, women, ['dave', 'nobody', 'claire']))).toEqual([
      `${women}:dave`,
      `${women}:claire`,
    ])
    expect(unionDatasetsSource.origin?.(filled(config))).toMatchObject({ datasets: [men, women] })
    expect(unionDatasetsSource.origin?.(filled(config)).idPrefix?.(women)).toBe(`${women}:`)
    expect(unionDatasetsSource.origin?.(filled({ ...config, prefix_ids: false })).idPrefix?.(women)).toBe('')
  })

  test('is populated when its datasets are, or those that are named as initial', async () => {
    const { men, women, config } = await menAndWomen()
    const isPopulated = (more: object = {}): boolean | undefined => {
      const now = snapshot()
      try {
        return unionDatasetsSource.populated?.(filled({ ...config, ...more }), now)
      } finally {
        now.close()
      }
    }
    await theWriter().commit({ populated: [[men, true]] })
    expect(isPopulated()).toBe(false)
    expect(isPopulated({ initial_datasets: [men] })).toBe(true)
    expect(isPopulated({ initial_datasets: [men, fresh('none')] })).toBe(true)
    expect(isPopulated({ initial_datasets: [men, fresh('none')], ignore_non_existent_datasets: false })).toBe(false)
    await theWriter().commit({ populated: [[women, true]] })
    expect(isPopulated()).toBe(true)
  })

  test('has its mistakes named', () => {
    const findings = unionDatasetsSource.check?.(
      filled({ datasets: ['men', 'women', 'men'], initial_datasets: ['woman'] }),
    )
    expect(findings).toMatchObject([
      { level: 'error', pointer: '/datasets/2' },
      { level: 'warning', pointer: '/initial_datasets/0', hint: "Did you mean 'women'?" },
    ])
  })
})

const filled = (config: object) => configured(unionDatasetsSource.config, { type: 'union_datasets', ...config })
