import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deploy as deploymentOf } from '../../src/hub/deployment.ts'
import { HubNode } from '../../src/hub/node.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { silent } from '../../src/pipes/logger.ts'
import { type Behaviour, cutAfter, type FakeServer, json, startFakeServer, status } from '../fakes/http-server.ts'
import { deploy, live, openHub, push, receiver, stored, temporaryFolder } from './running-hub.ts'

let server: FakeServer
/** Of the tenant that may reach this machine; emptied before each test. */
let tenant: HubTenant

beforeAll(async () => {
  server = await startFakeServer()
  const data = mkdtempSync(join(tmpdir(), 'samtale-test-'))
  const options = { developer: false, version: 'test', logger: silent, withGraph: false, threads: 1, data }
  const node = await HubNode.open({ ...options, onFatal: (error) => expect(error).toBeUndefined() })
  tenant = node.tenant('default') as HubTenant
  return async () => {
    await node.close()
    await server.close()
    rmSync(data, { recursive: true, force: true })
  }
}, 60_000)

beforeEach(async () => {
  await deploy(tenant)
  for (const dataset of ['in', 'out', 'again', 'dead']) await tenant.deleteDataset(dataset)
})

const KEEPING = { max_write_errors_in_retry_dataset: 10, max_consecutive_write_errors: 10, batch_retries: 0 }

const system = (more: object = {}) => ({ _id: 'erp', type: 'system:url', url_pattern: `${server.url}%s`, ...more })

const pusher = (pump: object = {}, more: object = {}) => ({
  _id: 'out',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'in' },
  sink: { type: 'json', system: 'erp', url: 'people' },
  pump: { mode: 'manual', ...pump },
  ...more,
})

/** Takes what is posted, unless an entity of it is refused. */
function taking(refuses: (id: string) => number | null): {
  readonly taken: Map<string, unknown>
  behaviour: Behaviour
} {
  const taken = new Map<string, unknown>()
  return {
    taken,
    behaviour: (response, { body }) => {
      const entities = JSON.parse(body) as { _id: string }[]
      const refused = entities.map(({ _id }) => refuses(_id)).find((code) => code !== null)
      if (refused != null) return void response.writeHead(refused).end('no')
      for (const entity of entities) taken.set(entity._id, entity)
      response.writeHead(200).end('{}')
    },
  }
}

const log = async (tenant: HubTenant, type: string) =>
  (await stored(tenant, 'system:pump_execution:out', true)).filter(({ event_type }) => event_type === type)

const pump = (tenant: HubTenant) => JSON.parse(tenant.pump('out') as string).runtime

