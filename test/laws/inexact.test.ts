/**
 * Each way in which a pipe may not be exact, by an example: what its dataset holds after a history, as documented, and what a
 * full run into an empty dataset would give; and where `trace_output` helps, that it does.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Json, World } from './world.ts'

let folder: string
let world: World
let examples = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'samtale-inexact-'))
  world = await World.open(folder)
})

afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

const dtl = (...rules: unknown[]) => ({ type: 'dtl', rules: { default: rules } })
const all = ['copy', '*']

/** A pipe over two roots, after each step of whose history all settles. */
class Example {
  readonly name = `e${++examples}`
  readonly a = `${this.name}a`
  readonly b = `${this.name}b`
  #pipe: Json = {}

  async deploy(pipe: Json): Promise<void> {
    this.#pipe = { source: { type: 'dataset', dataset: this.a }, ...pipe }
    await world.deploy(this.#components())
  }

  async put(root: string, ...entities: Json[]): Promise<void> {
    await world.put(root, entities)
    await world.settle()
  }

  kinds(): readonly string[] {
    return [...new Set(world.deployment.pipes.get(this.name)?.inexact.map(({ kind }) => kind))]
  }

  outOfSync(): readonly string[] {
    return world.outOfSync(this.name)
  }

  holds(): Record<string, Json> {
    return parsed(world.live(this.name))
  }

  /** What a full run into an empty dataset gives. */
  async fresh(): Promise<Record<string, Json>> {
    const twin = `${this.name}t${++examples}`
    const { sink, ...rest } = this.#pipe
    await world.deploy([
      ...this.#components(),
      { _id: twin, type: 'pipe', ...rest, sink: { type: 'dataset', ...(sink as Json), dataset: twin } },
    ])
    await world.run(twin)
    return parsed(world.live(twin))
  }

  #components(): readonly Json[] {
    const root = (_id: string) => ({ _id, type: 'pipe', source: { type: 'http_endpoint' } })
    const { sink, ...rest } = this.#pipe
    const pipe = {
      _id: this.name,
      type: 'pipe',
      ...rest,
      sink: { type: 'dataset', dataset: this.name, ...(sink as Json) },
    }
    return [root(this.a), root(this.b), pipe]
  }
}

const parsed = (live: ReadonlyMap<string, string>): Record<string, Json> =>
  Object.fromEntries([...live].map(([id, text]) => [id, JSON.parse(text) as Json]))

const ids = (entities: Record<string, Json>): string[] => Object.keys(entities)

/** Of a pipe with a dataset source, whose entity 1 becomes something else. */
async function changed(pipe: (example: Example) => Json, first: Json, then: Json) {
  const example = new Example()
  await example.deploy({ source: { type: 'dataset', dataset: example.a }, ...pipe(example) })
  await example.put(example.a, { _id: '1', ...first })
  await example.put(example.a, { _id: '1', ...then })
  return { kinds: example.kinds(), holds: example.holds(), fresh: await example.fresh() }
}

