/** What programs learn from the pipe they run in. */

import { describe, expect, it } from 'vitest'
import { deploy, live, openTenant, push, receiver } from '../hub/running-hub.ts'

const reading = (rules: object[], more: object = {}) => ({
  _id: 'out',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'in' },
  transform: { type: 'dtl', rules: { default: rules } },
  pump: { mode: 'manual' },
  ...more,
})

describe('is-changed', () => {
  it('compares with the version of the source dataset before', async () => {
    const tenant = await openTenant()
    const changes = [
      ['add', 'name', ['is-changed', '_.name']],
      ['add', 'age', ['is-changed', '_.age']],
    ]
    await deploy(tenant, receiver('in'), reading(changes))
    await push(tenant, 'in', [{ _id: '1', name: 'a', age: 1 }])
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: '1', name: null, age: null }])
    await push(tenant, 'in', [{ _id: '1', name: 'a', age: 2 }])
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: '1', name: false, age: true }])
    await push(tenant, 'in', [{ _id: '1', _deleted: true }])
    await push(tenant, 'in', [{ _id: '1', name: 'a', age: 2 }])
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: '1', name: true, age: true }])
  })

  it('sees the version before with the names that the program sees', async () => {
    const tenant = await openTenant()
    const pipe = reading([['add', 'same', ['is-changed', '_.x:name']]], {
      add_namespaces: true,
      metadata: { namespaced_identifiers: true },
      namespaced_identifiers: true,
      namespaces: { identity: 'x', property: 'x' },
    })
    await deploy(tenant, receiver('in'), pipe)
    await push(tenant, 'in', [{ _id: '1', name: 'a' }])
    await push(tenant, 'in', [{ _id: '1', name: 'a', more: 1 }])
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([{ _id: 'x:1', 'x:same': false }])
  })

  it('is null in a pipe that reads no dataset', async () => {
    const tenant = await openTenant()
    await deploy(
      tenant,
      receiver('in', { transform: { type: 'dtl', rules: { default: [['add', 'c', ['is-changed', '_.']]] } } }),
    )
    await push(tenant, 'in', [{ _id: '1', _previous: 0 }])
    expect(await live(tenant, 'in')).toEqual([{ _id: '1', c: null }])
  })
})

describe('completeness', () => {
  it('is the value of the dataset itself; others have never heard of it', async () => {
    const tenant = await openTenant()
    const rules = [
      ['add', 'own', ['completeness', 'in', 'in']],
      ['add', 'via', ['completeness', 'out', 'in']],
      ['add', 'nobody', ['completeness', 'x', 'x']],
    ]
    await deploy(tenant, receiver('in'), reading(rules))
    await push(tenant, 'in', [{ _id: '1' }], { completeness: 1_700_000_000_000_001 })
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([
      { _id: '1', own: '~t2023-11-14T22:13:20.000001Z', via: null, nobody: null },
    ])
  })
})

describe('lookup', () => {
  it('finds entities of the dataset that the pipe reads', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), reading([['add', 'other', ['path', 'v', ['lookup', '_S.of']]]]))
    await push(tenant, 'in', [
      { _id: '1', of: '2' },
      { _id: '2', v: 5 },
    ])
    await tenant.runNow('out')
    expect(await live(tenant, 'out')).toEqual([
      { _id: '1', other: 5 },
      { _id: '2', other: null },
    ])
  })
})
