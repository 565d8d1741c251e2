import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HubNode } from '../../src/hub/node.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { sourceOffset } from '../../src/pipes/full-run.ts'
import { silent } from '../../src/pipes/logger.ts'
import { deploy, live } from './running-hub.ts'

/** The pipe of the test. */
let out = ''
/** A dataset of another hub, as its protocol shows it. */
const other = { headers: {} as Record<string, string>, entities: [] as { _id: string; _updated: number }[] }
const asked: (string | null)[] = []
const server = createServer((request, response) => {
  const since = new URL(request.url ?? '', 'http://h').searchParams.get('since')
  asked.push(since)
  const body = other.entities.filter(({ _updated }) => since === null || _updated > Number(since))
  response.writeHead(200, { 'Content-Type': 'application/json', ...other.headers }).end(JSON.stringify(body))
})
/** One hub for all: only its first tenant reaches this machine. */
let node: HubNode
let data: string
let tests = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  data = await mkdtemp(join(tmpdir(), 'samtale-test-'))
  const onFatal = (error: Error) => {
    throw error
  }
  node = await HubNode.open({
    data,
    developer: false,
    version: 'test',
    logger: silent,
    withGraph: false,
    threads: 1,
    onFatal,
  })
}, 60_000)
afterAll(async () => {
  await node.close()
  await rm(data, { recursive: true, force: true })
  await new Promise((resolve) => server.close(resolve))
})

const says = (generation: string, more: Record<string, string> = {}) => ({
  'X-Dataset-Generation': generation,
  'X-Dataset-Max-Updated': String(other.entities.at(-1)?._updated ?? 0),
  'X-Dataset-Completeness': '1700000000000000',
  ...more,
})
const holds = (...ids: string[]) => {
  other.entities = ids.map((_id, _updated) => ({ _id, _updated }))
}

async function settled(type: 'json' | 'binary', more: object = {}) {
  const tenant = node.tenant('default') as HubTenant
  out = `out${++tests}`
  const { port } = server.address() as AddressInfo
  const since = type === 'json' ? { supports_since: true, is_chronological: true } : {}
  const configure = (changed: object) =>
    deploy(
      tenant,
      { _id: 'far', type: 'system:url', url_pattern: `http://127.0.0.1:${port}/%s` },
      {
        _id: out,
        type: 'pipe',
        source: { type, system: 'far', url: 'datasets/in/entities', ...since },
        pump: { mode: 'manual', max_read_retries: 1 },
        ...changed,
      },
    )
  await configure(more)
  holds('1', '2', '3')
  other.headers = says('g1')
  await run(tenant)
  asked.length = 0
  return { tenant, configure }
}

const AUTOMATIC = { reprocessing_policy: 'automatic' }
const run = async (tenant: HubTenant) => {
  const report = await tenant.runNow(out)
  expect(report).toMatchObject({ outcome: 'completed' })
  return report
}
const reasons = (tenant: HubTenant) =>
  (JSON.parse(tenant.pump(out) as string).runtime['out-of-sync'] as { reason: string }[]).map(({ reason }) => reason)
const ids = async (tenant: HubTenant) => (await live(tenant, out)).map(({ _id }) => _id)
const offset = (tenant: HubTenant) => {
  const snapshot = tenant.snapshot()
  try {
    return snapshot.offset(sourceOffset(out))
  } finally {
    snapshot.close()
  }
}

describe('a dataset of another hub', () => {
  it('that only grew is read on, and what it says of its completeness is passed on', async () => {
    const { tenant } = await settled('json', AUTOMATIC)
    holds('1', '2', '3', '4')
    other.headers = says('g1')
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 1 })
    expect(asked).toEqual(['2'])
    expect(reasons(tenant)).toEqual([])
    expect(JSON.parse(tenant.dataset(out) as string).runtime.completeness).toBe(1_700_000_000_000_000)
  })

  it.each(['json', 'binary'] as const)(
    'that was made again resets a pipe that may, before anything of it is used: %s',
    async (type) => {
      const { tenant, configure } = await settled(type)
      holds('3', '4', '5', '6')
      other.headers = says('g2')
      expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 1 })
      expect(reasons(tenant)).toEqual(['dataset-recreated'])
      await configure(AUTOMATIC)
      expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 4 })
      expect(await ids(tenant)).toEqual(['3', '4', '5', '6'])
      expect(reasons(tenant)).toEqual([])
      holds('7')
      other.headers = says('g3')
      asked.length = 0
      expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 1, deletionTracked: 4 })
      // The first answer went on from a place in another dataset: nothing of it was taken.
      expect(asked).toEqual(['3', null])
      expect(await ids(tenant)).toEqual(['7'])
    },
  )

  it('that was restored to an earlier state is gone back in, and may have lost what was read of it', async () => {
    const { tenant } = await settled('json', AUTOMATIC)
    const restored = { 'X-Dataset-Restore-Uuid': 'u1', 'X-Dataset-Restore-Offset': '0' }
    holds('1', '2b')
    other.headers = says('g2', { ...restored, 'X-Dataset-Restore-Generation': 'g1' })
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 1 })
    expect(asked).toEqual(['2', '0'])
    expect(offset(tenant)).toBe('1')
    expect(await ids(tenant)).toEqual(['1', '2', '2b', '3'])
    expect(reasons(tenant)).toEqual(['dataset-restored'])
    // It is done: not once more with each run.
    asked.length = 0
    await run(tenant)
    expect(asked).toEqual(['1'])
    await tenant.operate(out, 'update-last-seen', { 'last-seen': '' })
    await run(tenant)
    expect(await ids(tenant)).toEqual(['1', '2b'])
    expect(reasons(tenant)).toEqual([])
  })

  it('that was restored with all that was read of it is read on', async () => {
    const { tenant } = await settled('binary', AUTOMATIC)
    holds('1', '2', '3', '4')
    other.headers = says('g1', { 'X-Dataset-Restore-Uuid': 'u1', 'X-Dataset-Restore-Offset': '2' })
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 1 })
    expect(reasons(tenant)).toEqual([])
  })

  it('that ends before what was read resets a pipe that may', async () => {
    const { tenant } = await settled('json', AUTOMATIC)
    holds('9')
    other.headers = says('g1')
    expect(await run(tenant)).toMatchObject({ syncType: 'full', read: 1 })
    expect(await ids(tenant)).toEqual(['9'])
  })

  it('behind a circuit breaker resets all the same, and what came trips it', async () => {
    const sink = { type: 'dataset', circuit_breaker_threshold_count: 2 }
    const { tenant } = await settled('json', { ...AUTOMATIC, sink })
    holds('1', '2', '3', '4')
    other.headers = says('g2')
    expect(await run(tenant)).toMatchObject({ syncType: 'full', changes: 1 })
    holds('5', '6', '7')
    other.headers = says('g3')
    expect(await tenant.runNow(out)).toMatchObject({ outcome: 'failed', code: 'breaker-tripped' })
    expect(await ids(tenant)).toEqual(['1', '2', '3', '4'])
  })

  it('that is no hub says nothing, and is believed', async () => {
    const { tenant } = await settled('json', AUTOMATIC)
    other.headers = {}
    holds('1', '2', '3', '4')
    expect(await run(tenant)).toMatchObject({ syncType: 'incremental', read: 1 })
    expect(reasons(tenant)).toEqual([])
  })
})
