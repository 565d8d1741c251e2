import { describe, expect, it } from 'vitest'
import { deploy, live, openHub, openTenant, push, receiver, stored } from './running-hub.ts'

const embedded = (id: string, entities: object[], more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'embedded', entities },
  pump: { mode: 'manual' },
  ...more,
})
const copy = (id: string, dataset: string, rules: unknown[] = [['copy', '*']]) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  pump: { mode: 'manual' },
  transform: { type: 'dtl', rules: { default: rules } },
})

describe('a pipe into a dataset', () => {
  it('keeps one version of what comes twice, and a new one of what changed', async () => {
    const tenant = await openTenant()
    await deploy(
      tenant,
      embedded('a', [
        { _id: '1', x: 1 },
        { _id: '2', x: 2 },
      ]),
    )
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'completed', syncType: 'full', read: 2, changes: 2 })
    expect(await tenant.runNow('a')).toMatchObject({ read: 2, changes: 0 })
    await deploy(
      tenant,
      embedded('a', [
        { _id: '1', x: 1 },
        { _id: '2', x: 3 },
      ]),
    )
    expect(await tenant.runNow('a')).toMatchObject({ changes: 1 })
    expect(
      (await stored(tenant, 'a', true)).map(({ _id, _updated, _previous, x }) => [_id, _updated, _previous, x]),
    ).toEqual([
      ['1', 0, null, 1],
      ['2', 1, null, 2],
      ['2', 2, 1, 3],
    ])
  })

  it('deletes what a full read no longer brings, and brings it back', async () => {
    const tenant = await openTenant()
    const [one, two] = [
      { _id: '1', x: 1 },
      { _id: '2', x: 2 },
    ]
    for (const entities of [[one, two], [one], [one, two]]) {
      await deploy(tenant, embedded('a', entities, { compaction: { keep_versions: 3 } }))
      await tenant.runNow('a')
    }
    const versions = (await stored(tenant, 'a', true)).filter(({ _id }) => _id === '2')
    expect(versions.map(({ _deleted, x }) => [_deleted, x])).toEqual([
      [false, 2],
      [true, 2],
      [false, 2],
    ])
    expect(versions[2]?._hash).toBe(versions[0]?._hash)
  })

  it('deletes nothing when told not to, nor when the source is empty and that is a failure', async () => {
    const tenant = await openTenant()
    const sink = { type: 'dataset', dataset: 'a', deletion_tracking: false }
    await deploy(tenant, embedded('a', [{ _id: '1' }, { _id: '2' }], { sink }))
    await tenant.runNow('a')
    await deploy(tenant, embedded('a', [{ _id: '1' }], { sink }))
    await tenant.runNow('a')
    expect(await live(tenant, 'a')).toHaveLength(2)
    await deploy(tenant, { ...embedded('a', []), source: { type: 'embedded', entities: [], if_source_empty: 'fail' } })
    expect(await tenant.runNow('a')).toMatchObject({ outcome: 'failed', code: 'source-empty' })
    expect(await live(tenant, 'a')).toHaveLength(2)
  })

  it('reads from another dataset only what is new since its last run', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), copy('out', 'in'))
    await push(tenant, 'in', [
      { _id: '1', n: 1 },
      { _id: '2', n: 2 },
    ])
    expect(await tenant.runNow('out')).toMatchObject({ syncType: 'full', read: 2, changes: 2 })
    await push(tenant, 'in', [
      { _id: '2', n: 3 },
      { _id: '3', n: 3 },
    ])
    expect(await tenant.runNow('out')).toMatchObject({ syncType: 'incremental', read: 2, changes: 2 })
    expect(await tenant.runNow('out')).toMatchObject({ read: 0, changes: 0 })
    await push(tenant, 'in', [{ _id: '1', _deleted: true }])
    expect(await tenant.runNow('out')).toMatchObject({ read: 1, changes: 1 })
    expect(await live(tenant, 'out')).toEqual([
      { _id: '2', n: 3 },
      { _id: '3', n: 3 },
    ])
  })

  it('saves its offset at checkpoints, and where it came when it fails in between', async () => {
    const tenant = await openTenant()
    const rules = [
      ['copy', '*'],
      ['if', ['eq', '_S._id', '5'], ['remove', '_id']],
    ]
    await deploy(tenant, receiver('in'), { ...copy('out', 'in', rules), batch_size: 1, checkpoint_interval: 3 })
    await push(
      tenant,
      'in',
      [1, 2, 3, 4, 5, 6].map((n) => ({ _id: String(n) })),
    )
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'failed', changes: 4 })
    expect(JSON.parse(tenant.pump('out') ?? '{}').runtime['last-seen']).toBe('3')
    await deploy(tenant, receiver('in'), { ...copy('out', 'in'), batch_size: 1, checkpoint_interval: 3 })
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', read: 2, changes: 2 })
    expect(JSON.parse(tenant.pump('out') ?? '{}').runtime['last-seen']).toBe('5')
  })

  it('starts over when its offset is reset', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'), copy('out', 'in'))
    await push(tenant, 'in', [{ _id: '1' }])
    await tenant.runNow('out')
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect(await tenant.runNow('out')).toMatchObject({ syncType: 'full', read: 1, changes: 0 })
  })

  it('deletes what a filter no longer lets through', async () => {
    const tenant = await openTenant()
    await deploy(
      tenant,
      receiver('in'),
      copy('out', 'in', [
        ['copy', '*'],
        ['filter', ['gt', '_S.n', 1]],
      ]),
    )
    await push(tenant, 'in', [
      { _id: '1', n: 1 },
      { _id: '2', n: 2 },
    ])
    expect(await tenant.runNow('out')).toMatchObject({ changes: 1 })
    await push(tenant, 'in', [{ _id: '2', n: 0 }])
    await tenant.runNow('out')
    expect((await stored(tenant, 'out')).map(({ _id, _deleted }) => [_id, _deleted])).toEqual([['2', true]])
  })

  it('keeps the last good offset when an entity fails, and says which and where', async () => {
    const tenant = await openTenant()
    await deploy(
      tenant,
      receiver('in'),
      copy('out', 'in', [
        ['copy', '*'],
        ['if', ['eq', '_S._id', '2'], ['remove', '_id']],
      ]),
    )
    await push(tenant, 'in', [{ _id: '1' }, { _id: '2' }])
    const report = await tenant.runNow('out')
    expect(report).toMatchObject({ outcome: 'failed', changes: 0 })
    expect(report.message).toMatch(/2/)
    await push(tenant, 'in', [{ _id: '2', _deleted: true, x: 1 }])
    await deploy(tenant, receiver('in'), copy('out', 'in'))
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', read: 2 })
  })
})

