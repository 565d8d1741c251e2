import { describe, expect, it, onTestFinished } from 'vitest'
import type { GraphAnswer, GraphQuery, GraphSettings } from '../../src/graph/contract.ts'
import { type GraphOptions, openGraph } from '../../src/graph/graph.ts'
import { BASE, projected, type SampleLog, sampleLog, settingsOf } from './sample.ts'

const settings = settingsOf(projected('people', { global: true }))

function opened(log: SampleLog, options: Partial<GraphOptions> = {}) {
  const graph = openGraph({ path: log.path, feed: log.writer.feed, ...options })
  onTestFinished(() => graph.close())
  const ask = (query: string, rest: Partial<GraphQuery> = {}): Promise<GraphAnswer> =>
    graph.query({ query, accept: 'text/csv', timeoutMs: 5_000, maxRows: 1_000, ...rest })
  return { graph, ask }
}

/** A log with some people, and its graph, ready. */
async function ready(count = 3, given: GraphSettings = settings) {
  const log = await sampleLog()
  await log.write('people', ...Array.from({ length: count }, (_, i) => ({ _id: `p:${i}`, name: `n${i}` })))
  const lost: string[] = []
  const { graph, ask } = opened(log, { onLost: (reason) => lost.push(reason) })
  graph.configure(given)
  expect(await graph.caughtUp(20_000)).toBe(true)
  return { log, graph, ask, lost }
}

const NAMES = `SELECT ?n { ?s <${BASE}/ns#name> ?n } ORDER BY ?n`
/** A product of five times everything: no machine lives to see its end. */
const ENDLESS = 'SELECT (COUNT(*) AS ?c) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }'

describe('the graph in its thread', () => {
  it('is not ready before it has what the log held, and says so', async () => {
    const log = await sampleLog()
    await log.write('people', { _id: 'p:1', name: 'a' })
    const { graph, ask } = opened(log)
    await expect(ask(NAMES)).rejects.toMatchObject({ code: 'graph-not-ready' })
    expect(graph.status().state).toBe('loading')
    graph.configure(settings)
    await expect(ask(NAMES)).rejects.toMatchObject({ code: 'graph-not-ready' })
    expect(await graph.caughtUp(20_000)).toBe(true)
    expect((await ask(NAMES)).body).toBe('n\r\na\r\n')
    expect(graph.status()).toEqual({
      state: 'ready',
      quads: 5,
      budget: 1_000_000,
      lag: 0,
      leftOut: [],
      offsets: { people: 0 },
    })
    await graph.close()
    expect(graph.status().state).toBe('stopped')
  })

  it('follows the log: what was committed before is there when it says so', async () => {
    const { log, graph, ask } = await ready(1)
    for (let i = 0; i < 20; i++) {
      await log.write('people', { _id: 'p:0', name: `changed ${i}` })
      expect(await graph.caughtUp(5_000)).toBe(true)
      expect((await ask(NAMES)).body).toBe(`n\r\nchanged ${i}\r\n`)
    }
    await log.write('people', { _id: 'p:0', _deleted: true })
    expect(await graph.caughtUp(5_000)).toBe(true)
    expect((await ask(NAMES)).body).toBe('n\r\n')
  })

  it('takes another configuration without going away', async () => {
    const { log, graph, ask } = await ready(1)
    await log.write('other', { _id: 'o:1', name: 'other' })
    graph.configure(settingsOf(projected('people', { global: true }), projected('other', { global: true })))
    expect(await graph.caughtUp(5_000)).toBe(true)
    expect((await ask(NAMES)).body).toBe('n\r\nn0\r\nother\r\n')
    graph.configure(settingsOf(projected('other', { global: true })))
    expect(await graph.caughtUp(5_000)).toBe(true)
    expect((await ask(NAMES)).body).toBe('n\r\nother\r\n')
  })

  it('is loaded anew beside the old one when everything gets other names', async () => {
    const { graph, ask } = await ready(1)
    const named = `SELECT ?n { ?s <http://names.example/name> ?n }`
    graph.configure({ ...settings, properties: { name: 'http://names.example/name' } })
    const deadline = Date.now() + 10_000
    // Until the other takes over, the former one answers.
    while ((await ask(named)).body === 'n\r\n' && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await ask(named)).body).toBe('n\r\nn0\r\n')
    expect((await ask(NAMES)).body).toBe('n\r\n')
  })

  it('gets a fresh thread when so much was replaced that its store is worn out', async () => {
    const log = await sampleLog()
    const people = (round: number) => Array.from({ length: 50 }, (_, i) => ({ _id: `p:${i}`, name: `${round}-${i}` }))
    await log.write('people', ...people(0))
    const { graph, ask } = opened(log, { wornOutAt: 400 })
    graph.configure(settings)
    expect(await graph.caughtUp(20_000)).toBe(true)
    for (let round = 1; round <= 6; round++) {
      await log.write('people', ...people(round))
      expect(await graph.caughtUp(10_000)).toBe(true)
      // It answers all the time, and never with something older.
      expect((await ask(`SELECT ?n { ?s <${BASE}/ns#name> ?n FILTER(STRSTARTS(?n, "${round}-")) }`)).rows).toBe(50)
    }
    const graphs = `SELECT ?g { GRAPH ?g { ?g <http://purl.org/dc/terms/isPartOf> ?d } }`
    expect((await ask(graphs)).rows).toBe(50)
  })

  it('passes on what is wrong with a query', async () => {
    const { ask } = await ready(1)
    await expect(ask('SELECT * {')).rejects.toMatchObject({
      name: 'GraphError',
      code: 'query-invalid',
      details: { line: 1 },
    })
    await expect(ask('CLEAR ALL')).rejects.toMatchObject({ code: 'update-refused' })
  })

  it('tells which datasets the budget leaves out', async () => {
    const log = await sampleLog()
    await log.write('people', { _id: 'p:1', name: 'a' })
    await log.write('big', ...Array.from({ length: 50 }, (_, i) => ({ _id: `${i}`, a: 1 })))
    const { graph } = opened(log)
    graph.configure({ ...settingsOf(projected('people'), projected('big')), budget: 100 })
    expect(await graph.caughtUp(20_000)).toBe(true)
    expect(graph.status()).toMatchObject({ state: 'ready', leftOut: ['big'], quads: 4, lag: 0 })
  })
})

