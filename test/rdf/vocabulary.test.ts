import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseRdf } from '../../src/rdf/parse.ts'
import { hub } from '../../src/rdf/vocabulary.ts'

const root = new URL('../../', import.meta.url)
const source = (path: string): string => readFileSync(new URL(path, root), 'utf8')

describe("the hub's own vocabulary", () => {
  it('holds the terms that the hub writes, and no others', async () => {
    const described = new Set<string>()
    for await (const { subject } of parseRdf('turtle', [source('ontology/hub.ttl')], 'http://base/')) {
      if (subject.value.startsWith(hub.namespace)) described.add(subject.value.slice(hub.namespace.length))
    }
    const written = new Set(Object.values(hub).map((iri) => iri.slice(hub.namespace.length)))
    written.delete('')
    for (const path of readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts')) continue
      for (const [, term] of source(`src/${path}`).matchAll(/(?<=\s)hub:([A-Za-z]+) \$\{/g)) written.add(term as string)
    }
    expect([...described].sort()).toEqual([...written].sort())
  })
})
