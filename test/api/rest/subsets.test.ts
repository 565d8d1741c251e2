import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer, type Server } from '../../../src/api/server.ts'
import { doors } from '../../../src/hub/doors.ts'
import { HubNode } from '../../../src/hub/node.ts'
import type { HubTenant } from '../../../src/hub/tenant.ts'
import { silent } from '../../../src/pipes/logger.ts'
import { deploy, openTenant, push, receiver } from '../../hub/running-hub.ts'

interface Stored {
  readonly _id: string
  readonly _deleted: boolean
  readonly _updated: number
}

interface Index {
  readonly _id: string
  readonly number: number
  readonly expression: string
  readonly status: string
  readonly progress: { readonly indexed: number; readonly total: number }
}

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

/** A hub behind its server. */
async function served(folder?: string) {
  const data = folder ?? (await mkdtemp(join(tmpdir(), 'samtale-subsets-')))
  folders.push(data)
  const onFatal = (error: Error) => {
    throw error
  }
  const how = { developer: false, version: 'test', logger: silent, withGraph: false, threads: 1, onFatal }
  const node = await HubNode.open({ ...how, data })
  const server: Server = await openServer(node, { host: '127.0.0.1', port: 0, doors })
  const get = (path: string) => fetch(`${server.url}/api/datasets/${path}`)
  return {
    data,
    tenant: node.tenant('default') as HubTenant,
    get,
    subset: (path: string, subset: unknown, more = '') =>
      get(`${path}?subset=${encodeURIComponent(typeof subset === 'string' ? subset : JSON.stringify(subset))}${more}`),
    indexes: async (dataset: string) => (await (await get(`${dataset}/indexes`)).json()) as Index[],
    remove: async (path: string) => fetch(`${server.url}/api/datasets/${path}`, { method: 'DELETE' }),
    async close() {
      await server.close()
      await node.close()
    },
  }
}

const people = (indexes: unknown = ['_S.type']) =>
  receiver('people', {
    sink: { type: 'dataset', dataset: 'people', indexes },
    compaction: { sink: false, automatic: false },
  })
const PERSON = ['eq', '_S.type', 'person']
const brief = async (response: Response) =>
  ((await response.json()) as Stored[]).map(({ _id, _updated, _deleted }) => `${_id}${_updated}${_deleted ? '-' : '+'}`)

