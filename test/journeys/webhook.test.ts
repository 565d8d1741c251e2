/** A change that a system pushes is everywhere within a second: two pipes, a merge, then SPARQL and GraphQL. */

import { expect, it } from 'vitest'
import { liveHub } from './live-hub.ts'

const hub = liveHub()

const pipe = (_id: string, source: object, more: object = {}) => ({ _id, type: 'pipe', source, ...more })
const dtl = (...rules: unknown[]) => ({ transform: { type: 'dtl', rules: { default: rules } } })

const configuration = [
  pipe('crm-person', { type: 'http_endpoint' }),
  pipe(
    'clean-person',
    { type: 'dataset', dataset: 'crm-person' },
    dtl(['copy', '_id'], ['add', 'email', ['lower', '_S.mail']], ['add', 'name', '_S.name']),
  ),
  pipe('erp-person', { type: 'embedded', entities: [{ _id: 'erp-1', email: 'kari@example.com', customer: 17 }] }),
  pipe('same-person', {
    type: 'merge',
    version: 2,
    datasets: ['clean-person c', 'erp-person e'],
    equality: [['eq', 'c.email', 'e.email']],
    identity: 'first',
    strategy: 'compact',
  }),
  pipe(
    'global-person',
    { type: 'dataset', dataset: 'same-person' },
    { metadata: { global: true }, ...dtl(['copy', '*']) },
  ),
]

const query = 'SELECT ?name { ?s <http://127.0.0.1:9042/ns#customer> 17 ; <http://127.0.0.1:9042/ns#name> ?name }'

async function inSparql(): Promise<string | undefined> {
  const { body } = await hub.ask('POST', '/sparql', query, 'application/sparql-query')
  return body.results?.bindings[0]?.name.value
}

async function inGraphql(): Promise<string | undefined> {
  const question = '{ globalPersonList(filter: { customer: { eq: 17 } }) { nodes { name } } }'
  const { body } = await hub.ask('POST', '/graphql', { query: question })
  return body.data?.globalPersonList.nodes[0]?.name
}

it('a pushed change is in the answers of SPARQL and GraphQL within a second', async () => {
  expect((await hub.configure(configuration)).body).toEqual({ validation_errors: [] })
  const change = async (name: string): Promise<number> => {
    const startedAt = performance.now()
    await hub.push('crm-person', [{ _id: 'crm-1', mail: 'Kari@Example.com', name }])
    for (const answer of [inSparql, inGraphql]) {
      await expect.poll(answer, { timeout: 20_000, interval: 5 }).toBe(name)
    }
    return performance.now() - startedAt
  }
  // The first one waits for everything to be populated, and for the schema to be made.
  await change('Kari')
  const times: number[] = []
  for (const name of ['Kari N.', 'Kari Nordmann', 'Kari Hansen', 'Kari']) times.push(await change(name))
  const median = times.sort((a, b) => a - b)[2]
  expect(median).toBeLessThan(1_000)
  expect(await hub.live('global-person')).toHaveLength(1)
})
