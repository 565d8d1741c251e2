import { describe, expect, it } from 'vitest'
import type { DatasetView, Journal } from '../../src/log/contract.ts'
import { fillIndex } from '../../src/log/fill.ts'
import { writeJson } from '../../src/model/json.ts'
import type { Surroundings } from '../../src/pipes/contract.ts'
import { DatasetWriter, IndexCompiler } from '../../src/pipes/dataset-writer.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import { csvSource } from '../../src/pipes/sources/csv.ts'
import { rdfSource } from '../../src/pipes/sources/rdf.ts'
import { startFakeServer, text } from '../fakes/http-server.ts'
import { entity, openedLog, reading } from '../log/sample.ts'
import { pipeOf, portsOf } from './running-pipe.ts'
import { configured, openUrlSystem, readAll, surroundings } from './surroundings.ts'

type Json = Readonly<Record<string, unknown>>
const never = new AbortController().signal

const BOUND = 4_000
/** Of which four fill a batch. */
const large = 'x'.repeat(1_000)
/** What comes on top: the entity that takes a batch to the bound, and a little about each. */
const MOST = 2 * BOUND

async function world() {
  const { writer, log } = await openedLog()
  for (const dataset of ['in', 'other']) {
    await writer.assertDataset(dataset)
    await writer.commit({ populated: [[dataset, true]] })
  }
  const indexes = new IndexCompiler()
  const sizes: number[] = []
  const journal = new Proxy(writer as Journal, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name !== 'commit') return member.bind(target)
      return (...[commit]: Parameters<Journal['commit']>) => {
        const bytes = (commit.writes ?? [])
          .filter(({ dataset }) => dataset === 'd')
          .reduce((sum, { entities }) => sum + entities.byteLength, 0)
        if (bytes > 0) sizes.push(bytes)
        return target.commit(commit)
      }
    },
  })
  return {
    /** Bytes of each commit on the dataset `d`. */
    sizes,
    put: (dataset: string, ...entities: readonly Json[]) => {
      const document = () => reading(log, (snapshot) => (snapshot.dataset(dataset) as DatasetView).document)
      return new DatasetWriter(writer, indexes, dataset, document, () => {}).write(entities.map(entity), {})
    },
    run: (config: Json, kind: 'incremental' | 'rescan' = 'incremental') =>
      runPipe(
        pipeOf({ _id: 'p', sink: { type: 'dataset', dataset: 'd' }, batch_size: 1_000, ...config }),
        portsOf(journal, log, {
          batchBytes: BOUND,
          indexes,
          assertIndex: ({ dataset, expression, feeds = false }) =>
            fillIndex(writer, log, dataset, expression, (one) => indexes.keysOf(expression, one), { feeds }),
        }),
        { kind },
        never,
      ),
    count: () => reading(log, (snapshot) => [...(snapshot.dataset('d')?.entities({ deleted: false }) ?? [])].length),
  }
}

const dtl = (...rules: readonly unknown[]) => ({ type: 'dtl', rules: { default: rules } })
/** Ten large ones of each. */
const one = ['dict', '_id', ['concat', '_S._id', '-', ['string', '_.']], 'text', large]
const fan = dtl(['create', ['map', one, ['range', 0, 10]]], ['discard'])

