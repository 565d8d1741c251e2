import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile, type MappingFiles, readMapped } from '../../examples/demo/compile/compile.ts'
import { MappingError } from '../../examples/demo/compile/errors.ts'
import { mappingFiles, pretty } from '../../examples/demo/compile/files.ts'
import type { Component } from '../../examples/demo/compile/pipes.ts'
import { phoneNotations } from '../../examples/demo/world/dirt.ts'
import { generateWorld } from '../../examples/demo/world/generate.ts'
import type { Shelf } from '../../examples/demo/world/records.ts'
import { lands } from '../../examples/demo/world/words.ts'
import { compileDtl } from '../../src/dtl/compile.ts'
import type { DtlTransform, RunContext } from '../../src/dtl/contract.ts'
import { newDict } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { parseJson, toPlain } from '../../src/model/json.ts'

const files = mappingFiles()
const mapped = readMapped(files)
const components = new Map(compile(files).map((component) => [component._id, component]))
const world = generateWorld()

const context: RunContext = {
  lookup: { joined: () => [], entity: () => undefined },
  now: () => 0n,
  uuid: () => '',
  bound: newDict(),
}

function transformOf(pipe: string): DtlTransform {
  const { namespaces } = components.get('node') as unknown as { namespaces: { default: Record<string, string> } }
  const { transform, problems } = compileDtl(parseJson(JSON.stringify(componentOf(pipe).transform)), {
    pipe,
    namespacedIdentifiers: true,
    namespaces: { identity: pipe, property: pipe },
    prefixes: namespaces.default,
  })
  expect(problems).toEqual([])
  return transform as DtlTransform
}

const componentOf = (id: string): Component => components.get(id) as Component

type Plain = Readonly<Record<string, unknown>>

function apply(transform: DtlTransform, entity: unknown): Plain {
  const [made] = transform.apply(parseJson(JSON.stringify(entity)) as Entity, context)
  return toPlain(made as Entity) as Plain
}

/** As a source adds them, on the way in. */
function withNamespaces(value: unknown, namespace: string): unknown {
  if (Array.isArray(value)) return value.map((element) => withNamespaces(element, namespace))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.startsWith('_') || name.includes(':') ? name : `${namespace}:${name}`,
      withNamespaces(inner, namespace),
    ]),
  )
}

describe.each([...mapped.mappings])('the mapping of %s', (_name, mapping) => {
  test.each(mapping.tests)('$about', ({ record, gives }) => {
    const { system, datatype, master, parts } = mapping
    const source = withNamespaces({ _id: 'x:1', ...(record as object) }, `${system}-${datatype}`)
    const {
      _id,
      'rdf:type': type,
      'tm:statedIn': statedIn,
      ...made
    } = apply(transformOf(`${system}-${datatype}-enrich`), source)
    expect([type, statedIn]).toEqual([`~:tm:${master.class}`, `~:system:${system}`])
    const expected = { ...(gives as Record<string, unknown>) }
    for (const { is, class: className } of parts) {
      if (is in expected) expected[is] = { 'rdf:type': `~:tm:${className}`, ...(expected[is] as object) }
    }
    expect(made).toEqual(withNamespaces(expected, 'tm'))
  })
})

test.each([
  ['crm-organisation', world.crm.organisation],
  ['crm-person', world.crm.person],
  ['erp-organisation', world.erp.organisation],
  ['erp-contact', world.erp.contact],
  ['hr-employer', world.hr.employer],
  ['hr-person', world.hr.person],
] as const)(
  'in all records of %s the lenses find the keys that were given, however dirty',
  (kind, shelf: Shelf<Plain>) => {
    const transform = transformOf(`${kind}-enrich`)
    for (const { id, fields, secret } of shelf.values()) {
      const own = kind.startsWith('hr') ? 'hr' : kind
      const made = apply(transform, withNamespaces({ _id: `${kind}:${id}`, ...fields }, own))
      const keys = ['tm:orgNumber', 'tm:email', 'tm:phone'].flatMap((name) => made[name] ?? [])
      expect(keys).toEqual(secret.keys)
    }
  },
)

test('a phone number in any notation is one number', () => {
  const transform = transformOf('crm-person-enrich')
  const eightDigits = fc.stringMatching(/^[2-9][0-9]{7}$/)
  fc.assert(
    fc.property(eightDigits, fc.constantFrom(...phoneNotations), (digits, notation) => {
      const made = apply(transform, { _id: 'crm-person:1', 'crm-person:phone': notation(digits) })
      expect(made['tm:phone']).toBe(`+47${digits}`)
    }),
  )
})