describe('a pipe that hops', () => {
  const hop = copy('person', 'employee', [
    ['copy', '*'],
    [
      'add',
      'employer',
      ['first', ['hops', { datasets: ['company c'], where: ['eq', '_S.works_for', 'c._id'], return: 'c.name' }]],
    ],
  ])

  it('waits, and says for what, until the dataset it hops to is there and populated', async () => {
    const tenant = await openTenant()
    const problems = await deploy(tenant, receiver('employee'), hop)
    expect(problems).toMatchObject([{ level: 'warning', component: 'person', pointer: '/transform' }])
    await push(tenant, 'employee', [{ _id: 'e1', works_for: 'c1' }])
    expect(await tenant.runNow('person')).toMatchObject({
      outcome: 'waiting',
      message: "waits for dataset 'company', which does not exist yet",
    })
    await deploy(tenant, receiver('employee'), hop, embedded('company', [{ _id: 'c1', name: 'Acme' }]))
    expect(await tenant.runNow('person')).toMatchObject({
      outcome: 'waiting',
      message: "waits for dataset 'company', which has not been populated by a complete run yet",
    })
    await tenant.runNow('company')
    expect(await tenant.runNow('person')).toMatchObject({ outcome: 'completed', changes: 1 })
    expect(await live(tenant, 'person')).toEqual([{ _id: 'e1', works_for: 'c1', employer: 'Acme' }])
  })

  it('finds through its index what was there before, what came after and what changed', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('employee'), receiver('company'), hop)
    await push(tenant, 'company', [{ _id: 'c1', name: 'Acme' }])
    await push(tenant, 'employee', [{ _id: 'e1', works_for: 'c1' }])
    await tenant.runNow('person')
    await push(tenant, 'company', [
      { _id: 'c1', name: 'Acme AS' },
      { _id: 'c2', name: 'Boks' },
    ])
    await push(tenant, 'employee', [
      { _id: 'e2', works_for: ['c2', 'c1'] },
      { _id: 'e3', works_for: 'c3' },
    ])
    await tenant.runNow('person')
    expect((await live(tenant, 'person')).map(({ _id, employer }) => [_id, employer])).toEqual([
      ['e1', 'Acme AS'],
      ['e2', 'Acme AS'],
      ['e3', null],
    ])
  })
})