describe('the subset parameter', () => {
  let hub: Awaited<ReturnType<typeof served>>
  beforeAll(async () => {
    hub = await served()
    await deploy(hub.tenant, people())
    // Whoever begins hears of all that comes.
    expect(await brief(await hub.subset('people/entities', PERSON))).toEqual([])
    await push(hub.tenant, 'people', [
      { _id: 'a', type: 'person', v: 1 },
      { _id: 'b', type: 'dog' },
      { _id: 'c', type: ['dog', 'person'] },
    ])
    await push(hub.tenant, 'people', [
      { _id: 'a', type: 'person', v: 2 },
      { _id: 'c', type: 'dog' },
      { _id: 'b', type: 'cat' },
      { _id: 'd', type: 'person' },
      { _id: 'c', type: 'cat' },
    ])
  })
  afterAll(() => hub.close())

  it('gives the newest of what is in it, and deleted where it left what was', async () => {
    expect(await brief(await hub.subset('people/entities', PERSON))).toEqual(['a3+', 'c4-', 'd6+'])
    expect(await brief(await hub.subset('people/entities', PERSON, '&deleted=false'))).toEqual(['a3+', 'd6+'])
    expect(await brief(await hub.subset('people/entities', PERSON, '&reverse=true'))).toEqual(['d6+', 'c4-', 'a3+'])
    expect(await brief(await hub.subset('people/entities', PERSON, '&limit=2'))).toEqual(['a3+', 'c4-'])
    expect(await brief(await hub.subset('people/entities', PERSON, '&since=3'))).toEqual(['c4-', 'd6+'])
    expect(await brief(await hub.subset('people/entities', PERSON, '&start=4&limit=1'))).toEqual(['c4-'])
    expect(await brief(await hub.subset('people/entities', PERSON, '&since=6'))).toEqual([])
    expect(await brief(await hub.subset('people/entities', ['eq', '_S.type', 'nobody']))).toEqual([])
  })

  it('gives every version that was in it when history is asked for', async () => {
    expect(await brief(await hub.subset('people/entities', PERSON, '&history=true'))).toEqual([
      'a0+',
      'c2+',
      'a3+',
      'c4-',
      'd6+',
    ])
  })

  it('comes with the headers of the dataset, and says that it is filtered', async () => {
    const { headers } = await hub.subset('people/entities', PERSON)
    expect(headers.get('x-dataset-filtered')).toBe('true')
    expect(headers.get('x-dataset-max-updated')).toBe('7')
    expect((await hub.get('people/entities')).headers.get('x-dataset-filtered')).toBeNull()
  })

  it('can be followed by the _updated of what came last', async () => {
    const seen: string[] = []
    for (let since = -1; ; ) {
      const page = (await (await hub.subset('people/entities', PERSON, `&limit=1&since=${since}`)).json()) as Stored[]
      if (page[0] === undefined) break
      seen.push(page[0]._id)
      since = page[0]._updated
    }
    expect(seen).toEqual(['a', 'c', 'd'])
  })

  it('is 409 when who left since then was not noted, but goes on where pages of the whole stopped', async () => {
    const sink = { type: 'dataset', dataset: 'people', indexes: ['_S.type', '_S.v'] }
    const compaction = { sink: false, automatic: false }
    await deploy(hub.tenant, receiver('people', { sink, compaction }))
    const V2 = ['eq', '_S.v', 2]
    await expect.poll(async () => (await hub.subset('people/entities', V2, '&since=7')).status).toBe(200)
    const tooOld = await hub.subset('people/entities', V2, '&since=3')
    expect(tooOld.status).toBe(409)
    expect(await tooOld.json()).toMatchObject({ code: 'since-too-old', hint: expect.stringContaining('Read it all') })
    expect(await brief(await hub.subset('people/entities', V2, '&limit=1'))).toEqual(['a3+'])
    expect((await hub.subset('people/entities', V2, '&since=3')).status).toBe(200)
    expect((await hub.subset('people/entities', V2, '&since=2')).status).toBe(409)
    expect((await hub.subset('people/entities', V2, '&since=2&reverse=true')).status).toBe(200)
    await push(hub.tenant, 'people', [{ _id: 'a', type: 'person', v: 3 }])
    expect(await brief(await hub.subset('people/entities', V2, '&since=7'))).toEqual(['a8-'])
    await deploy(hub.tenant, people())
  })

  it('gives one entity only when it is in it', async () => {
    expect((await hub.subset('people/entity', PERSON, '&entity_id=a')).status).toBe(200)
    expect((await hub.subset('people/entity', PERSON, '&entity_id=c')).status).toBe(404)
    expect((await hub.subset('people/entity', PERSON, '&entity_id=c&offset=2')).status).toBe(200)
    expect((await hub.subset('people/entity', ['eq', '_S.v', 1], '&entity_id=a')).status).toBe(404)
  })

  it('is 404 without such an index, and 400 when it cannot be read', async () => {
    const response = await hub.subset('people/entities', ['eq', '_S.other', 'x'])
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'unknown-subset', hint: expect.stringContaining("'indexes'") })
    for (const wrong of ['nonsense', '["eq"]', '["eq", "_S.type", ["ni", "a", "b"]]', '["eq", ["uuid"], "a"]']) {
      expect((await hub.subset('people/entities', wrong)).status, wrong).toBe(400)
    }
    expect((await hub.subset('nothing/entities', PERSON)).status).toBe(404)
  })
})

