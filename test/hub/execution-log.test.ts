import { expect, it } from 'vitest'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { deploy, live, openTenant, push, receiver, stored } from './running-hub.ts'

const PERSON = { user_id: 'u1', email: 'u@example.org', remote_addr: '127.0.0.1' }

const log = async (tenant: HubTenant, pipe: string) => {
  const dataset = `system:pump_execution:${pipe}`
  return tenant.dataset(dataset) === undefined ? [] : stored(tenant, dataset, true)
}
const types = async (tenant: HubTenant, pipe: string) => (await log(tenant, pipe)).map(({ event_type }) => event_type)

const copy = (more: object = {}, pump: object = {}) => ({
  _id: 'out',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'in' },
  pump: { mode: 'manual', ...pump },
  ...more,
})

it('tells that a run began and how it ended, with what it counted', async () => {
  const tenant = await openTenant()
  await deploy(tenant, receiver('in'), copy())
  await push(tenant, 'in', [{ _id: '1' }, { _id: '2' }])
  const report = await tenant.runNow('out')
  expect(report).toMatchObject({ outcome: 'completed', isLogged: true })
  const [started, completed] = await log(tenant, 'out')
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  expect(started).toMatchObject({
    _id: 'pump-started',
    event_type: 'pump-started',
    pipe: 'out',
    start_time: at,
    sync_type: 'full',
    pump_definition: { mode: 'manual' },
    metrics: {},
  })
  expect(completed).toMatchObject({
    _id: 'pump-completed',
    event_type: 'pump-completed',
    pipe: 'out',
    start_time: started?.start_time,
    end_time: at,
    total_time: expect.any(Number),
    next_interval: null,
    sync_type: 'full',
    pump_started_location: started?._updated,
    retry_entities_exist: false,
    entities_succeeded: 2,
    entities_failed: 0,
    metrics: {
      entities: {
        changes_last_run: 2,
        entities_last_run: 2,
        read_errors_last_run: 0,
        write_errors_last_run: 0,
        sink_time: expect.any(Number),
        source_time: expect.any(Number),
        transform_time: expect.any(Number),
      },
      hops: { 'max-cardinality': 0, 'max-cardinality-last-run': 0, 'total-rows-last-run': 0 },
      memory: { 'batch-max-mem-size': expect.any(Number), 'total-peak': expect.any(Number) },
    },
  })
  expect(completed).not.toHaveProperty('reason_why_stopped')
})

it('does not tell of runs that did nothing, unless it is to', async () => {
  const tenant = await openTenant()
  await deploy(tenant, receiver('in'), copy())
  await push(tenant, 'in', [{ _id: '1' }])
  await tenant.runNow('out')
  expect(await tenant.runNow('out')).toMatchObject({ isLogged: false })
  expect(await types(tenant, 'out')).toEqual(['pump-started', 'pump-completed'])
  await deploy(tenant, receiver('in'), copy({}, { log_events_noop_runs: true }))
  expect(await tenant.runNow('out')).toMatchObject({ isLogged: true })
  expect(await types(tenant, 'out')).toHaveLength(4)
})

it('takes a run that read something and changed nothing for one that did something, where it is to', async () => {
  const tenant = await openTenant()
  for (const [changesOnly, isLogged] of [
    [true, false],
    [false, true],
  ]) {
    await deploy(tenant, receiver('in'), copy({}, { log_events_noop_runs_changes_only: changesOnly }))
    await push(tenant, 'in', [{ _id: '1' }])
    await tenant.runNow('out')
    await tenant.repost('in', ['1'])
    expect(await tenant.runNow('out')).toMatchObject({ read: 1, changes: 0, isLogged })
  }
})

it('tells of a run that did nothing when the last one that it told of is too old', async () => {
  const tenant = await openTenant()
  await deploy(tenant, receiver('in'), copy({}, { notification_granularity: 3600 }))
  expect(await tenant.runNow('out')).toMatchObject({ isLogged: true })
  expect(await tenant.runNow('out')).toMatchObject({ isLogged: false })
  await deploy(tenant, receiver('in'), copy({}, { notification_granularity: 0 }))
  expect(await tenant.runNow('out')).toMatchObject({ isLogged: true })
})