describe('a query without end', () => {
  it('costs its thread and nothing else: the graph is rebuilt, and that query refused', {
    timeout: 60_000,
  }, async () => {
    const { graph, ask, lost } = await ready(200)
    const before = Date.now()
    const endless = ask(ENDLESS, { timeoutMs: 500 })
    const waiting = ask(NAMES)
    await expect(endless).rejects.toMatchObject({ code: 'query-timeout' })
    await expect(waiting).rejects.toMatchObject({ code: 'graph-lost' })
    expect(Date.now() - before).toBeLessThan(3_000)
    expect(lost).toEqual(['timeout'])
    await expect(ask(NAMES)).rejects.toMatchObject({ code: 'graph-not-ready' })
    expect(graph.status().state).toBe('rebuilding')
    expect(await graph.caughtUp(20_000)).toBe(true)
    expect((await ask(NAMES)).rows).toBe(200)
    await expect(ask(ENDLESS)).rejects.toMatchObject({ code: 'query-refused' })
  })

  it('that only waits is not to blame', async () => {
    const { ask, lost } = await ready(200)
    const slow = ask(ENDLESS, { timeoutMs: 1_000 })
    const waiting = ask(NAMES, { timeoutMs: 200 })
    await expect(waiting).rejects.toMatchObject({ code: 'graph-not-ready' })
    await expect(slow).rejects.toMatchObject({ code: 'query-timeout' })
    expect(lost).toEqual(['timeout'])
  })
})

describe('a store that breaks', () => {
  it('is rebuilt, and the query that did it refused', { timeout: 60_000 }, async () => {
    const { graph, ask, lost } = await ready(3)
    // Thousands of patterns in a row run over the stack of the planner.
    const breaking = `SELECT * { ${'?s ?p ?o . '.repeat(5_000)} }`
    await expect(ask(breaking)).rejects.toMatchObject({ code: 'graph-lost' })
    expect(lost).toEqual(['broken'])
    expect(await graph.caughtUp(20_000)).toBe(true)
    expect((await ask(NAMES)).rows).toBe(3)
    await expect(ask(breaking)).rejects.toMatchObject({ code: 'query-refused' })
  })

  it('is not broken by deep nesting', async () => {
    const { ask } = await ready(1)
    await expect(ask(`SELECT * ${'{'.repeat(5_000)}${'}'.repeat(5_000)}`)).rejects.toMatchObject({
      code: 'query-invalid',
      details: { line: 1 },
    })
    expect((await ask(NAMES)).rows).toBe(1)
  })
})