describe('not exact is a pipe', () => {
  it('that discards: the old version stays, unless it traces its output', async () => {
    const pipe = { transform: dtl(all, ['discard', ['eq', '_S.t', 'a']]) }
    const { kinds, holds, fresh } = await changed(() => pipe, { t: 'a' }, { t: 'b' })
    expect(kinds).toEqual(['discard'])
    expect([holds, fresh]).toEqual([{ 1: { t: 'a' } }, {}])
    const traced = await changed(() => ({ ...pipe, trace_output: true }), { t: 'a' }, { t: 'b' })
    expect(traced).toEqual({ kinds: [], holds: {}, fresh: {} })
  })

  it('that creates: what it no longer creates stays, unless it traces its output', async () => {
    const create = ['create', ['dict', '_id', ['concat', 'c', '_S.t']]]
    const pipe = { transform: dtl(['discard', ['neq', '_S._deleted', true]], create, ['discard']) }
    const { kinds, holds, fresh } = await changed(() => pipe, { t: 'a' }, { t: 'b' })
    expect(kinds).toEqual(['discard', 'shared-id'])
    expect([ids(holds), ids(fresh)]).toEqual([['ca', 'cb'], ['cb']])
    const traced = await changed(() => ({ ...pipe, trace_output: true }), { t: 'a' }, { t: 'b' })
    expect([traced.kinds, ids(traced.holds)]).toEqual([['shared-id'], ['cb']])
  })

  it('that gives an entity another id: that of the old one stays, unless it traces its output', async () => {
    const pipe = { transform: dtl(all, ['add', '_id', ['concat', 'v', '_S.t']]) }
    const { kinds, holds, fresh } = await changed(() => pipe, { t: 'a' }, { t: 'b' })
    expect(kinds).toEqual(['id'])
    expect([ids(holds), ids(fresh)]).toEqual([['va', 'vb'], ['vb']])
    expect(ids((await changed(() => ({ ...pipe, trace_output: true }), { t: 'a' }, { t: 'b' })).holds)).toEqual(['vb'])
  })

  it('that filters before it writes the id: what is filtered has another one', async () => {
    const rules = [
      ['filter', ['eq', '_S.t', 'a']],
      ['add', '_id', ['concat', 'p', '_S._id']],
    ]
    const { kinds, holds, fresh } = await changed(() => ({ transform: dtl(...rules) }), { t: 'a' }, { t: 'b' })
    expect(kinds).toEqual(['id'])
    expect([ids(holds), ids(fresh)]).toEqual([['p1'], []])
  })

  it('of several entities with one id: the one that came last counts, and takes the other along', async () => {
    const example = new Example()
    const datasets = [example.a, example.b]
    await example.deploy({ source: { type: 'union_datasets', datasets, prefix_ids: false } })
    await example.put(example.b, { _id: '1', of: 'b' })
    await example.put(example.a, { _id: '1', of: 'a' })
    expect(example.kinds()).toEqual(['shared-id'])
    expect(example.holds()).toEqual({ 1: { of: 'a' } })
    expect(await example.fresh()).toEqual({ 1: { of: 'b' } })
    await example.put(example.a, { _id: '1', _deleted: true })
    expect(example.holds()).toEqual({})
  })

  it('that brings something to life of what is deleted, as long as that is remembered', async () => {
    const pipe = { transform: dtl(all, ['add', '_deleted', false]) }
    const { kinds, holds } = await changed(() => pipe, { t: 'a' }, { t: 'a', _deleted: true })
    expect(kinds).toEqual(['deleted'])
    expect(ids(holds)).toEqual(['1'])
  })

  it('that reads what was before', async () => {
    const pipe = { transform: dtl(['add', 'c', ['is-changed', '_.t']]) }
    const { kinds, holds } = await changed(() => pipe, { t: 'a' }, { t: 'b' })
    expect([kinds, holds]).toEqual([['history'], { 1: { c: true } }])
  })

  it('that reads a field that the hub keeps', async () => {
    const pipe = { transform: dtl(['add', 'u', '_S._updated']) }
    const { kinds, holds } = await changed(() => pipe, { t: 'a' }, { t: 'b' })
    expect([kinds, holds]).toEqual([['internal'], { 1: { u: 1 } }])
  })

  it('that depends on the time or chance: an entity keeps what it was given when it ran', async () => {
    for (const [kind, made] of [
      ['time', ['now']],
      ['chance', ['uuid']],
    ] as const) {
      const { kinds, holds, fresh } = await changed(
        () => ({ transform: dtl(['add', 'x', made]) }),
        { t: 'a' },
        { t: 'b' },
      )
      expect([kinds, ids(holds)]).toEqual([[kind], ['1']])
      expect(holds).not.toEqual(fresh)
    }
  })

  it('whose hops are not followed back, or that looks up by id: it learns of a change when the entity itself changes', async () => {
    const hop = (dataset: string) => ({
      datasets: [`${dataset} p`],
      where: ['eq', '_S.x', 'p._id'],
      return: 'p.t',
      'track-dependencies': false,
    })
    for (const read of [
      (dataset: string) => ['hops', hop(dataset)],
      (dataset: string) => ['list', ['path', 't', ['lookup-entity', dataset, '_S.x']]],
    ]) {
      const example = new Example()
      await example.deploy({ transform: dtl(['add', 'h', read(example.b)]) })
      await example.put(example.b, { _id: 's', t: 1 })
      await example.put(example.a, { _id: '1', x: 's' })
      await example.put(example.b, { _id: 's', t: 2 })
      expect(example.kinds()).toEqual(['hop'])
      expect(example.holds()).toEqual({ 1: { h: [1] } })
      expect(await example.fresh()).toEqual({ 1: { h: [2] } })
      await example.put(example.a, { _id: '1', x: 's', n: 1 })
      expect(example.holds()).toEqual({ 1: { h: [2] } })
    }
  })

  it('that reads what it writes: what it made once stays true', async () => {
    const example = new Example()
    const own = {
      datasets: [`${example.name} p`],
      where: ['eq', '_S._id', 'p._id'],
      return: 'p.s',
      'track-dependencies': false,
    }
    await example.deploy({
      transform: dtl(['add', 's', ['distinct', ['combine', '_S.t', ['flatten', ['hops', own]]]]]),
      batch_size: 1,
      sink: { set_initial_offset: 'onload' },
    })
    await example.put(example.a, { _id: '1', t: 'a' })
    await example.put(example.a, { _id: '1', t: 'b' })
    expect(example.kinds()).toContain('cycle')
    expect(example.holds()).toEqual({ 1: { s: ['b', 'a'] } })
  })

  it('whose source leaves out what is replaced: what was made of it stays', async () => {
    const source = ({ a }: Example) => ({ source: { type: 'dataset', dataset: a, include_replaced: false } })
    const { kinds, holds, fresh } = await changed(source, { t: 'a' }, { t: 'a', $replaced: true, _deleted: true })
    expect(kinds).toEqual(['source'])
    expect([ids(holds), ids(fresh)]).toEqual([['1'], []])
  })

  it('whose sink refuses, suppresses or keeps versions', async () => {
    const first = await changed(() => ({ sink: { prevent_multiple_versions: 'ignore' } }), { t: 'a' }, { t: 'b' })
    expect([first.kinds, first.holds, first.fresh]).toEqual([['sink'], { 1: { t: 'a' } }, { 1: { t: 'b' } }])
    const filter = { transform: dtl(all, ['filter', ['eq', '_S.t', 'a']]), sink: { suppress_filtered: true } }
    const suppressed = await changed(() => filter, { t: 'a' }, { t: 'b' })
    expect([suppressed.kinds, ids(suppressed.holds), suppressed.fresh]).toEqual([['sink'], ['1'], {}])
    const child = { transform: dtl(['create-child', ['dict', '_id', '_S.t']]) }
    const children = await changed(() => child, { t: 'a' }, { t: 'b' })
    expect(children.kinds).toEqual(['history'])
    expect(children.holds[1]?.$children).toEqual([{ _id: 'b' }, { _id: 'a', _deleted: true }])
    expect(children.fresh[1]?.$children).toEqual([{ _id: 'b' }])
  })

  it('without deletion tracking: what a full run does not bring stays', async () => {
    const example = new Example()
    await example.deploy({ sink: { deletion_tracking: false } })
    await example.put(example.a, { _id: '1' })
    await world.deleteDataset(example.a)
    await example.deploy({ sink: { deletion_tracking: false } })
    await world.reset(example.name)
    await example.put(example.a, { _id: '2' })
    expect(example.kinds()).toEqual(['sink'])
    expect([ids(example.holds()), ids(await example.fresh())]).toEqual([['1', '2'], ['2']])
  })

  it('that waits for what nobody populates: it makes nothing', async () => {
    const example = new Example()
    await example.deploy({
      transform: dtl(['add', 'h', ['hops', { datasets: ['nobody p'], where: ['eq', '_S.x', 'p.x'] }]]),
    })
    await example.put(example.a, { _id: '1' })
    expect(example.kinds()).toEqual(['unpopulated'])
    expect(example.holds()).toEqual({})
  })
})

describe('with the defaults', () => {
  it('a pipe that may differ since its configuration or an input became another one says so', async () => {
    const example = new Example()
    const pipe = (t: string) => ({
      transform: dtl(all, ['filter', ['eq', '_S.t', t]]),
      rescan_when_config_changes: true,
    })
    await example.deploy(pipe('a'))
    await example.put(example.a, { _id: '1', t: 'a' })
    expect(example.outOfSync()).toEqual([])
    await example.deploy(pipe('b'))
    await world.settle()
    expect([example.holds(), await example.fresh()]).toEqual([{ 1: { t: 'a' } }, {}])
    expect(example.outOfSync()).toEqual(['config-changed'])
  })
})