it('tells why a run failed, of which entity, and who started it', async () => {
  const tenant = await openTenant()
  const rules = {
    default: [
      ['copy', '*'],
      ['if', ['eq', '_S.bad', true], ['fail!', 'no such thing']],
    ],
  }
  await deploy(tenant, receiver('in'), copy({ transform: { type: 'dtl', rules } }))
  await push(tenant, 'in', [{ _id: '1' }, { _id: '2', bad: true }])
  await tenant.operate('out', 'start', {}, PERSON)
  await expect.poll(() => types(tenant, 'out')).toEqual(['pump-started', 'pump-failed'])
  const [started, failed] = await log(tenant, 'out')
  expect(started).toMatchObject({ user: PERSON })
  expect(failed).toMatchObject({
    user: PERSON,
    interrupted: false,
    reason_why_stopped: expect.stringContaining('no such thing'),
    original_error_message: expect.stringContaining('no such thing'),
    traceback: expect.any(String),
    original_traceback: expect.any(String),
    exception_entity: { _id: '2', bad: true },
    node_build_info: { version: 'test' },
  })
})

it('tells of a run that was stopped that it was', async () => {
  const tenant = await openTenant()
  const rules = {
    default: [
      ['sleep!', 5],
      ['copy', '*'],
    ],
  }
  await deploy(tenant, receiver('in'), copy({ transform: { type: 'dtl', rules } }))
  await push(tenant, 'in', [{ _id: '1' }])
  await tenant.operate('out', 'start', {})
  await tenant.operate('out', 'stop', {})
  expect(await log(tenant, 'out')).toMatchObject([
    { event_type: 'pump-started' },
    { event_type: 'pump-failed', interrupted: true },
  ])
  expect((await log(tenant, 'out'))[0]).not.toHaveProperty('user')
})

it('tells what was done to a pump, and by whom', async () => {
  const tenant = await openTenant()
  await deploy(tenant, receiver('in'), copy())
  await push(tenant, 'in', [{ _id: '1' }])
  await tenant.operate('out', 'disable', { comment: 'holidays' }, PERSON)
  await tenant.operate('out', 'enable', {}, PERSON)
  await tenant.operate('out', 'update-last-seen', { 'last-seen': '7' }, PERSON)
  await tenant.operate('out', 'update-last-seen', { 'last-seen': '' })
  await tenant.operate('out', 'discard-retries', {}, PERSON)
  const event_time = expect.any(String)
  expect(await log(tenant, 'out')).toMatchObject([
    { _id: 'pump-disabled', pipe: 'out', comment: 'holidays', user: PERSON, event_time },
    { _id: 'pump-enabled', user: PERSON, event_time },
    { _id: 'pump-offset-set', pipe_offset: '7', original_pipe_offset: null, is_reset: false, user: PERSON, event_time },
    { _id: 'pump-offset-set', pipe_offset: '', original_pipe_offset: '7', is_reset: true },
    { _id: 'pump-discard-retries', user: PERSON },
  ])
})

it('tells of entities that were reposted in the log of the pipe that writes them', async () => {
  const tenant = await openTenant()
  await deploy(tenant, receiver('in'), copy())
  await push(tenant, 'in', [{ _id: '1' }])
  await tenant.runNow('out')
  await tenant.repost('out', ['1'], PERSON)
  expect((await log(tenant, 'out')).at(-1)).toMatchObject({
    _id: 'entities-reposted',
    pipe: 'out',
    pipe_id: 'out',
    num_entities: 1,
    entities: [{ _id: '1', _deleted: false, _updated: 1 }],
    user: PERSON,
  })
})

it.each(['commit', 'rollback'] as const)('tells what was decided of a circuit breaker: %s', async (decision) => {
  const tenant = await openTenant()
  const sink = { type: 'dataset', circuit_breaker_threshold_count: 1 }
  await deploy(tenant, receiver('in'), copy({ sink }))
  await push(tenant, 'in', [{ _id: '1' }])
  await tenant.runNow('out')
  await push(tenant, 'in', [{ _id: '1', a: 1 }, { _id: '2' }])
  expect(await tenant.runNow('out')).toMatchObject({ code: 'breaker-tripped' })
  await tenant.decideBreaker('out', decision, PERSON)
  expect((await log(tenant, 'out')).slice(2)).toMatchObject([
    { event_type: 'pump-started' },
    { event_type: 'pump-failed' },
    { _id: `circuit-breaker-${decision}`, user: PERSON },
  ])
  expect(await live(tenant, 'out')).toHaveLength(decision === 'commit' ? 2 : 1)
})

it('goes with its pipe', async () => {
  const tenant = await openTenant()
  await deploy(tenant, receiver('in'), copy())
  await tenant.operate('out', 'disable', {})
  await deploy(tenant, receiver('in'))
  expect(tenant.dataset('system:pump_execution:out')).toBeUndefined()
})
