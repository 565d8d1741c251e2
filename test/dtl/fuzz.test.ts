/** Whatever the arguments, a function gives a value, null or a typed error: never a crash, `undefined` or a stall. */

import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arityOf, bind } from '../../src/dtl/binding.ts'
import { compileDtl } from '../../src/dtl/compile.ts'
import { DtlError } from '../../src/dtl/errors.ts'
import { functions } from '../../src/dtl/functions/index.ts'
import type { Parameter } from '../../src/dtl/syntax.ts'
import { transforms } from '../../src/dtl/transforms/index.ts'
import { type Dict, dictOf, entries, get, nameOf, newDict, storedKeys } from '../../src/model/dict.ts'
import { Decimal, Float, isDict, isList, NI, Typed, URI, UUID, type Value } from '../../src/model/value.ts'
import { openPgp } from '../../src/pipes/open-pgp.ts'
import { value } from './arbitraries.ts'
import { contextOf, memoryLookup } from './memory-lookup.ts'
import { namespaced, plain } from './settings.ts'

const odd: fc.Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: value },
  fc.constantFrom<Value>(
    new Float(-0),
    new Float(1e300),
    5e-324,
    -1e-7,
    10n ** 40n,
    -(2n ** 64n),
    new Decimal(1n, 400),
    new Decimal(-(10n ** 300n), 0),
    2_147_483_648,
    -2_147_483_649,
    '\ud800',
    'ab\udc00\ud83d',
    '*'.repeat(50),
    'a'.repeat(5_000),
    '1e99999',
    '0x',
    '-',
    '{"a": [1, {"b": "~:x"}]}',
    '%e3%81%82%zz%',
    new NI(''),
    new URI('no-slash'),
    new UUID('abc98f65-ddf5-1234-a8f5-82f6d8e69726'),
    [[[[null]]]],
    dictOf([
      ['', 1],
      ['constructor', [null]],
      ['3', dictOf([['toString', 1]])],
      ['__proto__', 'p'],
    ]),
    Array.from({ length: 200 }, (_, at) => at),
  ),
)

/** Throws where a value is not one of the model. */
function mustBeValue(given: unknown, depth = 0): void {
  if (given === null || typeof given === 'string' || typeof given === 'boolean') return
  if (typeof given === 'number') {
    if (!Number.isFinite(given) || (Number.isInteger(given) && !Number.isSafeInteger(given)))
      throw new Error(`no value: ${given}`)
    return
  }
  if (typeof given === 'bigint') {
    if (given >= -9007199254740991n && given <= 9007199254740991n) throw new Error(`a small bigint: ${given}`)
    return
  }
  if (given instanceof Float) {
    if (!Number.isInteger(given.value)) throw new Error(`a Float with a fraction: ${given.value}`)
    return
  }
  if (given instanceof Decimal) {
    if (given.scale < 0 || !Number.isInteger(given.scale)) throw new Error(`a scale of ${given.scale}`)
    return
  }
  if (given instanceof Typed) return
  if (isList(given as Value)) {
    const list = given as readonly Value[]
    for (let at = 0; at < list.length; at++) mustBeValue(list[at], depth + 1)
    return
  }
  if (typeof given !== 'object' || !isDict(given as Value)) throw new Error(`no value: ${String(given)}`)
  for (const key of storedKeys(given as Dict)) mustBeValue(get(given as Dict, nameOf(key)), depth + 1)
}

const before = dictOf({ _id: '1', v0: 1 })
const context = () => contextOf(lookup, newDict(), { previous: () => before, openPgp, pause: () => {} })
const lookup = memoryLookup(new Map([['things', [dictOf({ _id: 't', a: 1 })]]]))
const hopsSpec = dictOf({ datasets: ['things t'], where: ['eq', '_S.v0', 't.a'] })

/** Constants that have to be right for a program to run. */
const constants: Readonly<Record<string, string>> = {
  ALGORITHM: 'murmur3',
  FORMAT_STRING: 'international',
  DATEPART: 'month',
  TIMEZONE_NAME: 'America/New_York',
  FROM_TIMEZONE: 'Europe/Oslo',
  TO_TIMEZONE: 'Asia/Kolkata',
  FORMATSTRING: '%e%H%m%Y %f%z',
}

const rsa = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const secrets: Readonly<Record<string, string>> = {
  KEY: 'password',
  PUBLIC_KEY: rsa.publicKey,
  PRIVATE_KEY: rsa.privateKey,
  PASSPHRASE: 'phrase',
  DEFAULT_REGION: 'NO',
}

/** An argument in a program: values come from the source, so that nothing is known before. */
function argument({ kind, name }: Parameter, place: number, given: Value): Value {
  switch (kind) {
    case 'function-expression':
    case 'default-value-expression':
      return place % 2 === 0 ? '_.' : ['list', '_.', `_S.v${place}`]
    case 'constant-string':
      return constants[name] ?? 'things'
    case 'constant-integer':
      return 5
    case 'constant string or dict':
      return 'things'
    case 'wildcard-string-list':
      return typeof given === 'string' ? given : 'a*'
    case 'rule-id':
      return 'other'
    case 'hops-spec':
      return hopsSpec
    case 'any':
      return ['literal', given]
    case 'transforms':
      return [['add', 'x', `_S.v${place}`]]
    case 'string':
      return secrets[name] !== undefined && typeof given !== 'string' ? ['literal', secrets[name]] : `_S.v${place}`
    default:
      return `_S.v${place}`
  }
}

