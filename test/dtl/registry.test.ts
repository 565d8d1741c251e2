/** The registries: complete, as the language says, and every example true. */

import { describe, expect, it } from 'vitest'
import { arityOf } from '../../src/dtl/binding.ts'
import { compileDtl } from '../../src/dtl/compile.ts'
import { chapters, functions } from '../../src/dtl/functions/index.ts'
import { functionReference, transformReference } from '../../src/dtl/reference.ts'
import type { Example, TransformExample } from '../../src/dtl/syntax.ts'
import { transforms } from '../../src/dtl/transforms/index.ts'
import { type Dict, dictOf, entries, get } from '../../src/model/dict.ts'
import { builtinNamespaces } from '../../src/model/iri.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { contextOf, datasetsOf, memoryLookup } from './memory-lookup.ts'
import { deprecatedSignatures, functionSignatures, transformSignatures } from './signatures.ts'

const settings = {
  pipe: 'example',
  namespacedIdentifiers: false,
  namespaces: { identity: 'example', property: 'example' },
  prefixes: builtinNamespaces,
}

const raw = (text: string) => parseJson(text, { transit: false })

function runExample({ dtl, source, rules, datasets }: Example): Value {
  const others = rules === undefined ? [] : entries(raw(rules) as Dict)
  const program = dictOf({ rules: dictOf([['default', [['add', 'result', raw(dtl)]]], ...others]), id_required: false })
  const { transform, problems } = compileDtl(program, settings)
  if (transform === null) throw new Error(JSON.stringify(problems))
  const lookup = memoryLookup(datasetsOf(datasets === undefined ? undefined : (parseJson(datasets) as Dict)))
  const entity = dictOf([['_id', '1'], ...entries(parseJson(source ?? '{}') as Dict)])
  const [target] = transform.apply(entity, contextOf(lookup))
  return get(target as Dict, 'result') as Value
}

function runTransforms({ dtl, source }: TransformExample): Value {
  const { transform, problems } = compileDtl(dictOf({ rules: dictOf({ default: raw(dtl) }) }), settings)
  if (transform === null) throw new Error(JSON.stringify(problems))
  const emitted = transform.apply(parseJson(source) as Dict, contextOf(memoryLookup(new Map())))
  const id = get(parseJson(source) as Dict, '_id')
  return emitted.find((entity) => get(entity, '_id') === id) ?? null
}

describe('the registry of functions', () => {
  it('has every function of the language', () => {
    const all = [...Object.keys(functionSignatures), ...Object.keys(deprecatedSignatures)].sort()
    expect(all.length).toBe(155)
    expect([...functions.keys()].sort()).toEqual(all)
  })

  it('has the arities and behaviour classes of the language', () => {
    const signatures = { ...functionSignatures, ...deprecatedSignatures }
    for (const definition of functions.values()) {
      const [least, most, behaviour] = signatures[definition.name] as readonly [number, number, string]
      expect([definition.name, ...arityOf(definition), definition.behaviour]).toEqual([
        definition.name,
        least,
        most,
        behaviour,
      ])
    }
  })

  it('says what to use instead of each deprecated function, and of no other', () => {
    for (const { name, deprecated } of functions.values())
      expect([name, deprecated !== undefined]).toEqual([name, name in deprecatedSignatures])
  })

  it('names each function once, with a sentence and examples', () => {
    expect(Object.values(chapters).flat().length).toBe(functions.size)
    for (const { name, summary, examples } of functions.values()) {
      expect(summary, name).toMatch(/^[A-Z].*\.$/)
      expect(examples.length, name).toBeGreaterThan(0)
    }
  })

  for (const [chapter, definitions] of Object.entries(chapters)) {
    it(`gives what the examples of "${chapter}" say`, () => {
      for (const { examples } of definitions) {
        for (const example of examples)
          expect(`${example.dtl} → ${writeJson(runExample(example))}`).toBe(
            `${example.dtl} → ${writeJson(parseJson(example.gives))}`,
          )
      }
    })
  }
})

describe('the registry of transforms', () => {
  it('has every transform of the language', () => {
    expect([...transforms.keys()].sort()).toEqual(Object.keys(transformSignatures).sort())
  })

  it('has the arities of the language', () => {
    for (const definition of transforms.values()) {
      const [least, most] = transformSignatures[definition.name] as readonly [number, number, string]
      expect([definition.name, ...arityOf(definition)]).toEqual([definition.name, least, most])
    }
  })

  for (const { name, examples } of transforms.values()) {
    it(`does what the examples of ${name} say`, () => {
      expect(examples.length).toBeGreaterThan(0)
      for (const example of examples)
        expect(`${example.dtl} → ${writeJson(runTransforms(example))}`).toBe(
          `${example.dtl} → ${writeJson(parseJson(example.gives))}`,
        )
    })
  }
})

describe('the reference', () => {
  it('shows each signature as it is written', () => {
    const signature = (name: string) => functionReference().find((entry) => entry.name === name)?.signatures
    expect(signature('slice')).toEqual(['["slice", START, END?, STRIDE?, VALUES]'])
    expect(signature('dict')).toEqual(['["dict"]', '["dict", ITEMS]', '["dict", KEY, VALUE, …]'])
    expect(signature('combine')).toEqual(['["combine", VALUES, …]'])
    expect(signature('case')).toEqual(['["case", VALUE, THEN, …, ELSE?]'])
    expect(transformReference().map((entry) => entry.name)).toContain('add-if')
  })
})