test('what is written to the ERP is read back as the same: put, then get', () => {
  const share = transformOf('erp-organisation-share')
  const enrich = transformOf('erp-organisation-enrich')
  for (const { code } of lands) {
    const things = {
      'tm:officialName': 'Fjord Data AS',
      'tm:orgNumber': ['974760673'],
      'tm:email': ['post@fjord-data.example'],
      'tm:address': { 'rdf:type': '~:tm:PostalAddress', 'tm:postTown': 'Bergen', 'tm:country': `~:country:${code}` },
    }
    const $ids = ['~:crm-organisation:7', '~:erp-organisation:10002']
    const { _id, ...written } = apply(share, { _id: 'global-organisation:crm-organisation.7', $ids, ...things })
    expect(written).toMatchObject({ Kundenr: ['10002'], Navn: 'Fjord Data AS', Orgnr: '974760673' })
    const read = apply(enrich, withNamespaces({ _id: 'erp-organisation:10002', ...written }, 'erp-organisation'))
    expect(read).toMatchObject({ ...things, 'tm:orgNumber': '974760673', 'tm:email': 'post@fjord-data.example' })
  }
})

test('every compiled transform is a program without problems', () => {
  for (const { _id, transform } of components.values()) if (transform !== undefined) transformOf(_id)
})

test('no schedule is shorter than a minute, and what reads datasets waits for signals', () => {
  for (const { _id, type, source, pump } of components.values()) {
    if (type !== 'pipe') continue
    expect((pump as Plain).schedule_interval, _id).toBeGreaterThanOrEqual(60)
    const { type: sourceType, supports_signalling: signalled } = source as Plain
    if (sourceType === 'dataset' || sourceType === 'merge') expect(signalled, _id).toBe(true)
  }
})

test('global datasets say so', () => {
  for (const { _id, type, metadata } of components.values()) {
    if (type === 'pipe') expect((metadata as Plain | undefined)?.global === true, _id).toBe(_id.startsWith('global-'))
  }
})

test('what is written for people to read is still the same JSON', () => {
  for (const component of components.values()) expect(JSON.parse(pretty(component))).toEqual(component)
})

describe('a mistake is named with its file and place:', () => {
  const file = 'crm/person.yaml'
  test.each([
    [
      'an unknown key',
      'primaryKey: _id',
      'primarykey: _id',
      "/primarykey: Unknown key 'primarykey'. Did you mean 'primaryKey'?",
    ],
    [
      'an unknown property of the model',
      'is: givenName',
      'is: givenname',
      "has no property 'givenname'. Did you mean 'givenName'?",
    ],
    ['an unknown class', 'class: Human', 'class: Humane', "has no class 'Humane'. Did you mean 'Human'?"],
    ['an unknown lens', 'lens: [email]', 'lens: [e-mail]', "There is no lens 'e-mail'. Did you mean 'email'?"],
    [
      'a lens that is not done',
      'lens: [email]',
      'lens: [{ date: "%d" }]',
      "The lens 'date' is not supported by this version.",
    ],
    ['a key that is not done', 'lens: [email]', 'role: work', "'role' is not supported by this version."],
    ['a property mapped twice', 'is: givenName', 'is: familyName', "'familyName' is mapped twice"],
    ['a missing description', ', about: "Last name."', '', '/about: This is missing: a text.'],
    [
      'a reference to nothing',
      'to: organisation',
      'to: organization',
      "There is no mapping of 'crm/organization' to refer to.",
    ],
    ['an unknown key rule', 'keys: [email, phone]', 'keys: [mail]', "There is no key 'mail' of Human."],
    ['a word that some read as true or false', 'label: Person', 'label: yes', "'yes' must be quoted"],
    ['a region without rules', 'region: "NO"', 'region: "XX"', 'The region is not supported by this version.'],
  ])('%s', (_what, from, to, message) => {
    const text = files.files.get(file) as string
    expect(text).toContain(from)
    expect(messageOf({ ...files, files: new Map([...files.files, [file, text.replace(from, to)]]) })).toContain(message)
  })

  test('all at once', () => {
    const text = (files.files.get(file) as string)
      .replace('label: Person', 'lable: Person')
      .replace('is: phone', 'is: fone')
    const message = messageOf({ ...files, files: new Map([...files.files, [file, text]]) })
    expect(message).toContain("'lable'")
    expect(message).toContain("'fone'")
  })

  test('a connector that asks too often', () => {
    const text = (files.files.get('erp/connector.yaml') as string).replace('every: 60', 'every: 5')
    const wrong = { ...files, files: new Map([...files.files, ['erp/connector.yaml', text]]) }
    expect(messageOf(wrong)).toContain('A system is asked every 60 seconds at most.')
  })
})

function messageOf(wrong: MappingFiles): string {
  try {
    compile(wrong)
  } catch (error) {
    expect(error).toBeInstanceOf(MappingError)
    return (error as MappingError).message
  }
  return 'no mistake was found'
}
