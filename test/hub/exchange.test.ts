import fc from 'fast-check'
import { expect, it } from 'vitest'
import { datasetExport, importQuads } from '../../src/hub/exchange.ts'
import { dictOf } from '../../src/model/dict.ts'
import { idOf } from '../../src/model/entity.ts'
import { writeJson } from '../../src/model/json.ts'
import type { FormatName } from '../../src/rdf/formats.ts'
import { parseRdf } from '../../src/rdf/parse.ts'
import { prefixesOf } from '../../src/rdf/prefixes.ts'
import { writeRdf } from '../../src/rdf/write.ts'
import { entity as anyEntity } from '../rdf/arbitrary.ts'
import { deploy, live, openHub, stored } from './running-hub.ts'

const FORMATS: readonly FormatName[] = ['turtle', 'trig', 'n-triples', 'n-quads', 'json-ld']

/** The log knows no empty id. */
const entity = anyEntity.filter((one) => idOf(one) !== '')

it('gives back through every format what was exported, in a fresh dataset', async () => {
  const { tenant } = await openHub()
  await deploy(tenant, {
    _id: 'node',
    type: 'metadata',
    namespaces: { default: { wd: 'http://www.wikidata.org/entity/', 'crm-person': 'https://crm.example/people#' } },
  })
  let round = 0
  const hashes = async (dataset: string) =>
    Object.fromEntries((await stored(tenant, dataset)).map(({ _id, _hash }) => [_id, _hash]))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(entity, { minLength: 5, maxLength: 20, selector: idOf }), async (entities) => {
      const from = `from-${++round}`
      await tenant.write(from, entities)
      const expected = await hashes(from)
      for (const format of FORMATS) {
        const texts = writeRdf(format, datasetExport(tenant, from), prefixesOf(tenant.naming()))
        const to = `to-${round}-${format}`
        const imported = await importQuads(tenant, to, parseRdf(format, texts, tenant.base))
        expect(imported, format).toEqual({ read: entities.length, changes: entities.length, disagreeing: 0 })
        expect(await hashes(to), `${format}: ${entities.map((one) => writeJson(one))}`).toEqual(expected)
      }
    }),
    { numRuns: 15 },
  )
})

it('takes the statements of an edited export, and says of how many', async () => {
  const { tenant } = await openHub()
  await tenant.write('a', [dictOf({ _id: 'x:1', list: [2, 1] }), dictOf({ _id: 'x:2', list: [2, 1] })])
  let text = ''
  for await (const part of writeRdf('n-triples', datasetExport(tenant, 'a'))) text += part
  const edited = text.replace(
    '/id/x/1> <http://127.0.0.1:9042/ns#list> "2"',
    '/id/x/1> <http://127.0.0.1:9042/ns#list> "3"',
  )
  expect(edited).not.toBe(text)
  const imported = await importQuads(tenant, 'a', parseRdf('n-triples', [edited], tenant.base))
  expect(imported).toEqual({ read: 2, changes: 1, disagreeing: 1 })
  expect(await live(tenant, 'a')).toEqual([
    { _id: 'x:1', list: [1, 3] },
    { _id: 'x:2', list: [2, 1] },
  ])
})