describe('a hops spec with a trace', () => {
  it('reports the most rows it found for one entity', async () => {
    const tenant = await openTenant()
    const spec = { datasets: ['order o'], where: ['eq', '_S._id', 'o.customer'], trace: 'orders' }
    await deploy(
      tenant,
      receiver('customer'),
      receiver('order'),
      copy('out', 'customer', [['add', 'n', ['count', ['hops', spec]]]]),
    )
    await push(
      tenant,
      'order',
      [1, 2, 3].map((n) => ({ _id: `o${n}`, customer: n < 3 ? 'a' : 'b' })),
    )
    await push(tenant, 'customer', [{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', traces: { orders: 2 } })
  })
})

describe('what hops look up', () => {
  const spec = { datasets: ['order o'], where: ['eq', '_S._id', 'o.customer'] }
  const counted = (dependency_tracking: object) => ({
    ...copy('out', 'customer', [['add', 'n', ['count', ['hops', spec]]]]),
    dependency_tracking,
  })
  async function ranWith(dependency_tracking: object) {
    const tenant = await openTenant()
    await deploy(tenant, receiver('customer'), receiver('order'), counted(dependency_tracking))
    await push(
      tenant,
      'order',
      [1, 2, 3].map((n) => ({ _id: `o${n}`, customer: n < 3 ? 'a' : 'b' })),
    )
    await push(tenant, 'customer', [{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }])
    return tenant.runNow('out')
  }

  it('is counted, and may be as much as there is', async () => {
    expect(await ranWith({ dependency_error_threshold: 50_000 })).toMatchObject({
      outcome: 'completed',
      hops: { maxCardinality: 2, totalRows: 3 },
    })
  })

  it('fails the pump beyond the error threshold, where that is switched on', async () => {
    const on = { enable_hops_thresholds: true }
    expect(await ranWith({ ...on, dependency_error_threshold: 2 })).toMatchObject({ outcome: 'completed' })
    expect(await ranWith({ ...on, dependency_error_threshold: 1 })).toMatchObject({
      outcome: 'failed',
      code: 'hops-threshold',
      message: expect.stringMatching(/^Entity 'a' at .* collected 2 entities for one source entity\.$/),
      hint: expect.stringContaining('dependency_error_threshold'),
    })
    expect(await ranWith({ ...on, dependency_error_threshold_total_bytes: 40 })).toMatchObject({ outcome: 'failed' })
  })
})

describe('pumps that run by themselves', () => {
  it('carry a change through three pipes by signals', async () => {
    const tenant = await openTenant()
    const auto = (id: string, dataset: string) => ({ ...copy(id, dataset), pump: {} })
    await deploy(tenant, receiver('a'), auto('b', 'a'), auto('c', 'b'), auto('d', 'c'))
    await push(tenant, 'a', [{ _id: '1', n: 1 }])
    const startedAt = Date.now()
    while ((await stored(tenant, 'd')).length === 0 && Date.now() - startedAt < 5_000) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(await live(tenant, 'd')).toEqual([{ _id: '1', n: 1 }])
  })
})

describe('a receiver', () => {
  it('keeps decimals exact and integers whole', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await push(tenant, 'in', '[{"_id":"1","a":1.50,"b":2.0,"c":123456789012345678901234567890}]')
    let text = ''
    const { datasetEntities } = await import('../../src/hub/datasets.ts')
    for await (const chunk of datasetEntities(tenant, 'in', { history: true, deleted: true, reverse: false }))
      text += chunk
    expect(text.replaceAll(' ', '')).toContain('"a":1.50,"b":2,"c":123456789012345678901234567890')
  })

  it('deletes at the end of a full sync what did not come, as the protocol’s example does', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    const full = (entities: object[], sequenceId: string, requestId: string, more: object) =>
      push(tenant, 'in', entities, { isFull: true, sequenceId, requestId, ...more })
    await push(tenant, 'in', [
      { _id: 'a', n: 'A' },
      { _id: 'b', n: 'B' },
    ])
    await full([{ _id: 'b', n: 'B' }], 's1', 'r1', { isFirst: true })
    await full(
      [
        { _id: 'a', n: 'A2' },
        { _id: 'c', n: 'C' },
      ],
      's1',
      'r2',
      { previousRequestId: 'r1' },
    )
    await full([{ _id: 'd', n: 'D' }], 's1', 'r3', { previousRequestId: 'r2', isLast: true })
    await full(
      [
        { _id: 'a', n: 'A' },
        { _id: 'b', n: 'B' },
      ],
      's2',
      'r1',
      { isFirst: true },
    )
    await full([{ _id: 'd', n: 'D' }], 's2', 'r2', { previousRequestId: 'r1', isLast: true })
    const log = await stored(tenant, 'in', true)
    expect(log.map(({ _id, _updated, _previous, _deleted }) => [_id, _updated, _previous, _deleted])).toEqual([
      ['a', 0, null, false],
      ['b', 1, null, false],
      ['a', 2, 0, false],
      ['c', 3, null, false],
      ['d', 4, null, false],
      ['a', 5, 2, false],
      ['c', 6, 3, true],
    ])
    expect(log[5]?._hash).toBe(log[0]?._hash)
  })

  it('refuses what breaks a sequence, and keeps nothing of it', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    const full = (requestId: string, more: object) =>
      push(tenant, 'in', [{ _id: requestId }], { isFull: true, sequenceId: 's', requestId, ...more })
    await full('r1', { isFirst: true })
    for (const more of [{ isFirst: true }, { previousRequestId: 'r0' }, {}]) {
      await expect(full('r2', more)).rejects.toMatchObject({ code: 'push-conflict' })
    }
    await expect(push(tenant, 'in', [{ _id: 'x' }], { sequenceId: 's' })).rejects.toMatchObject({
      code: 'push-conflict',
    })
    await expect(full('r9', { sequenceId: 'other', previousRequestId: 'r8' })).rejects.toMatchObject({
      code: 'push-conflict',
    })
    await full('r2', { previousRequestId: 'r1', isLast: true })
    expect((await live(tenant, 'in')).map(({ _id }) => _id)).toEqual(['r1', 'r2'])
  })

  it('refuses bodies that are not JSON and entities without an id, and keeps nothing of them', async () => {
    const tenant = await openTenant()
    await deploy(tenant, receiver('in'))
    await expect(push(tenant, 'in', '[{"_id":"1"},')).rejects.toMatchObject({ code: 'bad-json' })
    await expect(push(tenant, 'in', [{ _id: '1' }, { id: '2' }])).rejects.toMatchObject({ code: 'bad-entity' })
    expect(await stored(tenant, 'in')).toEqual([])
  })

  it('is populated from the start, unless told otherwise', async () => {
    const tenant = await openTenant()
    await deploy(
      tenant,
      receiver('a'),
      receiver('b', { source: { type: 'http_endpoint', auto_populate_dataset: false } }),
    )
    const populated = (id: string) => JSON.parse(tenant.dataset(id) ?? '{}').runtime.populated
    expect([populated('a'), populated('b')]).toEqual([true, false])
  })
})

