import { describe, expect, test } from 'vitest'
import { dictOf, get } from '../../../src/model/dict.ts'
import { idOf } from '../../../src/model/entity.ts'
import { fromPlain } from '../../../src/model/json.ts'
import { kindOf, type Value } from '../../../src/model/value.ts'
import { embeddedSource } from '../../../src/pipes/sources/embedded.ts'
import { emptySource } from '../../../src/pipes/sources/empty.ts'
import { type ComponentType, componentContract } from '../../contracts/component-contract.ts'
import { sourceContract } from '../../contracts/source-contract.ts'
import { configured, readAll, surroundings } from '../surroundings.ts'

const never = new AbortController().signal

describe('the source empty', () => {
  componentContract(emptySource as ComponentType)

  test('reads nothing', async () => {
    const source = emptySource.open({ type: 'empty' }, surroundings())
    expect(await readAll(source.read(null, never))).toMatchObject({ batches: [], error: undefined })
  })
})

sourceContract(embeddedSource, ['grow'], async (ids) => {
  const entities: Value[] = ids.map((id, place) => dictOf({ _id: id, _updated: place }))
  return {
    config: { entities, supports_since: true, is_chronological: true },
    grow: (more) => void entities.push(...more.map((id, place) => dictOf({ _id: id, _updated: ids.length + place }))),
  }
})

describe('embedded entities', () => {
  const read = (entities: unknown[], more: Record<string, unknown> = {}, since: string | null = null) => {
    const config = configured(embeddedSource.config, {
      type: 'embedded',
      entities: fromPlain(entities as never),
      ...more,
    })
    return readAll(embeddedSource.open(config, surroundings()).read(since, never))
  }

  test('get their types from the transit tags in the configuration, at any depth', async () => {
    const { entities } = await read([
      { _id: 'a', of: { ref: ['~:crm:1'] }, at: '~t2020-01-01T00:00:00Z', text: 'plain' },
    ])
    const [entity] = entities
    expect(kindOf(get(entity!, 'at') as Value)).toBe('datetime')
    expect(kindOf((get(get(entity!, 'of') as never, 'ref') as Value[])[0] as Value)).toBe('ni')
    expect(get(entity!, 'text')).toBe('plain')
  })

  test('without _updated come again each time', async () => {
    const { entities, offset } = await read([{ _id: 'a' }, { _id: 'b', _updated: 3 }], { supports_since: true }, '5')
    expect([entities.map(idOf), offset]).toEqual([['a'], null])
  })

  test('have no offsets unless the configuration says that they continue', async () => {
    const { batches } = await read([{ _id: 'a', _updated: 3 }])
    expect(batches.map(({ offset }) => offset)).toEqual([null])
  })

  test('that are not chronological get one offset at the end, the greatest', async () => {
    const { batches } = await read(
      [
        { _id: 'a', _updated: 10 },
        { _id: 'b', _updated: 9 },
      ],
      { supports_since: true },
    )
    expect(batches.map(({ entities, offset }) => [entities.length, offset])).toEqual([
      [2, null],
      [0, '10'],
    ])
  })

  test('with an initial since value but no continuation get a warning', () => {
    const config = configured(embeddedSource.config, { type: 'embedded', entities: [], initial_since_value: 3 })
    expect(embeddedSource.check?.(config)).toMatchObject([{ level: 'warning', pointer: '/initial_since_value' }])
  })
})
