import { describe, expect, it } from 'vitest'
import type { RunnerOptions } from '../../../src/hub/contract.ts'
import type { HubTenant } from '../../../src/hub/tenant.ts'
import { deploy, live, openHub, openTenant, push, receiver } from '../running-hub.ts'

const embedded = (id: string, entities: readonly object[], more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'embedded', entities },
  ...more,
})
const reader = (id: string, dataset: string, rules: unknown[] = [['copy', '*']], more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  transform: { type: 'dtl', rules: { default: rules } },
  ...more,
})
const held = { _id: 'node', type: 'metadata', task_manager: { disable_user_pipes: true } }

const OPTIONS: RunnerOptions = {
  extraZeroRuns: 2,
  maxRunSeconds: 60,
  maxRuns: 100,
  resets: true,
  deletesInputs: true,
  checksInputs: false,
  compactsLogs: false,
}

async function run(tenant: HubTenant, options: Partial<RunnerOptions> = {}) {
  const { token, ended } = tenant.runner.start({ ...OPTIONS, ...options })
  const { status, statistics } = await ended
  expect(tenant.runner.status(token)).toBe(status)
  return { status, statistics, log: tenant.runner.lines().map(({ logdata }) => logdata) }
}

describe('the pipe runner', { timeout: 60_000 }, () => {
  it('runs pipes in their order until nothing changes, and two passes more', async () => {
    const tenant = await openTenant()
    await deploy(
      tenant,
      held,
      reader('c', 'b'),
      reader('b', 'a', [
        ['copy', '*'],
        ['add', 'x', ['hops', { datasets: ['d d'], where: [['eq', '_S._id', 'd._id']] }]],
      ]),
      embedded('a', [{ _id: '1' }, { _id: '2' }]),
      embedded('d', [{ _id: '1', n: 1 }]),
    )
    const { status, log, statistics } = await run(tenant)
    expect(status).toBe('success')
    expect(await live(tenant, 'c')).toMatchObject([{ _id: '1', x: [{ n: 1 }] }, { _id: '2' }])
    const passes = log.filter((line) => / ran in /.test(line))
    expect(passes.map((line) => line.replace(/ in \d.*?,/, ','))).toEqual([
      'Pass 1: 4 pipes ran, 7 changes.',
      'Pass 2: 4 pipes ran, 0 changes.',
      'Pass 3: 4 pipes ran, 0 changes.',
      'Pass 4: 4 pipes ran, 0 changes.',
    ])
    expect(log.at(-1)).toMatch(/^Success: all pipes ran to completion in/)
    expect(statistics).toMatch(/^pipe +runs +read +changes +seconds\n/)
    expect(statistics).toMatch(/^a +4 +\d+ +2 +\d/m)
  })

  it('begins from nothing, but for what receivers were sent where that is to stay', async () => {
    const tenant = await openTenant()
    await deploy(tenant, held, receiver('in'), reader('out', 'in'))
    await push(tenant, 'in', [{ _id: '1' }])
    const generation = () => JSON.parse(tenant.dataset('out') as string).runtime.generation
    await run(tenant, { deletesInputs: false })
    const first = generation()
    expect(await live(tenant, 'out')).toEqual([{ _id: '1' }])
    expect((await run(tenant, { deletesInputs: false, resets: false })).status).toBe('success')
    expect(generation()).toBe(first)
    expect((await run(tenant, { deletesInputs: false })).status).toBe('success')
    expect(generation()).not.toBe(first)
    expect(await live(tenant, 'out')).toEqual([{ _id: '1' }])
    expect((await run(tenant)).status).toBe('success')
    expect([await live(tenant, 'in'), await live(tenant, 'out')]).toEqual([[], []])
    // Who waits for it need not wait for the first push.
    expect(JSON.parse(tenant.dataset('in') as string).runtime.populated).toBe(true)
    await push(tenant, 'in', [{ _id: '2' }])
    await run(tenant, { deletesInputs: false })
    expect(await live(tenant, 'out')).toEqual([{ _id: '2' }])
  })

  it('fails when a pipe fails, when all others have settled, and forgives those that read something outside', async () => {
    const tenant = await openTenant()
    const outside = { _id: 'outside', type: 'pipe', source: { type: 'json', system: 'web', url: 'x' } }
    const web = { _id: 'web', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' }
    await deploy(tenant, held, web, embedded('a', [{ _id: '1' }]), outside, reader('b', 'a'))
    expect((await run(tenant)).status).toBe('success')
    expect(await run(tenant, { checksInputs: true })).toMatchObject({
      status: 'failed',
      log: expect.arrayContaining([expect.stringMatching(/^Failed after .*Pipe 'outside' failed/)]),
    })
    await deploy(tenant, held, embedded('a', [{ _id: '1' }]), reader('b', 'a', [['fail!', 'no way']]), reader('c', 'a'))
    const { status, log } = await run(tenant)
    expect([status, log.at(-1)]).toEqual(['failed', expect.stringContaining("Pipe 'b' failed")])
    expect(await live(tenant, 'c')).toEqual([{ _id: '1' }])
  })

  it('fails when a pipe has errors in its configuration, and leaves disabled pumps alone', async () => {
    const tenant = await openTenant()
    const broken = { _id: 'broken', type: 'pipe', source: { type: 'datset' } }
    await tenant.replaceConfig(JSON.stringify([held, broken, embedded('a', [{ _id: '1' }])]), true)
    await tenant.operate('a', 'disable', {})
    const { status, log } = await run(tenant)
    expect([status, log.at(-1)]).toEqual(['failed', expect.stringContaining("Pipe 'broken' has errors")])
    expect(log).toContain("The pump of pipe 'a' is disabled and left alone.")
    expect(await live(tenant, 'a')).toEqual([])
  })

  it('gives up when nothing moves any more and there is work to do, and says whose', async () => {
    const tenant = await openTenant()
    const waits = reader('waits', 'a', [
      ['add', 'x', ['hops', { datasets: ['never n'], where: [['eq', '_S._id', 'n._id']] }]],
    ])
    await deploy(tenant, held, embedded('a', [{ _id: '1' }]), waits)
    const { status, log } = await run(tenant)
    expect(status).toBe('failed')
    expect(log.at(-1)).toMatch(/Nothing moves any more.*At work: pipe 'waits' \(it .*never/)
  })

  it('gives up after so many passes, and after so long', async () => {
    const tenant = await openTenant()
    const round = (id: string, of: string) =>
      reader(id, of, [
        ['copy', '_id'],
        ['add', 'n', ['plus', ['coalesce', ['list', '_S.n', 0]], 1]],
      ])
    await deploy(
      tenant,
      held,
      embedded('seed', [{ _id: '1' }], { sink: { type: 'dataset', dataset: 'seed' } }),
      {
        ...round('x', 'y'),
        source: { type: 'union_datasets', datasets: ['seed', 'y'] },
      },
      round('y', 'x'),
    )
    expect(await run(tenant, { maxRuns: 5 })).toMatchObject({
      status: 'failed',
      log: expect.arrayContaining([expect.stringMatching(/After max_runs, 5 passes, there is still work to do/)]),
    })
    await deploy(
      tenant,
      held,
      embedded('slow', [{ _id: '1' }, { _id: '2' }], {
        batch_size: 1,
        transform: {
          type: 'dtl',
          rules: {
            default: [
              ['sleep!', 1],
              ['copy', '*'],
            ],
          },
        },
      }),
    )
    expect(await run(tenant, { maxRunSeconds: 0.2 })).toMatchObject({
      status: 'failed',
      log: expect.arrayContaining([expect.stringMatching(/It took more than max_run_time, 0.2 s/)]),
    })
  })

  it('is there once at a time, can be stopped, and holds other pumps back meanwhile', async () => {
    const { node, tenant } = await openHub()
    const slow = {
      batch_size: 1,
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['sleep!', 1],
            ['copy', '*'],
          ],
        },
      },
    }
    const many = Array.from({ length: 50 }, (_, n) => ({ _id: String(n) }))
    await deploy(
      tenant,
      embedded('slow', many, { ...slow, pump: { mode: 'manual' } }),
      embedded('often', [{ _id: '1' }], { pump: { schedule_interval: 0.01 } }),
    )
    node.startPumps()
    const { token, ended } = tenant.runner.start(OPTIONS)
    expect(tenant.runner.status(token)).toBe('running')
    expect(() => tenant.runner.start(OPTIONS)).toThrow(expect.objectContaining({ code: 'runner-active' }))
    await expect.poll(() => JSON.parse(tenant.pump('often') as string).runtime['last-outcome']).toBe('completed')
    expect(JSON.parse(tenant.pump('often') as string).runtime['next-run']).toBeNull()
    expect(await tenant.runner.stop(20_000)).toBe(true)
    expect(await ended).toMatchObject({ status: 'failed' })
    expect(tenant.runner.status(token)).toBe('failed')
    expect(tenant.runner.lines().at(-1)).toMatchObject({
      loglevel: 'ERROR',
      logdata: expect.stringContaining('It was stopped.'),
    })
    expect(JSON.parse(tenant.pump('often') as string).runtime['next-run']).not.toBeNull()
    expect(await tenant.runner.stop(0)).toBe(true)
    expect(tenant.runner.status('unknown')).toBe('not-running')
  })

  it('tells its log strictly after a line, in times that no two lines share', async () => {
    const tenant = await openTenant()
    expect(tenant.runner.lines()).toEqual([])
    await deploy(tenant, held, embedded('a', [{ _id: '1' }]))
    const { ended, token } = tenant.runner.start(OPTIONS)
    await ended
    const lines = tenant.runner.lines()
    const times = lines.map(({ timestamp }) => timestamp)
    expect([...times].sort()).toEqual(times)
    expect(new Set(times).size).toBe(times.length)
    expect(tenant.runner.lines(times[2])).toEqual(lines.slice(3))
    expect(tenant.runner.lines(times.at(-1))).toEqual([])
    expect(tenant.runner.lines(undefined, token)).toEqual(lines)
    expect(tenant.runner.lines(undefined, 'another')).toEqual([])
  })
})
