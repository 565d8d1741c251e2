import { describe, expect, it } from 'vitest'
import { changedPipes } from '../../src/hub/changes.ts'
import { DeploymentMemory, deploy } from '../../src/hub/deployment.ts'
import { eventually } from '../api/real-hub.ts'
import { live, openHub, openTenant, push, receiver, stored } from './running-hub.ts'

const reading = (id: string, dataset: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  ...more,
})
const system = (id: string, more: object = {}) => ({ _id: id, type: 'system:url', url_pattern: 'http://x/%s', ...more })
const asking = (id: string, of: string, url = 'y') => ({
  _id: id,
  type: 'pipe',
  source: { type: 'json', system: of, url },
  pump: { schedule_interval: 60 },
})

describe('a deployment that remembers the one before', () => {
  const memory = new DeploymentMemory()
  let former = deploy([], '{}', null)
  const changed = (components: readonly object[], env: object = {}) => {
    const next = deploy(JSON.stringify(components), JSON.stringify(env), null, { memory })
    memory.keep()
    const ids = changedPipes(former, next)
    former = next
    return ids
  }

  it('makes only those pipes again that changed, or whose variables, systems or node did', () => {
    const all = [
      system('s'),
      system('t', { username: '$ENV(user)', authentication: 'basic', password: 'p' }),
      receiver('a'),
      reading('b', 'a'),
      reading('c', 'a', { batch_size: '$ENV(size)' }),
      asking('d', 's'),
      asking('e', 't'),
    ]
    const env = { size: 10, user: 'me' }
    expect(changed(all, env)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(changed(all, env)).toEqual([])
    expect(changed(all, { ...env, more: 1 })).toEqual([])
    expect(changed(all, { ...env, size: 20 })).toEqual(['c'])
    expect(changed(all, { size: 20, user: 'you' })).toEqual(['e'])
    const other = all.map((one) => (one._id === 's' ? system('s', { verify_ssl: true }) : one))
    expect(changed(other, { size: 20, user: 'you' })).toEqual(['d'])
    expect(changed(other.slice(0, -1), { size: 20, user: 'you' })).toEqual(['e'])
    const node = { _id: 'node', type: 'metadata', global_defaults: { max_merged: 7 } }
    expect(changed([node, ...other.slice(0, -1)], { size: 20, user: 'you' })).toEqual(['a', 'b', 'c', 'd'])
  })

  it('compares with what is in use, not with what was tried and refused', () => {
    const all = [receiver('a'), reading('b', 'a')]
    changed(all)
    deploy(JSON.stringify([receiver('x')]), '{}', null, { memory })
    expect(changed(all)).toEqual([])
  })

  it('says of variables that came and went what is true now', () => {
    const one = [reading('b', '$ENV(x)')]
    const said = (env: object) =>
      deploy(JSON.stringify(one), JSON.stringify(env), null, { memory }).problems.map(({ message }) => message)
    expect(said({})[0]).toContain("The environment variable 'x' is not defined.")
    memory.keep()
    expect(said({ x: 'b' })).not.toContain("The environment variable 'x' is not defined.")
  })
})

/** A pipe that is in the midst of its run until it is let go on. */
const slow = {
  type: 'dtl',
  rules: {
    default: [
      ['copy', '*'],
      ['if', ['eq', '_S._id', '2'], ['sleep!', 2]],
    ],
  },
}

describe('an upload', () => {
  it('leaves a run of a pipe that did not change alone, and begins one of a pipe that did anew', async () => {
    const { node, tenant } = await openHub()
    const many = Array.from({ length: 12 }, (_, n) => ({ _id: String(n) }))
    const pipes = (batch: number) => [
      receiver('in'),
      reading('same', 'in', { batch_size: 1, transform: slow }),
      reading('other', 'in', { batch_size: 1, transform: slow, metadata: { batch } }),
    ]
    await tenant.replaceConfig(JSON.stringify(pipes(1)), false)
    await push(tenant, 'in', many)
    const runs = [tenant.runNow('same'), tenant.runNow('other')]
    await eventually(() => ['same', 'other'].every((id) => (tenant.pumpState(id).running?.read ?? 0) > 0), true)
    const began = tenant.pumpState('same').running?.startedAt
    await tenant.replaceConfig(JSON.stringify(pipes(2)), false)
    expect(tenant.pumpState('same').running?.startedAt).toBe(began)
    const [same, other] = await Promise.all(runs)
    expect(same).toMatchObject({ outcome: 'completed', read: 12 })
    expect(other).toMatchObject({ outcome: 'interrupted' })
    await eventually(() => tenant.pumpState('other').last?.outcome, 'completed')
    // It went on from where it was.
    expect(tenant.pumpState('other').last?.read).toBeLessThan(12)
    expect(await live(tenant, 'other')).toHaveLength(12)
    await node.close()
  })

  it('keeps a full sync that is under way, and the state of pumps', async () => {
    const tenant = await openTenant()
    await tenant.replaceConfig(JSON.stringify([receiver('in'), reading('out', 'in')]), false)
    await push(tenant, 'in', [{ _id: 'old' }])
    await tenant.operate('out', 'disable', { comment: 'for now' })
    const sync = { isFull: true, sequenceId: 's1' }
    await push(tenant, 'in', [{ _id: 'a' }], { ...sync, requestId: '1', isFirst: true })
    await tenant.replaceConfig(JSON.stringify([receiver('in'), reading('out', 'in'), receiver('more')]), false)
    await push(tenant, 'in', [{ _id: 'b' }], { ...sync, requestId: '2', previousRequestId: '1', isLast: true })
    expect((await live(tenant, 'in')).map(({ _id }) => _id)).toEqual(['a', 'b'])
    expect(tenant.pumpState('out')).toMatchObject({ isDisabled: true, comment: 'for now' })
  })

  it('is stored with all its parts or not at all, and can be taken back with its variables', async () => {
    const tenant = await openTenant()
    const { configuration } = tenant
    await configuration.replaceEnv('{"batch":1.0}')
    const first = '[{"_id":"a","type":"pipe","source":{"type":"http_endpoint"},"n":1.0}]'
    await configuration.upload(first, 'default', { force: false })
    const broken = configuration.upload('[{"_id":"b","type":"pipe","source":{"type":"nonsense"}}]', 'default', {
      force: false,
    })
    await expect(broken).rejects.toMatchObject({ code: 'config-rejected' })
    expect(configuration.text()).toBe(first)
    await configuration.replaceEnv('{"batch":2}')
    await configuration.upload('[{"_id":"c","type":"pipe","source":{"type":"http_endpoint"}}]', 'default', {
      force: false,
    })
    expect(configuration.generations().map(({ number, kind }) => [number, kind])).toEqual([
      [5, 'config'],
      [4, 'env'],
      [3, 'config'],
      [2, 'env'],
      [1, 'config'],
    ])
    await configuration.rollback(null)
    expect([configuration.text(), tenant.env()]).toEqual([first, '{"batch":2}'])
    await configuration.rollback(3)
    expect([configuration.text(), tenant.env()]).toEqual([first, '{"batch":1.0}'])
    await configuration.rollback(5)
    expect(tenant.pipeIds()).toEqual(['c'])
    await expect(configuration.rollback(99)).rejects.toMatchObject({ code: 'unknown-generation' })
  })

  it('makes no generation when nothing is another', async () => {
    const tenant = await openTenant()
    const text = JSON.stringify([receiver('a')])
    await tenant.replaceConfig(text, false)
    await tenant.replaceConfig(text, false)
    expect(tenant.configuration.generations()).toHaveLength(2)
  })

  it('leaves generations behind that outlive a restart, ten at most', async () => {
    const { node, data, tenant } = await openHub()
    for (let n = 0; n < 14; n++) await tenant.replaceConfig(JSON.stringify([receiver('a', { n })]), false)
    await node.close()
    const again = await openHub({ data })
    const { configuration } = again.tenant
    expect(configuration.generations().map(({ number }) => number)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5])
    await configuration.rollback(5)
    expect(configuration.text()).toContain('"n":3')
  })

  it('notes in its history what each component was, and what is gone', async () => {
    const tenant = await openTenant()
    const { configuration } = tenant
    await tenant.replaceConfig(JSON.stringify([receiver('a', { n: 1 }), receiver('b')]), false)
    await tenant.replaceConfig(JSON.stringify([receiver('a', { n: 2 }), receiver('b')]), false)
    await tenant.replaceConfig(JSON.stringify([receiver('b')]), false)
    const versions = (query: object = {}) =>
      (JSON.parse(configuration.history('a', { reverse: false, ...query })) as Record<string, unknown>[]).map(
        ({ n, _deleted, _updated }) => [n, _deleted, _updated],
      )
    expect(versions()).toEqual([
      [1, false, 0],
      [2, false, 2],
      [undefined, true, 3],
    ])
    expect(versions({ since: 0, limit: 1 })).toEqual([[2, false, 2]])
    expect(versions({ reverse: true, since: 3 })).toEqual([
      [2, false, 2],
      [1, false, 0],
    ])
    expect(await stored(tenant, 'system:config', true)).toHaveLength(4)
    expect(configuration.history('nobody', { reverse: false })).toBe('[]')
  })

  it('edits single components, whatever else is wrong', async () => {
    const tenant = await openTenant()
    const { configuration } = tenant
    const broken = { _id: 'broken', type: 'pipe', source: { type: 'nonsense' } }
    await tenant.replaceConfig(JSON.stringify([broken, receiver('a')]), true)
    const put = (one: object, force = false) => configuration.edit({ put: [JSON.stringify(one)] }, { force })
    expect((await put(receiver('c'))).problems).toEqual([])
    expect((await put(receiver('a', { comment: 1 }))).problems).toEqual([])
    expect(tenant.pipeIds()).toEqual(['broken', 'a', 'c'])
    await expect(put({ ...broken, _id: 'd' })).rejects.toMatchObject({ code: 'config-rejected' })
    const twice = put(reading('e', 'a', { sink: { type: 'dataset', dataset: 'c' } }))
    await expect(twice).rejects.toMatchObject({ problems: [{ component: 'e' }] })
    await configuration.edit({ remove: ['broken', 'c'] }, { force: false })
    expect(tenant.pipeIds()).toEqual(['a'])
    await expect(configuration.edit({ remove: ['x'] }, { force: false })).rejects.toMatchObject({
      code: 'unknown-component',
    })
  })
})
