import { describe, expect, it } from 'vitest'
import type { DatasetView, Version } from '../../src/log/contract.ts'
import { dictOf, get } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { writeJson } from '../../src/model/json.ts'
import { FoundBefore, lookupAt } from '../../src/pipes/lookup.ts'
import type { ReadPosition } from '../../src/pipes/position.ts'

const SPEC = { dataset: 'company', expression: '"_S.name"' }

/** A dataset whose index on `name` is looked up in plain sight, and how often it was. */
function world() {
  const versions: { id: string; name: string }[] = []
  let lookups = 0
  const viewUpTo = (end: number): DatasetView => {
    const latest = (id: string): Version | undefined => {
      const sequence = versions.slice(0, end).findLastIndex((one) => one.id === id)
      if (sequence < 0) return undefined
      const body = Buffer.from(writeJson(dictOf({ _id: id, name: versions[sequence]?.name ?? null })))
      return { id, sequence, previous: null, deleted: false, ts: 0, hash: '', body }
    }
    const ids = () => [...new Set(versions.slice(0, end).map(({ id }) => id))].sort()
    return {
      document: { number: 7, indexSet: 1, indexes: [{ number: 1, expression: SPEC.expression, state: 'ready' }] },
      counts: () => ({ end }),
      head: latest,
      latest,
      lookup: (_index: number, key: Uint8Array) => {
        lookups++
        const wanted = Buffer.from(key).toString()
        return ids().filter((id) =>
          wanted.endsWith(get(JSON.parse(Buffer.from(latest(id)?.body ?? []).toString()), 'name') as string),
        )
      },
    } as unknown as DatasetView
  }
  const before = new FoundBefore()
  const at = () => {
    const state = { moved: 0, end: versions.length }
    const position = {
      get moved() {
        return state.moved
      },
      snapshot: { dataset: (id: string) => (id === 'company' ? viewUpTo(state.end) : undefined) },
    } as unknown as ReadPosition
    const lookup = lookupAt(position, before)
    return {
      move: () => {
        state.moved++
        state.end = versions.length
      },
      idsOf: (...names: string[]) => lookup.joined(SPEC, names).map((entity: Entity) => get(entity, '_id')),
      entity: (dataset: string, id: string) => lookup.entity(dataset, id),
    }
  }
  return { at, add: (id: string, name: string) => versions.push({ id, name }), lookups: () => lookups }
}

describe('a lookup', () => {
  it('asks the index once for what nothing has changed', () => {
    const { at, add, lookups } = world()
    add('1', 'a')
    const run = at()
    expect([run.idsOf('a'), run.idsOf('a'), run.idsOf('b')]).toEqual([['1'], ['1'], []])
    run.move()
    expect(run.idsOf('a')).toEqual(['1'])
    expect(lookups()).toBe(2)
  })

  it('sees what came when it moves to the present, and not before', () => {
    const { at, add } = world()
    add('1', 'a')
    const run = at()
    expect(run.idsOf('a')).toEqual(['1'])
    add('2', 'a')
    add('1', 'b')
    expect(run.idsOf('a')).toEqual(['1'])
    run.move()
    expect([run.idsOf('a'), run.idsOf('b')]).toEqual([['2'], ['1']])
  })

  it('keeps the answers of two runs at different moments apart', () => {
    const { at, add } = world()
    add('1', 'a')
    const early = at()
    expect(early.idsOf('a')).toEqual(['1'])
    add('2', 'a')
    const late = at()
    expect([late.idsOf('a'), early.idsOf('a'), late.idsOf('a')]).toEqual([['1', '2'], ['1'], ['1', '2']])
  })

  it('gives each entity once, by id, for several keys', () => {
    const { at, add } = world()
    add('2', 'a')
    add('1', 'b')
    expect(at().idsOf('a', 'b', 'a')).toEqual(['1', '2'])
  })

  it('finds nothing in a dataset that is not there', () => {
    expect(world().at().entity('other', '1')).toBeUndefined()
  })
})