describe('a system that fails for certain entities', () => {
  it('gets all others, and those once it takes them, also after a restart', async () => {
    const data = await temporaryFolder()
    const bad = new Set(['2', '4'])
    const { taken, behaviour } = taking((id) => (bad.has(id) ? 500 : null))
    server.on('/people', behaviour)
    const first = await openHub({ data })
    await deploy(first.tenant, system(), receiver('in'), pusher(KEEPING))
    await push(
      first.tenant,
      'in',
      ['1', '2', '3', '4'].map((_id) => ({ _id })),
    )
    expect(await first.tenant.runNow('out')).toMatchObject({ outcome: 'completed', failed: 2, pending: 2 })
    expect([...taken.keys()]).toEqual(['1', '3'])
    expect(pump(first.tenant)).toMatchObject({ retries: 2, counters: { started: 1, completed: 1, failed: 0, seen: 4 } })
    await first.node.close()
    const second = await openHub({ data })
    bad.delete('2')
    expect(await second.tenant.runNow('out')).toMatchObject({ outcome: 'completed', read: 0, pending: 1 })
    expect([...taken.keys()]).toEqual(['1', '3', '2'])
  }, 120_000)

  it('is not asked any more for what is discarded, or forgotten by a reset', async () => {
    const { behaviour } = taking((id) => (id === '2' ? 500 : null))
    server.on('/people', behaviour)
    await deploy(tenant, system(), receiver('in'), pusher({ ...KEEPING, dead_letter_dataset: 'dead' }))
    await push(tenant, 'in', [{ _id: '1' }, { _id: '2' }])
    await tenant.runNow('out')
    await tenant.operate('out', 'discard-retries', {})
    expect(pump(tenant).retries).toBe(0)
    expect(await log(tenant, 'pump-discard-retries')).toHaveLength(1)
    expect(await stored(tenant, 'dead')).toEqual([])
    const before = server.requests.length
    await tenant.runNow('out')
    expect(server.requests).toHaveLength(before)
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect(await tenant.runNow('out')).toMatchObject({ read: 2, pending: 1 })
    await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect(pump(tenant).retries).toBe(0)
  })

  it('does not take the rest of a full sync for all there is', async () => {
    const { taken, behaviour } = taking((id) => (id === '2' ? 400 : null))
    const from = server.requests.length
    // As other hubs do: after a request that failed they know nothing more of its full sync.
    let lost: string | null = null
    server.on('/people', (response, request) => {
      const { sequence_id: sequence = '', is_full: isFull } = request.query
      if (isFull === 'true' && lost === sequence) return void response.writeHead(409).end('unknown sequence')
      if (JSON.parse(request.body).some(({ _id }: { _id: string }) => _id === '2')) lost = sequence
      return behaviour(response, request)
    })
    await deploy(tenant, system(), receiver('in'), pusher(KEEPING))
    await push(tenant, 'in', [{ _id: '1' }, { _id: '2' }, { _id: '3' }])
    expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', syncType: 'full', failed: 1, pending: 1 })
    expect([...taken.keys()]).toEqual(['1', '3'])
    expect(server.requests.slice(from).some(({ query }) => query.is_last === 'true')).toBe(false)
  })
})

it('a system says for the status of its answers what becomes of entities', async () => {
  const { taken, behaviour } = taking((id) => (id === '2' ? 422 : null))
  server.on('/people', behaviour)
  const strategy = { default: { batch_retries: 0 }, '422': KEEPING }
  await deploy(tenant, system({ retry_strategy: strategy }), receiver('in'), pusher())
  await push(tenant, 'in', [{ _id: '1' }, { _id: '2' }, { _id: '3' }])
  expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', pending: 1 })
  expect([...taken.keys()]).toEqual(['1', '3'])
})

it('a source whose connection is cut is read again, and the dataset has what it gives at last', async () => {
  server.on('/list', cutAfter('[{"_id":"1"},'), status(503), json([{ _id: '1' }, { _id: '2' }]))
  const source = { type: 'json', system: 'erp', url: 'list' }
  await deploy(tenant, system(), { ...pusher({ max_read_retries: 2 }), source, sink: { type: 'dataset' } })
  expect(await tenant.runNow('out')).toMatchObject({ outcome: 'completed', changes: 2 })
  expect(await live(tenant, 'out')).toEqual([{ _id: '1' }, { _id: '2' }])
  expect((await log(tenant, 'pump-completed'))[0]).toMatchObject({ metrics: { entities: { read_errors_last_run: 2 } } })
})

it('dead letters can be read by another pipe, and go with what replaces them', async () => {
  const { behaviour } = taking((id) => (id === '2' ? 400 : null))
  server.on('/people', behaviour)
  const again = { _id: 'again', type: 'pipe', source: { type: 'dataset', dataset: 'dead' }, pump: { mode: 'manual' } }
  const dead = { ...KEEPING, max_retries_per_entity: 0, dead_letter_dataset: 'dead' }
  expect(await deploy(tenant, system(), receiver('in'), pusher(dead), again)).toEqual([])
  await push(tenant, 'in', [{ _id: '1' }, { _id: '2', name: 'x' }])
  await tenant.runNow('out')
  await tenant.runNow('out')
  await tenant.runNow('again')
  expect(await live(tenant, 'again')).toMatchObject([{ _id: '2', name: 'x', $dead_letter: { pipe: 'out' } }])
})

