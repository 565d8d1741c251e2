import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Literal, Parser, Store } from 'n3'
import { expect, test } from 'vitest'
import { readMapped } from '../../examples/demo/compile/compile.ts'
import { mappingFiles } from '../../examples/demo/compile/files.ts'
import { readModel } from '../../examples/demo/compile/model.ts'

const TM = 'https://w3id.org/samtale/model#'
const OWL = 'http://www.w3.org/2002/07/owl#'
const RDFS = 'http://www.w3.org/2000/01/rdf-schema#'
const SKOS = 'http://www.w3.org/2004/02/skos/core#'
const WIKIDATA = 'http://www.wikidata.org/'

const turtle = readFileSync(join(import.meta.dirname, '../../ontology/model.ttl'), 'utf8')
const store = new Store(new Parser().parse(turtle))
const { classes, properties } = readModel(turtle)
const terms = [...classes, ...properties.keys()]
const objects = (name: string, predicate: string) => store.getObjects(TM + name, predicate, null)

test('every class and property has a label in English and in Norwegian, and says what it means', () => {
  for (const name of terms) {
    const languages = objects(name, `${RDFS}label`).map((label) => (label as Literal).language)
    expect(languages.sort(), name).toEqual(['en', 'nb'])
    expect(objects(name, `${RDFS}comment`), name).toHaveLength(1)
  }
})

test('a property that is the same in Wikidata is not also merely close to it', () => {
  for (const name of properties.keys()) {
    const same = objects(name, `${OWL}equivalentProperty`).filter(({ value }) => value.startsWith(WIKIDATA))
    const close = ['closeMatch', 'narrowMatch'].flatMap((match) => objects(name, SKOS + match))
    const closeThere = close.filter(({ value }) => value.startsWith(WIKIDATA))
    expect(same.length === 0 || closeThere.length === 0, name).toBe(true)
  }
})

test('domains and ranges are classes of the model', () => {
  for (const [name, { domain, leadsTo }] of properties) {
    for (const other of [domain, leadsTo]) if (other !== null) expect(classes, name).toContain(other)
  }
})

test('the mappings use all properties of the model, apart from what the compiler itself adds', () => {
  const { mappings, tables } = readMapped(mappingFiles())
  const used = [...mappings.values()].flatMap(({ master, parts }) => [
    ...[master, ...parts].flatMap((entity) => entity.properties.map(({ is }) => is)),
    ...parts.map(({ is }) => is),
  ])
  const added = ['statedIn', ...[...tables.values()].map(({ is }) => is)]
  expect([...new Set([...used, ...added])].sort()).toEqual([...properties.keys()].sort())
})
