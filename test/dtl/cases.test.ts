/** The test vectors of the language: every case, but those that the file says cannot be run as they are. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { toDouble } from '../../src/dtl/arithmetic.ts'
import { compileDtl } from '../../src/dtl/compile.ts'
import type { DtlSettings } from '../../src/dtl/contract.ts'
import { DtlError } from '../../src/dtl/errors.ts'
import { canonicalText } from '../../src/model/canonical.ts'
import { copyOf, type Dict, dictOf, entries, get, has, newDict, remove, set } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { builtinNamespaces } from '../../src/model/iri.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { equals } from '../../src/model/order.ts'
import { Decimal, Float, isDict, isList, isTrue, type Value } from '../../src/model/value.ts'
import { contextOf, datasetsOf, memoryLookup } from './memory-lookup.ts'

interface Case {
  readonly id: string
  readonly fn: string
  /** Strings decoded, and as they are: programs are read from configuration without decoding. */
  readonly decoded: Dict
  readonly raw: Dict
}

function casesIn(file: string): readonly Case[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  const tagged = get(parseJson(text) as Dict, 'cases') as readonly Dict[]
  const untagged = get(parseJson(text, { transit: false }) as Dict, 'cases') as readonly Dict[]
  return tagged.map((decoded, place) => ({
    id: get(decoded, 'id') as string,
    fn: get(decoded, 'fn') as string,
    decoded,
    raw: untagged[place] as Dict,
  }))
}

function settingsOf(raw: Dict): DtlSettings {
  const given = (get(raw, 'settings') as Dict | undefined) ?? newDict()
  const namespaces = (get(given, 'namespaces') as Dict | undefined) ?? newDict()
  const pipe = (get(given, 'pipe_id') as string | undefined) ?? 'test-pipe'
  const own = (get(given, 'namespaces_default') as Dict | undefined) ?? newDict()
  return {
    pipe,
    namespacedIdentifiers: get(given, 'namespaced_identifiers') === true,
    namespaces: {
      identity: (get(namespaces, 'identity') as string | undefined) ?? pipe,
      property: (get(namespaces, 'property') as string | undefined) ?? pipe,
    },
    prefixes: { ...builtinNamespaces, ...(Object.fromEntries(entries(own)) as Record<string, string>) },
  }
}

interface Ran {
  readonly outcome: string
  readonly target: Dict | undefined
  readonly emitted: readonly Entity[]
}

/** The program of a case: a target given beforehand, and an id where there is none, are put there by the program itself. */
function rulesOf({ raw, decoded }: Case): Dict {
  const rules = copyOf((get(raw, 'rules') as Dict | undefined) ?? newDict())
  const target = entries((get(decoded, 'target') as Dict | undefined) ?? newDict())
  const start = target.map(([name, value]) => ['add', `::${name}`, ['literal', value]])
  if (!has(get(raw, 'source') as Dict, '_id')) start.unshift(['add', '::_id', 'case'])
  const given =
    get(raw, 'kind') === 'expr'
      ? [['add', '::_result', get(raw, 'expr') as Value]]
      : (get(rules, 'default') as readonly Value[])
  set(rules, 'default', [...start, ...given])
  return rules
}

function run(one: Case): Ran {
  const { raw, decoded } = one
  const program = dictOf({ type: 'dtl', id_required: false, rules: rulesOf(one) })
  const { transform, problems } = compileDtl(program, settingsOf(raw))
  if (transform === null) throw new Error(JSON.stringify(problems))
  const source = get(decoded, 'source') as Dict
  const context = contextOf(
    memoryLookup(datasetsOf(get(decoded, 'datasets') as Dict | undefined)),
    (get(decoded, 'bound') as Dict | undefined) ?? newDict(),
    { previous: () => (get(decoded, 'previous') as Entity | undefined) ?? null },
  )
  try {
    const all = [...transform.apply(source, context)]
    // The target is the last one, with the id it started with, unless none was emitted.
    const last = all.at(-1)
    const emitted = (get(decoded, 'emitted') as readonly Entity[] | undefined) ?? []
    const target = all.length > emitted.length ? last : undefined
    const outcome = target === undefined ? 'discarded' : get(target, '_filtered') === true ? 'filtered' : 'emitted'
    return { outcome, target, emitted: all.slice(0, emitted.length) }
  } catch (error) {
    if (!(error instanceof DtlError && (error.code === 'fail' || error.code === 'trip'))) throw error
    return { outcome: `${error.code}!`, target: undefined, emitted: [] }
  }
}

/** As the case's `match` says: exactly, types included; numbers by value; numbers within 1e-6. */
function matches(actual: Value, expected: Value, match: Value | undefined): boolean {
  if (match === undefined) return canonicalText(actual) === canonicalText(expected)
  if (match === 'numeric') return equals(actual, expected)
  if (isList(actual) && isList(expected)) {
    return (
      actual.length === expected.length &&
      actual.every((value, place) => matches(value, expected[place] as Value, match))
    )
  }
  const numeric = (value: Value) => typeof value === 'number' || value instanceof Float || value instanceof Decimal
  if (!numeric(actual) || !numeric(expected)) return false
  return Math.abs(toDouble(actual as number) - toDouble(expected as number)) <= 1e-6
}

/** What is different, or null. */
function difference(one: Case): string | null {
  const { decoded, raw } = one
  const expected = get(get(raw, 'expect_encoding') === 'json' ? raw : decoded, 'expect')
  const { outcome, target, emitted } = run(one)
  const wanted = (get(raw, 'outcome') as string | undefined) ?? 'emitted'
  if (outcome !== wanted) return `outcome ${outcome} instead of ${wanted}`
  const wantedEmitted = get(decoded, 'emitted')
  if (wantedEmitted !== undefined && !matches(emitted, wantedEmitted, undefined)) return `emitted ${writeJson(emitted)}`
  if (expected === undefined) return null
  let actual: Value = target ?? null
  if (get(raw, 'kind') === 'expr') actual = get(target as Dict, '_result') as Value
  else if (isDict(actual) && isDict(expected) && !has(expected, '_id')) {
    actual = copyOf(actual)
    remove(actual, '_id')
  }
  return matches(actual, expected, get(raw, 'match')) ? null : `${writeJson(actual)} instead of ${writeJson(expected)}`
}

const cases = casesIn('./dtl-cases.json')
const runnable = cases.filter(({ raw }) => !has(raw, 'skip'))

describe('the test vectors of the language', () => {
  it('are all there, and run unless the file says why they cannot', () => {
    expect(cases.length).toBe(669)
    expect(runnable.length).toBe(651)
  })

  holdFor(runnable)

  it('know a false result when they see one', () => {
    expect(isTrue(matches(1, new Float(1), undefined))).toBe(false)
    expect(matches(1, new Float(1), 'numeric')).toBe(true)
    expect(matches([1.5], [1.6], 'approx')).toBe(false)
  })
})

/** A choice where the specification leaves one, and what its sentences mean at their edges. */
describe('our own test vectors', () => {
  holdFor(casesIn('./own-cases.json'))
})

/** For choices that the specification makes where its source is silent: written from its sentences, one or more for each. */
describe('the choices of the specification', () => {
  holdFor(casesIn('./choices.json'))
})

function holdFor(all: readonly Case[]): void {
  for (const fn of new Set(all.map((one) => one.fn))) {
    const own = all.filter((one) => one.fn === fn)
    it(`hold for ${fn} (${own.length})`, () => {
      const wrong = own.flatMap((one) => {
        const found = difference(one)
        return found === null ? [] : [`${one.id}: ${found}`]
      })
      expect(wrong).toEqual([])
    })
  }
}