describe('the configuration of a pump', () => {
  const problems = async (pump: object, ...more: object[]) => {
    const components = [system(), receiver('in'), pusher(pump), ...more].map((one) => JSON.stringify(one))
    return deploymentOf(components, '{}', null).problems.map(
      ({ level, component, pointer }) => `${level} ${component} ${pointer}`,
    )
  }

  it.each<[object, string[]]>([
    [{ ...KEEPING, dead_letter_dataset: 'dead', track_dead_letters: true, max_retries_per_entity: 9 }, []],
    [
      { ...KEEPING, dead_letter_dataset: 'd', use_dead_letter_dataset: true },
      ['error out /pump/use_dead_letter_dataset'],
    ],
    [{ ...KEEPING, use_dead_letter_dataset: true }, ['warning out /pump/use_dead_letter_dataset']],
    [{ track_dead_letters: true }, ['warning out /pump/track_dead_letters']],
    [{ dead_letter_dataset: 'dead' }, ['warning out /pump/dead_letter_dataset']],
    [{ max_retries_per_entity: 3 }, ['warning out /pump/max_retries_per_entity']],
    [{ max_consecutive_write_errors: 3 }, ['warning out /pump/max_consecutive_write_errors']],
    [{ read_retry_delay: 1 }, ['warning out /pump/read_retry_delay']],
    [
      { ...KEEPING, fallback_to_single_entities_on_batch_fail: false },
      ['warning out /pump/fallback_to_single_entities_on_batch_fail'],
    ],
    [{ ...KEEPING, max_consecutive_write_errors: 0 }, ['error out /pump/max_consecutive_write_errors']],
    [{ retry_backoff: 'fibonacci' }, ['error out /pump/retry_backoff']],
    [{ ...KEEPING, dead_letter_dataset: 'in' }, ['error out /pump/dead_letter_dataset']],
    [{ ...KEEPING, dead_letter_dataset: 'system:x' }, ['error out /pump/dead_letter_dataset']],
  ])('is questioned: %j', async (pump, expected) => {
    expect(await problems(pump)).toEqual(expected)
  })

  it('has dead letters of its own', async () => {
    const letters = { ...KEEPING, dead_letter_dataset: 'dead' }
    const other = { ...pusher(letters), _id: 'other' }
    expect(await problems(letters, other)).toEqual(['error other /pump/dead_letter_dataset'])
    const own = { ...pusher(letters), _id: 'dead', sink: { type: 'dataset' } }
    expect(await problems({}, own)).toEqual(['error dead /pump/dead_letter_dataset'])
  })

  it('needs nothing of its own that its system says', async () => {
    const strategy = { default: { max_write_errors_in_retry_dataset: 5 } }
    const components = [system({ retry_strategy: strategy }), receiver('in'), pusher({ dead_letter_dataset: 'dead' })]
    expect(
      deploymentOf(
        components.map((one) => JSON.stringify(one)),
        '{}',
        null,
      ).problems,
    ).toEqual([])
  })
})

describe('retry_strategy of a system', () => {
  it.each<[object, string[]]>([
    [{ '429': { batch_retries: 1 }, '500-599,400': {}, default: {} }, []],
    [{ often: {} }, ['error /retry_strategy/often']],
    [{ '599-500': {} }, ['error /retry_strategy/599-500']],
    [{ '429': {}, '400,429': {} }, ['error /retry_strategy/400,429']],
    [{ '429': { batch_retries: -1 } }, ['error /retry_strategy/429/batch_retries']],
    [{ default: { retries: 1 } }, ['warning /retry_strategy/default/retries']],
  ])('is questioned: %j', async (retry_strategy, expected) => {
    const { problems } = deploymentOf([JSON.stringify(system({ retry_strategy }))], '{}', null)
    expect(problems.map(({ level, pointer }) => `${level} ${pointer}`)).toEqual(expected)
  })
})