describe('the indexes of a dataset', () => {
  it('are listed as people write them, with what needs them, and orphaned when nothing does', async () => {
    const hub = await served()
    const joined = {
      _id: 'joined',
      type: 'pipe',
      source: { type: 'dataset', dataset: 'people', subset: PERSON },
      transform: {
        type: 'dtl',
        rules: { default: [['add', 'x', ['hops', { datasets: ['people p'], where: ['eq', '_S.v', 'p.v'] }]]] },
      },
      pump: { mode: 'manual' },
    }
    await deploy(hub.tenant, people([['lower', '_S.name'], '$ids']), joined)
    await push(hub.tenant, 'people', [{ _id: 'a', type: 'person', v: 1 }, { _id: 'b' }])
    await hub.tenant.runNow('joined')
    const shown = async () => (await hub.indexes('people')).map(({ expression, status }) => [expression, status])
    // Two are needed by a run: which of them is made first is not said.
    const inOrder = async () => (await shown()).sort()
    await expect.poll(inOrder, { timeout: 20_000 }).toEqual([
      ['["lower","_S.name"]', 'up-to-date'],
      ['_S.$ids', 'up-to-date'],
      ['_S.type', 'up-to-date'],
      ['_S.v', 'up-to-date'],
    ])
    const ofType = (await hub.indexes('people')).find(({ expression }) => expression === '_S.type')
    expect(ofType).toEqual({
      _id: `people:${ofType?.number}`,
      dataset: 'people',
      number: ofType?.number,
      expression: '_S.type',
      status: 'up-to-date',
      progress: { indexed: 2, total: 2 },
      version: 2,
      'used-by': { pipes: ['joined'], doors: false },
    })
    // In use: refused, with who needs it.
    const refused = await hub.remove(`people/indexes/${ofType?.number}`)
    expect(refused.status).toBe(409)
    expect(await refused.json()).toMatchObject({ code: 'index-in-use', details: { pipes: ['joined'] } })

    await deploy(hub.tenant, people(['$ids']))
    expect((await shown()).map(([, status]) => status)).toEqual(['orphaned', 'up-to-date', 'orphaned', 'orphaned'])
    // Nothing is removed by itself, and an orphaned index is still kept up to date and read.
    await push(hub.tenant, 'people', [{ _id: 'c', type: 'person' }])
    expect(await brief(await hub.subset('people/entities', PERSON))).toEqual(['a0+', 'c2+'])
    expect((await hub.remove(`people/indexes/${ofType?.number}`)).status).toBe(200)
    expect((await hub.remove(`people/indexes/${ofType?.number}`)).status).toBe(404)
    expect((await hub.subset('people/entities', PERSON)).status).toBe(404)
    // Who needs it again gets it again.
    await deploy(hub.tenant, people(['$ids']), joined)
    await hub.tenant.runNow('joined')
    expect(await shown()).toContainEqual(['_S.type', 'up-to-date'])
    await hub.close()
  })

  it('that a door looks things up in are not orphaned, also after a restart, and come back when they are removed', async () => {
    const hub = await served()
    await deploy(hub.tenant, receiver('people'))
    await push(hub.tenant, 'people', [{ _id: 'a', mail: 'x' }])
    await doors.lookup(hub.tenant, 'people', 'mail', 'x')
    expect((await hub.indexes('people')).map(({ status }) => status)).toEqual(['up-to-date'])
    await hub.close()
    const again = await served(hub.data)
    expect((await again.indexes('people')).map(({ status }) => status)).toEqual(['up-to-date'])
    expect((await again.remove('people/indexes/0')).status).toBe(200)
    expect(await again.indexes('people')).toEqual([])
    expect((await doors.lookup(again.tenant, 'people', 'mail', 'x')).length).toBe(1)
    expect((await again.indexes('people')).map(({ status }) => status)).toEqual(['up-to-date'])
    await again.close()
  })

  it('tell how far they are while they are filled, and go on there after a restart', async () => {
    const hub = await served()
    await deploy(hub.tenant, receiver('people'))
    for (let batch = 0; batch < 6; batch++) {
      const some = Array.from({ length: 2_000 }, (_, i) => ({ _id: `e${batch}-${i}`, type: 'person' }))
      await push(hub.tenant, 'people', some)
    }
    await deploy(hub.tenant, people())
    const seen: number[] = []
    const look = async (from: typeof hub) => {
      const [index] = await from.indexes('people')
      expect(index?.progress.total).toBe(12_000)
      seen.push(index?.progress.indexed as number)
      return index?.status
    }
    while ((await look(hub)) === 'filling' && (seen.at(-1) as number) === 0);
    await hub.close()
    const again = await served(hub.data)
    while ((await look(again)) === 'filling');
    expect(seen.at(-1)).toBe(12_000)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    const found = (await (await again.subset('people/entities', PERSON)).json()) as Stored[]
    expect(found.length).toBe(12_000)
    await again.close()
  })
})

describe('a tenant without explicit indexes', () => {
  it('has none', async () => {
    const tenant: HubTenant = await openTenant()
    await deploy(tenant, receiver('people'))
    expect(tenant.indexes('people')).toBe('[]')
    expect(tenant.indexes('nothing')).toBeUndefined()
  })
})