describe('a restart', () => {
  it('goes on with configuration, offsets and disabled pumps', async () => {
    const first = await openHub()
    await deploy(first.tenant, receiver('in'), copy('out', 'in'))
    await push(first.tenant, 'in', [{ _id: '1' }])
    await first.tenant.runNow('out')
    await first.tenant.operate('out', 'disable', { comment: 'later' })
    await first.node.close()
    const { tenant } = await openHub({ data: first.data })
    expect(tenant.pipeIds()).toEqual(['in', 'out'])
    expect(tenant.pumpState('out')).toMatchObject({ isDisabled: true, comment: 'later' })
    await push(tenant, 'in', [{ _id: '2' }])
    expect(await tenant.runNow('out')).toMatchObject({ syncType: 'incremental', read: 1 })
  })

  it('refuses a data folder that another hub has open', async () => {
    const { data } = await openHub()
    await expect(openHub({ data })).rejects.toMatchObject({ code: 'data-in-use' })
  })

  it('keeps the base of its first start', async () => {
    const { node, data } = await openHub({ base: 'https://hub.example/' })
    expect(node.base).toBe('https://hub.example')
    await node.close()
    await expect(openHub({ data, base: 'https://other.example' })).rejects.toMatchObject({ code: 'base-is-fixed' })
    expect((await openHub({ data })).node.base).toBe('https://hub.example')
  })
})

describe('tenants', () => {
  it('have data and configuration of their own, and can be made and deleted', async () => {
    const { node, tenant } = await openHub()
    const acme = await node.createTenant('acme')
    expect(acme.base).toBe('http://127.0.0.1:9042/t/acme')
    await deploy(tenant, receiver('in'))
    await deploy(acme, receiver('in'))
    await push(acme, 'in', [{ _id: '1' }])
    expect([await stored(tenant, 'in'), (await stored(acme, 'in')).length]).toEqual([[], 1])
    await expect(node.createTenant('acme')).rejects.toMatchObject({ code: 'tenant-exists' })
    await expect(node.createTenant('A/b')).rejects.toMatchObject({ code: 'bad-tenant-name' })
    await node.deleteTenant('acme')
    expect(node.tenant('acme')).toBeUndefined()
    await expect(node.deleteTenant('default')).rejects.toMatchObject({ code: 'tenant-protected' })
  })
})
