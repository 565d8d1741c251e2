/** The language on one thread: programs beside the same by hand and in JSONata, a hop into LMDB, W3 in memory, and compiling. */

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import jsonata from 'jsonata'
import { compileDtl, compileIndex } from '../../src/dtl/compile.ts'
import type { DtlSettings, DtlTransform, IndexSpec, Lookup, RunContext } from '../../src/dtl/contract.ts'
import { EntityPacker } from '../../src/log/batch.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { indexKey } from '../../src/model/canonical.ts'
import { newDict } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { builtinNamespaces } from '../../src/model/iri.ts'
import { fromPlain, parseJson, writeJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { FoundBefore, lookupAt } from '../../src/pipes/lookup.ts'
import { ReadPosition } from '../../src/pipes/position.ts'
import { company, country, type PlainEntity, persons, range } from './data.ts'
import { type Figure, inTurn, mustEqual } from './measure.ts'
import { transformWithIvm } from './peers/ivm.ts'
import { ENRICH, enrichByHand } from './w3-transform.ts'

const COUNT = 50_000
const COMPANIES = 10_000
/** JSONata takes much longer: of fewer entities. */
const FEW = 2_000

const SETTINGS: DtlSettings = {
  pipe: 'bench',
  namespacedIdentifiers: false,
  namespaces: { identity: 'bench', property: 'bench' },
  prefixes: builtinNamespaces,
}

const NOWHERE: Lookup = { joined: () => [], entity: () => undefined }
const contextOf = (lookup: Lookup): RunContext => ({ lookup, now: () => 0n, uuid: () => '', bound: newDict() })

function compiled(rules: unknown): DtlTransform {
  const { transform, problems } = compileDtl(fromPlain({ type: 'dtl', rules }), SETTINGS)
  if (transform === null) throw new Error(JSON.stringify(problems))
  return transform
}

const entitiesOf = (plain: readonly PlainEntity[]): Entity[] =>
  plain.map((one) => parseJson(JSON.stringify(one)) as Entity)

/** Of the entities as JSON, in their order, names sorted. */
function digestOf(made: Iterable<unknown>): string {
  const digest = createHash('md5')
  for (const one of made)
    digest.update(JSON.stringify(Object.entries(one as object).sort(([a], [b]) => (a < b ? -1 : 1))))
  return digest.digest('hex')
}

const plainly = (made: readonly Entity[]): unknown[] => made.map((one) => JSON.parse(writeJson(one)))

function run(transform: DtlTransform, sources: readonly Entity[], context: RunContext): Entity[] {
  const made: Entity[] = []
  for (const source of sources) for (const one of transform.apply(source, context)) made.push(one)
  return made
}

/** Work per second of what makes `count` entities. */
function rate(count: number, work: () => unknown): number {
  const startedAt = performance.now()
  work()
  return (count / (performance.now() - startedAt)) * 1_000
}

interface Comparison {
  readonly name: string
  readonly target: number
  readonly rules: unknown
  readonly byHand: (one: PlainEntity) => object
  readonly inJsonata: string
}

const TEN = range(10, (n) => n)

/** Forty functions of many kinds; each line is one property. */
const MIXED: readonly (readonly [
  name: string,
  dtl: unknown,
  byHand: (one: PlainEntity) => unknown,
  inJsonata: string,
])[] = range(
  5,
  (n) =>
    [
      [
        `name${n}`,
        ['concat', ['upper', '_S.crm:first'], ' ', ['lower', '_S.crm:last']],
        ({ 'crm:first': a, 'crm:last': b }: PlainEntity) => `${String(a).toUpperCase()} ${String(b).toLowerCase()}`,
        `$uppercase(\`crm:first\`) & " " & $lowercase(\`crm:last\`)`,
      ],
      [
        `long${n}`,
        ['if', ['gt', ['length', '_S.crm:email'], 20 + n], 'long', 'short'],
        ({ 'crm:email': a }: PlainEntity) => (String(a).length > 20 + n ? 'long' : 'short'),
        `$length(\`crm:email\`) > ${20 + n} ? "long" : "short"`,
      ],
      [
        `tags${n}`,
        ['join', '-', ['sorted', ['union', '_S.crm:tags', ['list', 'z']]]],
        ({ 'crm:tags': a }: PlainEntity) => [...(a as string[]), 'z'].sort().join('-'),
        `$join($sort($append(\`crm:tags\`, "z")), "-")`,
      ],
    ] as const,
).flat() as never

const comparisons: readonly Comparison[] = [
  {
    name: 'copy and ten adds',
    target: 200_000,
    rules: { default: [['copy', '*'], ...TEN.map((n) => ['add', `added${n}`, '_S.crm:city'])] },
    byHand: (one) => {
      const city = one['crm:city']
      return {
        ...one,
        added0: city,
        added1: city,
        added2: city,
        added3: city,
        added4: city,
        added5: city,
        added6: city,
        added7: city,
        added8: city,
        added9: city,
      }
    },
    inJsonata: `$merge([$, {${TEN.map((n) => `"added${n}": \`crm:city\``).join(', ')}}])`,
  },
  {
    name: 'forty mixed functions',
    target: 50_000,
    rules: { default: MIXED.map(([name, dtl]) => ['add', name, dtl]) },
    byHand: (one) => {
      const made: Record<string, unknown> = { _id: one._id }
      for (const [name, , byHand] of MIXED) made[name] = byHand(one)
      return made
    },
    inJsonata: `{"_id": _id, ${MIXED.map(([name, , , text]) => `"${name}": ${text}`).join(', ')}}`,
  },
]

async function compare({ name, target, rules, byHand, inJsonata }: Comparison, rounds: number): Promise<Figure> {
  const plain = [...persons(COUNT, COMPANIES)]
  const sources = entitiesOf(plain)
  const [transform, context, expression] = [compiled(rules), contextOf(NOWHERE), jsonata(inJsonata)]
  const expected = digestOf(plain.slice(0, FEW).map(byHand))
  mustEqual(`${name}: hash`, digestOf(plainly(run(transform, sources.slice(0, FEW), context))), expected)
  const asked = await Promise.all(plain.slice(0, FEW).map((one) => expression.evaluate(one)))
  mustEqual(`${name}: hash of JSONata`, digestOf(asked), expected)
  const values = await inTurn(
    {
      dtl: () => rate(COUNT, () => run(transform, sources, context)),
      hand: () => rate(COUNT, () => plain.map(byHand)),
      jsonata: async () => {
        const startedAt = performance.now()
        for (const one of plain.slice(0, FEW)) await expression.evaluate(one)
        return (FEW / (performance.now() - startedAt)) * 1_000
      },
    },
    rounds,
  )
  return figure(name, target, values.dtl, values.hand, values.jsonata)
}

function figure(name: string, target: number, dtl: number[], hand: number[], jsonata?: number[]): Figure {
  const shown = (rates: number[]) => Math.round(rates[rates.length >> 1] as number).toLocaleString('en')
  const notes = jsonata === undefined ? [] : [`in JSONata ${shown(jsonata)} entities/s`]
  return {
    name: `DTL: ${name}`,
    unit: 'entities/s',
    values: dtl,
    target,
    peer: { name: 'by hand in TypeScript', values: hand },
    notes,
  }
}

const HOP = {
  default: [
    [
      'add',
      'company',
      [
        'hops',
        { datasets: ['company c'], where: ['eq', '_S.crm:company', ['ni', 'company', 'c._id']], return: 'c.erp:name' },
      ],
    ],
  ],
}

async function hopIntoLog(rounds: number): Promise<Figure> {
  const path = mkdtempSync(join(tmpdir(), 'samtale-bench-dtl-'))
  const plain = [...persons(COUNT, COMPANIES)]
  const transform = compiled(HOP)
  const index = transform.analysis.indexes[0]?.expression as string
  const writer = await LogWriter.open(path)
  try {
    await writer.assertDataset('company')
    const { number, indexSet } = await indexed(writer, index)
    const packer = new EntityPacker()
    const keys = compileIndex(index)
    for (const one of entitiesOf(range(COMPANIES, company))) {
      packer.add(encodeEntity(one), [[number, keys.keys(one).map((value) => indexKey(value) as Uint8Array)]])
    }
    await writer.commit({ writes: [{ dataset: 'company', entities: packer.finish(), indexSet }] })
    const log = openLog(path)
    const position = new ReadPosition(log.snapshot())
    const sources = entitiesOf(plain)
    const companies = new Map(range(COMPANIES, company).map((one) => [`~:company:${one._id}`, one]))
    const byHand = (one: PlainEntity) => ({
      _id: one._id,
      company: [companies.get(one['crm:company'] as string)?.['erp:name']],
    })
    // Nothing found before: every run reads from LMDB what it has not read itself.
    const fresh = () => contextOf(lookupAt(position, new FoundBefore()))
    mustEqual('one hop: hash', digestOf(plainly(run(transform, sources, fresh()))), digestOf(plain.map(byHand)))
    const values = await inTurn(
      {
        dtl: () => rate(COUNT, () => run(transform, sources, fresh())),
        hand: () => rate(COUNT, () => plain.map(byHand)),
      },
      rounds,
    )
    position.close()
    log.close()
    return figure('one indexed hop, the data in LMDB', 80_000, values.dtl, values.hand)
  } finally {
    await writer.close()
    rmSync(path, { recursive: true, force: true })
  }
}

async function indexed(writer: LogWriter, expression: string) {
  const document = await writer.assertIndex('company', expression, '')
  return { number: (document as { number: number }).number, indexSet: 1 }
}

/** Join indexes in memory, as maps. A program asks with the same index each time, so none is looked up by its text. */
function lookupInMemory(datasets: Readonly<Record<string, readonly Entity[]>>): Lookup {
  const indexes = new Map<IndexSpec, Map<string, Entity[]>>()
  return {
    entity: () => undefined,
    joined: (spec, keys) => {
      let index = indexes.get(spec)
      if (index === undefined) {
        index = indexInMemory(spec, datasets[spec.dataset] ?? [])
        indexes.set(spec, index)
      }
      if (keys.length === 1) return index.get(textOf(keys[0] as Value)) ?? NONE
      return keys.flatMap((key) => index.get(textOf(key)) ?? NONE)
    },
  }
}

const NONE: readonly Entity[] = []

const textOf = (value: Value) => (typeof value === 'string' ? value : writeJson(value))

function indexInMemory({ expression }: IndexSpec, entities: readonly Entity[]): Map<string, Entity[]> {
  const index = new Map<string, Entity[]>()
  const { keys } = compileIndex(expression)
  for (const entity of entities) {
    for (const key of keys(entity)) {
      const known = index.get(textOf(key))
      if (known === undefined) index.set(textOf(key), [entity])
      else known.push(entity)
    }
  }
  return index
}

async function w3InMemory(rounds: number): Promise<Figure> {
  const plain = [...persons(COUNT, COMPANIES)]
  const [companies, countries] = [range(COMPANIES, company), range(200, country)]
  const [byCompany, byCountry] = [
    new Map(companies.map((one) => [one._id, one])),
    new Map(countries.map((one) => [one._id, one])),
  ]
  const hand = () => plain.flatMap((one) => enrichByHand(one, byCompany, byCountry) ?? [])
  const transform = compiled(ENRICH.transform.rules)
  const sources = entitiesOf(plain)
  const context = contextOf(lookupInMemory({ company: entitiesOf(companies), country: entitiesOf(countries) }))
  const kept = (made: readonly unknown[]) =>
    (made as Record<string, unknown>[])
      .filter(({ _filtered }) => _filtered !== true)
      .map(({ _id, email, name, company, country }) => ({ _id, email, name, company, country }))
  mustEqual('W3 in memory: hash', digestOf(kept(plainly(run(transform, sources, context)))), digestOf(hand()))
  const byId = (made: readonly PlainEntity[]) => digestOf([...made].sort((a, b) => (a._id < b._id ? -1 : 1)))
  mustEqual('W3 in memory: hash of the peer', byId(transformWithIvm(plain, companies, countries)), byId(hand()))
  const values = await inTurn(
    {
      dtl: () => rate(COUNT, () => run(transform, sources, context)),
      hand: () => rate(COUNT, hand),
      ivm: () => rate(COUNT, () => transformWithIvm(plain, companies, countries)),
    },
    rounds,
  )
  const { notes, ...made } = figure('W3 in memory', 150_000, values.dtl, values.hand)
  const ivm = Math.round(values.ivm[values.ivm.length >> 1] as number).toLocaleString('en')
  return { ...made, notes: [...(notes ?? []), `@tanstack/db-ivm ${ivm} entities/s`] }
}

/** A thousand pipes of fifty transforms, none like the other. */
async function compiling(rounds: number): Promise<Figure> {
  const programs = range(1_000, (pipe) =>
    fromPlain({
      type: 'dtl',
      rules: {
        default: range(50, (n) =>
          n === 49
            ? [
                'add',
                'hop',
                ['hops', { datasets: [`d${pipe} d`], where: ['eq', `_S.a${n}`, 'd._id'], return: 'd.name' }],
              ]
            : [
                'add',
                `p${pipe}-${n}`,
                ['if', ['gt', `_S.a${n}`, n], ['concat', ['upper', `_S.b${n}`], '-', `_S.c${pipe}`], null],
              ],
        ),
      },
    }),
  )
  const { seconds } = await inTurn(
    {
      seconds: () => {
        const startedAt = performance.now()
        for (const program of programs) {
          if (compileDtl(program, SETTINGS).transform === null) throw new Error('It does not compile.')
        }
        return (performance.now() - startedAt) / 1_000
      },
    },
    rounds,
  )
  return { name: 'DTL: compile 1,000 pipes of 50 transforms', unit: 's', values: seconds, target: 2, isLess: true }
}

export async function dtl(rounds: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const comparison of comparisons) figures.push(await compare(comparison, rounds))
  return [...figures, await hopIntoLog(rounds), await w3InMemory(rounds), await compiling(rounds)]
}
