import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GraphSettings } from '../../src/graph/contract.ts'
import { Projection } from '../../src/graph/projection.ts'
import { defaultGraphOf, follow, projected, quadsOf, rebuilt, sampleLog, settingsOf } from './sample.ts'

describe('the graph', () => {
  it('kept up to date equals the graph rebuilt from the log', { timeout: 60_000 }, async () => {
    const value = fc.oneof(
      fc.constantFrom(
        null,
        true,
        1,
        1.5,
        '~f1.50',
        '~f1.5',
        'a',
        'a\n"\\\u0000',
        '~:crm:2',
        '~t2020-01-01',
        [],
        ['b', 'a', 'a'],
      ),
      fc.constantFrom({ x: 1 }, { x: { y: 1 } }, [{ x: 1 }, {}, { x: 2 }], ['~:crm:1', '~:crm:3']),
    )
    const entity = fc.record(
      {
        _id: fc.constantFrom('crm:1', 'crm:2', 'crm:3', 'x/y z', 'å'),
        _deleted: fc.constantFrom(true, false, false),
        name: value,
        $ids: fc.constantFrom('~:crm:1', ['~:crm:2', '~:erp:1']),
        'rdf:type': fc.constant('~:ex:Person'),
      },
      { requiredKeys: ['_id'] },
    )
    const dataset = fc.constantFrom('a', 'b', 'c')
    const act = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.tuple(fc.constant('write' as const), dataset, fc.array(entity, { minLength: 1, maxLength: 4 })),
      },
      { weight: 3, arbitrary: fc.tuple(fc.constant('follow' as const)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('delete' as const), dataset) },
      {
        weight: 1,
        arbitrary: fc.tuple(
          fc.constant('configure' as const),
          fc.uniqueArray(
            fc.record({
              id: dataset,
              global: fc.boolean(),
              pipe: fc.constantFrom(null, 'p'),
              derivedFrom: fc.constantFrom([], ['s']),
            }),
            { selector: ({ id }) => id },
          ),
        ),
      },
    )
    const log = await sampleLog()
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
        for (const id of ['a', 'b', 'c']) await log.deleteDataset(id)
        let settings = settingsOf(projected('a', { global: true }), projected('b', { global: true }), projected('c'))
        const projection = new Projection(settings)
        for (const [what, given, entities] of acts) {
          if (what === 'write') await log.write(given, ...entities)
          else if (what === 'delete') await log.deleteDataset(given)
          else if (what === 'configure') {
            settings = settingsOf(...given)
            projection.configure(settings)
          } else follow(projection, log.log)
        }
        follow(projection, log.log)
        const fresh = rebuilt(settings, log.log)
        expect(quadsOf(projection)).toEqual(quadsOf(fresh))
        projection.graph.count()
        expect(projection.graph.quads).toBe(quadsOf(fresh).length)
      }),
      { numRuns: 60 },
    )
  })

  it('never counts too few quads', async () => {
    const log = await sampleLog()
    const settings = settingsOf(projected('a', { global: true }), projected('b', { global: true }))
    const projection = new Projection(settings)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('a', 'b'),
        fc.constantFrom('1', '2'),
        fc.array(fc.constantFrom('x', 'y', 'z')),
        fc.boolean(),
        async (dataset, _id, tags, _deleted) => {
          await log.write(dataset, { _id, tags, _deleted })
          follow(projection, log.log)
          expect(projection.graph.quads).toBeGreaterThanOrEqual(quadsOf(projection).length)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe("an entity's graph", () => {
  it('holds what it says, and where that comes from', async () => {
    const log = await sampleLog()
    await log.write('people', { _id: 'crm:1', name: 'Kari', employer: '~:erp:7' })
    const projection = rebuilt(settingsOf(projected('people', { pipe: 'people-pipe', derivedFrom: ['crm'] })), log.log)
    const lines = quadsOf(projection).map((line) => line.replaceAll('http://hub.example', ''))
    expect(lines.map((line) => line.replace(/"20[^"]*Z"/, '"now"'))).toEqual(
      [
        '</graph/people/crm%3A1> <http://purl.org/dc/terms/isPartOf> </dataset/people> G',
        '</graph/people/crm%3A1> <http://www.w3.org/ns/prov#generatedAtTime> "now"^^<http://www.w3.org/2001/XMLSchema#dateTime> G',
        '</graph/people/crm%3A1> <http://www.w3.org/ns/prov#wasDerivedFrom> </dataset/crm> G',
        '</graph/people/crm%3A1> <http://www.w3.org/ns/prov#wasGeneratedBy> </pipe/people-pipe> G',
        '</graph/people/crm%3A1> <https://w3id.org/samtale/hub#sequence> "0"^^<http://www.w3.org/2001/XMLSchema#integer> G',
        '</id/crm/1> </ns#employer> </id/erp/7> G',
        '</id/crm/1> </ns#name> "Kari" G',
      ].map((line) => line.replace(/G$/, '</graph/people/crm%3A1> .')),
    )
  })

  it('of a merged entity says that its members are the same, and what it is derived from', async () => {
    const log = await sampleLog()
    await log.write('global-person', { _id: 'crm:1', $ids: ['~:crm:1', '~:erp:7'] })
    const projection = rebuilt(settingsOf(projected('global-person', { global: true })), log.log)
    const same = '</id/erp/7> <http://www.w3.org/2002/07/owl#sameAs> </id/crm/1> .'
    expect(defaultGraphOf(projection)).toContain(same)
    const lines = quadsOf(projection).map((line) => line.replaceAll('http://hub.example', ''))
    expect(lines).toContain(same.replace(/\.$/, '</graph/global-person/crm%3A1> .'))
    expect(lines).toContain(
      '</graph/global-person/crm%3A1> <http://www.w3.org/ns/prov#wasDerivedFrom> </id/erp/7> </graph/global-person/crm%3A1> .',
    )
  })

  it('disappears with the entity', async () => {
    const log = await sampleLog()
    const settings = settingsOf(projected('a'))
    await log.write('a', { _id: '1', x: 1 }, { _id: '2', x: 1 })
    const projection = rebuilt(settings, log.log)
    await log.write('a', { _id: '1', _deleted: true })
    follow(projection, log.log)
    const graphs = projection.graph.store.query('SELECT ?g { GRAPH ?g {} }', { results_format: 'csv' })
    expect(graphs).toBe('g\r\nhttp://hub.example/graph/a/2\r\n')
  })

  it('is left alone when another entity changes', async () => {
    const log = await sampleLog()
    await log.write('a', ...Array.from({ length: 2_000 }, (_, i) => ({ _id: `${i}`, name: `n${i}`, tag: 'same' })))
    const projection = rebuilt(settingsOf(projected('a', { global: true })), log.log)
    await log.write('a', { _id: '7', name: 'other', tag: 'same' })
    follow(projection, log.log)
    // The name in its graph and the default graph, and the sequence and the time about the graph.
    expect(projection.graph.removed).toBe(4)
  })
})

describe('the default graph', () => {
  const settings = settingsOf(projected('a', { global: true }), projected('b', { global: true }), projected('c'))

  it('holds what global entities say, once each, and nothing else', async () => {
    const log = await sampleLog()
    await log.write('a', { _id: 'x:1', name: 'A' })
    await log.write('b', { _id: 'x:1', name: 'A', city: 'B' })
    await log.write('c', { _id: 'x:1', secret: 'C' })
    expect(defaultGraphOf(rebuilt(settings, log.log))).toEqual([
      '</id/x/1> </ns#city> "B" .',
      '</id/x/1> </ns#name> "A" .',
    ])
  })

  it('loses a statement when no global entity holds it any more', async () => {
    const log = await sampleLog()
    await log.write('a', { _id: 'x:1', name: 'A' })
    await log.write('b', { _id: 'x:1', name: 'A' })
    await log.write('c', { _id: 'x:1', name: 'A' })
    const projection = rebuilt(settings, log.log)
    await log.write('a', { _id: 'x:1', name: 'B' })
    expect(defaultGraphOf(follow(projection, log.log))).toEqual([
      '</id/x/1> </ns#name> "A" .',
      '</id/x/1> </ns#name> "B" .',
    ])
    await log.write('b', { _id: 'x:1', _deleted: true })
    expect(defaultGraphOf(follow(projection, log.log))).toEqual(['</id/x/1> </ns#name> "B" .'])
  })

  it('keeps a statement that goes from one entity to another in the same batch', async () => {
    const log = await sampleLog()
    await log.write('a', { _id: '1', $ids: '~:m' }, { _id: '2' })
    const projection = rebuilt(settings, log.log)
    await log.write('a', { _id: '1' }, { _id: '2', $ids: '~:m' })
    const lines = defaultGraphOf(follow(projection, log.log))
    expect(lines).toContain('</id//m> <http://www.w3.org/2002/07/owl#sameAs> </id//2> .')
    expect(lines).not.toContain('</id//m> <http://www.w3.org/2002/07/owl#sameAs> </id//1> .')
  })
})

describe('the budget', () => {
  const entities = (count: number) => Array.from({ length: count }, (_, i) => ({ _id: `${i}`, a: i, b: 'b', c: 'c' }))
  const withBudget = (budget: number, settings: GraphSettings): GraphSettings => ({ ...settings, budget })
  const leftOut = (projection: Projection) =>
    projection
      .progress()
      .filter(({ isLeftOut }) => isLeftOut)
      .map(({ id }) => id)

  it('leaves out the datasets that matter least, and never more than it must', async () => {
    const log = await sampleLog()
    await log.write('big', ...entities(300))
    await log.write('small', ...entities(10))
    await log.write('first', ...entities(20))
    // Six quads an entity, three of them twice in a global dataset.
    const settings = withBudget(
      500,
      settingsOf(projected('first', { global: true }), projected('big'), projected('small')),
    )
    const projection = rebuilt(settings, log.log)
    expect(leftOut(projection)).toEqual(['big'])
    expect(quadsOf(projection)).toHaveLength(20 * 9 + 10 * 6)
    expect(projection.graph.quads).toBe(20 * 9 + 10 * 6)
  })

  it('is kept while datasets grow: the last gives way to the first', async () => {
    const log = await sampleLog()
    await log.write('first', ...entities(10))
    await log.write('last', ...entities(50))
    const settings = withBudget(500, settingsOf(projected('first'), projected('last')))
    const projection = rebuilt(settings, log.log)
    expect(leftOut(projection)).toEqual([])
    await log.write('first', ...entities(60))
    follow(projection, log.log)
    expect(leftOut(projection)).toEqual(['last'])
    expect(quadsOf(projection)).toHaveLength(60 * 6)
    await log.write('first', ...entities(100))
    follow(projection, log.log)
    expect(leftOut(projection)).toEqual(['first', 'last'])
    expect(quadsOf(projection)).toEqual([])
  })
})