describe('what is made of a batch', () => {
  it.each([
    ['by a program', {}, fan],
    ['by the second of two programs', {}, [dtl(['copy', '*']), fan]],
    ['by a program whose output is traced', { trace_output: true }, fan],
  ])('is stored in parts: %s', async (_, more, transform) => {
    const here = await world()
    await here.put('in', ...[1, 2, 3, 4, 5].map((n) => ({ _id: `e${n}` })))
    const config = { source: { type: 'dataset', dataset: 'in' }, transform, ...more }
    expect(await here.run(config)).toMatchObject({ outcome: 'completed', read: 5, changes: 50 })
    expect(here.count()).toBe(50)
    // What one source entity becomes is told as a whole where it is traced.
    const most = 'trace_output' in more ? 10 * large.length + MOST : MOST
    expect(here.sizes.length).toBeGreaterThan(3)
    expect(Math.max(...here.sizes)).toBeLessThan(most)
    expect(await here.run(config)).toMatchObject({ read: 0, changes: 0 })
  })

  it('is made again as a whole when a part of it cannot be stored', async () => {
    const here = await world()
    await here.put('in', { _id: 'e1' }, { _id: 'e2' }, { _id: 'e3', bad: true })
    const failing = (program: unknown) => ({
      source: { type: 'dataset', dataset: 'in' },
      transform: [dtl(['if', ['eq', '_S.bad', true], program], ['copy', '*']), fan],
    })
    expect(await here.run(failing(['fail!', 'not yet']))).toMatchObject({ outcome: 'failed' })
    expect(await here.run(failing(['comment', 'now']))).toMatchObject({ outcome: 'completed', read: 3 })
    expect(here.count()).toBe(30)
  })

  it('is kept small by what depends on a change, too', async () => {
    const here = await world()
    await here.put('in', ...Array.from({ length: 60 }, (_, n) => ({ _id: `e${n}`, of: 'o', text: large })))
    await here.put('other', { _id: 'o', t: 1 })
    const config = {
      source: { type: 'dataset', dataset: 'in' },
      transform: dtl(
        ['copy', '*'],
        ['add', 't', ['hops', { datasets: ['other o'], where: ['eq', '_S.of', 'o._id'], return: 'o.t' }]],
      ),
    }
    await here.run(config)
    await here.put('other', { _id: 'o', t: 2 })
    here.sizes.splice(0)
    expect(await here.run(config)).toMatchObject({ outcome: 'completed', changes: 60 })
    expect(Math.max(...here.sizes)).toBeLessThan(MOST)
  })
})

describe('a batch of large entities is small', () => {
  it('where they are merged', async () => {
    const here = await world()
    await here.put('in', ...Array.from({ length: 30 }, (_, n) => ({ _id: `a${n}`, k: n, text: large })))
    await here.put('other', ...Array.from({ length: 30 }, (_, n) => ({ _id: `b${n}`, k: n, text: large })))
    const source = { type: 'merge', version: 2, datasets: ['in a', 'other b'], equality: [['eq', 'a.k', 'b.k']] }
    expect(await here.run({ source })).toMatchObject({ outcome: 'completed', changes: 30 })
    expect(Math.max(...here.sizes)).toBeLessThan(MOST)
  })

  it('where what is gone is deleted', async () => {
    const here = await world()
    await here.put('in', ...Array.from({ length: 20 }, (_, n) => ({ _id: `e${n}`, n, text: large })))
    const program = (rule: unknown) => ({
      source: { type: 'dataset', dataset: 'in' },
      transform: dtl(['copy', '*'], rule),
    })
    await here.run(program(['comment', 'all']))
    here.sizes.splice(0)
    expect(await here.run(program(['discard', ['lte', '_S.n', 0]]), 'rescan')).toMatchObject({ deletionTracked: 19 })
    expect(Math.max(...here.sizes)).toBeLessThan(MOST)
  })

  it.each([
    {
      source: csvSource,
      config: { type: 'csv', url: 'x', primary_key: 'id' },
      body: ['id,text', ...Array.from({ length: 20 }, (_, n) => `e${n},${large}`)].join('\n'),
    },
    {
      source: rdfSource,
      config: { type: 'rdf', system: 's', url: 'x' },
      body: Array.from({ length: 20 }, (_, n) => `<urn:e${n}> <http://x/text> "${large}" .\n`).join(''),
    },
  ])('where they are read from a file: $config.type', async ({ source, config, body }) => {
    const server = await startFakeServer()
    const system = openUrlSystem({ url_pattern: `${server.url}%s` })
    server.on('/x', text(body))
    const around: Surroundings = surroundings({ '': system, s: system }, { batchSize: 1_000, batchBytes: BOUND })
    const open = source.open as (config: unknown, surroundings: Surroundings) => ReturnType<typeof source.open>
    const { batches, entities, error } = await readAll(
      open(configured(source.config, config), around).read(null, never),
    )
    await system.close()
    await server.close()
    expect([error, entities.length]).toEqual([undefined, 20])
    const bytes = batches.map((batch) => batch.entities.reduce((sum, entity) => sum + writeJson(entity).length, 0))
    expect(Math.max(...bytes)).toBeLessThan(MOST)
  })
})