function attempt(rules: Dict, source: Dict, settings = plain): void {
  const { transform, problems } = compileDtl(dictOf({ rules, id_required: false }), settings)
  if (transform === null) {
    expect(problems.some(({ level }) => level === 'error')).toBe(true)
    return
  }
  try {
    for (const emitted of transform.apply(source, context())) mustBeValue(emitted)
  } catch (error) {
    if (!(error instanceof DtlError)) throw error
    expect(['bad-argument', 'too-much-work', 'bad-id', 'fail', 'trip']).toContain(error.code)
    expect(error.pointer).not.toBe('')
  }
}

const sourceOf = (given: readonly Value[]): Dict =>
  dictOf([['_id', '1'] as const, ...given.map((one, at) => [`v${at}`, one] as const)])
const settings = fc.constantFrom(plain, namespaced)
const RUNS = 120

describe('every function', () => {
  for (const definition of functions.values()) {
    it(`${definition.name} takes whatever it is given`, () => {
      const [least, most] = arityOf(definition)
      const counts = Array.from({ length: 8 }, (_, at) => at).filter((count) => bind(definition, count) !== null)
      expect(counts.length).toBeGreaterThan(0)
      const property = fc.property(
        fc.constantFrom(...counts),
        fc.array(odd, { minLength: 8, maxLength: 8 }),
        settings,
        fc.boolean(),
        (count, given, chosen, isConstant) => {
          const parameters = bind(definition, count)?.parameters as readonly Parameter[]
          const args = parameters.map((parameter, at) => {
            const written = argument(parameter, at, given[at] as Value)
            return isConstant && written === `_S.v${at}` ? ['literal', given[at] as Value] : written
          })
          attempt(
            dictOf({ default: [['add', '::r', [definition.name, ...args]]], other: [['copy', '*']] }),
            sourceOf(given),
            chosen,
          )
        },
      )
      fc.assert(property, { numRuns: RUNS })
      for (const count of [least - 1, most + 1].filter((one) => one >= 0 && one < 20)) {
        const { problems } = compileDtl(
          dictOf({ rules: dictOf({ default: [['add', 'r', [definition.name, ...Array(count).fill(1)]]] }) }),
          plain,
        )
        expect(problems.some(({ level, pointer }) => level === 'error' && pointer === '/rules/default/0/2')).toBe(true)
      }
    })
  }
})

describe('every transform', () => {
  for (const definition of transforms.values()) {
    it(`${definition.name} takes whatever it is given`, () => {
      const counts = Array.from({ length: 8 }, (_, at) => at).filter((count) => bind(definition, count) !== null)
      const property = fc.property(
        fc.constantFrom(...counts),
        fc.array(odd, { minLength: 8, maxLength: 8 }),
        settings,
        (count, given, chosen) => {
          const parameters = bind(definition, count)?.parameters as readonly Parameter[]
          const args = parameters.map((parameter, at) => argument(parameter, at, given[at] as Value))
          attempt(
            dictOf({
              default: [
                ['copy', 'v1'],
                [definition.name, ...args],
              ],
            }),
            sourceOf(given),
            chosen,
          )
        },
      )
      fc.assert(property, { numRuns: RUNS })
    })
  }
})

describe('the compiler', () => {
  it('answers any JSON with a program or with problems', () => {
    const name = fc.constantFrom(...functions.keys(), ...transforms.keys(), '_S.a', '_.', 'b.a', '_P._S', "_S.'")
    const anything = fc.letrec<{ any: Value; list: Value; dict: Value }>((tie) => ({
      any: fc.oneof({ maxDepth: 5 }, value, name, tie('list'), tie('list'), tie('dict')),
      list: fc
        .tuple(fc.oneof(name, value), fc.array(tie('any'), { maxLength: 4 }))
        .map(([head, rest]) => [head, ...rest]),
      dict: fc
        .array(fc.tuple(fc.constantFrom('datasets', 'where', 'return', 'subsets', 'recurse', 'a'), tie('any')), {
          maxLength: 4,
        })
        .map((pairs) => dictOf(pairs)),
    }))
    const rules = fc.oneof(
      anything.any,
      fc
        .array(fc.tuple(fc.constantFrom('default', 'a'), fc.oneof(anything.any, fc.array(anything.list))), {
          maxLength: 2,
        })
        .map((pairs) => dictOf(pairs)),
    )
    fc.assert(
      fc.property(rules, settings, (given, chosen) => {
        const { transform, problems } = compileDtl(dictOf({ rules: given }), chosen)
        expect(transform === null).toBe(problems.some(({ level }) => level === 'error'))
        for (const { pointer } of problems) expect(pointer === '' || pointer.startsWith('/rules')).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })

  it('finds what each pointer points at', () => {
    const program = dictOf({
      rules: dictOf({
        default: [
          ['add', 'x', ['uper', '_S.a']],
          ['if', true, [['cpy', '*']]],
        ],
      }),
    })
    for (const { pointer } of compileDtl(program, plain).problems) {
      const found = pointer
        .split('/')
        .slice(1)
        .reduce<Value>(
          (at, part) => (isList(at) ? (at[Number(part)] as Value) : (get(at as Dict, part) as Value)),
          program,
        )
      expect(isList(found)).toBe(true)
    }
    expect(entries(program).length).toBe(1)
  })
})
