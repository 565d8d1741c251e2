/** Which pipes are called exact, and why others are not. */

import { describe, expect, it } from 'vitest'
import { deploy } from '../../src/hub/deployment.ts'

type Json = Readonly<Record<string, unknown>>

const reasons = (config: Json, ...others: Json[]): string[] => {
  const all = [config, ...others].map((one) => JSON.stringify({ type: 'pipe', ...one }))
  const deployed = deploy(all, '{}', null).pipes.get(config._id as string)
  if (!deployed?.pipe) throw new Error(JSON.stringify(deployed?.problems))
  return deployed.inexact.map(({ kind, pointer }) => `${kind} ${pointer}`)
}

const a = { _id: 'a', source: { type: 'embedded', entities: [] } }
const b = { _id: 'b', source: { type: 'embedded', entities: [] } }
const reading = (rules: unknown, more: Json = {}) => ({
  _id: 'p',
  source: { type: 'dataset', dataset: 'a' },
  transform: { type: 'dtl', rules: Array.isArray(rules) ? { default: rules } : rules },
  ...more,
})
/** Of a pipe that reads a dataset through these rules. */
const of = (rules: unknown, more: Json = {}) => reasons(reading(rules, more), a, b)

const hop = { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }
const living = ['filter', ['neq', '_S._deleted', true]]

describe('a pipe is exact', () => {
  it('when each entity becomes one with its own id, or is filtered', () => {
    expect(
      of([
        ['copy', '*'],
        ['filter', ['eq', '_S.a', 1]],
        ['add', 'x', ['upper', '_S.b']],
      ]),
    ).toEqual([])
    expect(reasons({ _id: 'p', source: { type: 'dataset', dataset: 'a' } }, a)).toEqual([])
  })

  it('when the id is made of that of the source, before anything is filtered', () => {
    expect(
      of([
        ['add', '_id', ['concat', 'x-', '_S._id', '!']],
        ['filter', '_S.a'],
      ]),
    ).toEqual([])
  })

  it('when the source is read in full each time, whatever the rules leave behind', () => {
    const create = ['create', ['dict', '_id', ['concat', 'a-', '_S._id']]]
    const rules = [['if', '_S.a', create], ['add', 'h', ['hops', hop]], ['discard']]
    expect(of(rules, { pump: { rescan_run_count: 1 } })).toEqual([])
    expect(of(rules, { source: { type: 'embedded', entities: [] } })).toEqual([])
    // Of two entities with one id each run writes one over the other, for ever.
    expect(of([['add', '_id', '_S.name']], { pump: { rescan_run_count: 1 } })).toEqual([
      'id /transform/rules/default/0',
    ])
  })

  it('when it creates under ids of its own, discards the rest, and traces what it makes', () => {
    const create = (prefix: string) => ['create', ['dict', '_id', ['concat', prefix, '_S._id'], 'x', '_S.x']]
    const alive = ['discard', ['neq', '_S._deleted', true]]
    const traced = { trace_output: true }
    expect(of([alive, create('a-'), ['if', '_S.b', create('b-')], ['discard']], traced)).toEqual([])
    expect(
      of(
        [
          ['copy', '*'],
          ['discard', '_S.a'],
        ],
        traced,
      ),
    ).toEqual([])
    // The one may be what the other makes of another entity, or an entity itself.
    const at = '/transform/rules/default'
    expect(of([alive, create('a-'), create('a-b'), ['discard']], traced)).toEqual([
      `shared-id ${at}/1`,
      `shared-id ${at}/2`,
    ])
    expect(of([alive, create('a-')], traced)).toEqual([`shared-id ${at}/1`])
    // Who is filtered deletes what has its id, whoever made it.
    expect(of([living, create('a-'), ['discard']], traced)).toEqual([`shared-id ${at}/1`])
    const rules = { default: [alive, ['create', ['apply', 'one', '_S.']], ['discard']], one: [['copy', '*']] }
    expect(of(rules, traced)).toEqual([])
  })

  it('when it merges by rules', () => {
    const source = { type: 'merge', version: 2, datasets: ['a a', 'b b'], equality: [['eq', 'a.x', 'b.x']] }
    expect(of([['copy', '*']], { source })).toEqual([])
  })

  it('when it is made for whoever asks', () => {
    expect(of([['discard', '_S.a']], { sink: { type: 'http_endpoint' } })).toEqual([])
  })
})

describe('a pipe is not exact', () => {
  const at = '/transform/rules/default'

  it('when a rule discards', () => {
    expect(
      of([
        ['copy', '*'],
        ['if', '_S.a', ['discard']],
      ]),
    ).toEqual([`discard ${at}/1/2`])
  })

  it('when the id is computed, conditional, or removed', () => {
    expect(of([['add', '_id', '_S.name']])).toEqual([`id ${at}/0`])
    expect(of([['add', '_id', ['lower', '_S._id']]])).toEqual([`id ${at}/0`])
    expect(of([['add', '_id', ['concat', '_S._id', '-x']]])).toEqual([`id ${at}/0`])
    expect(of([['add', '_id', ['concat', ':', '_S._id']]])).toEqual([`id ${at}/0`])
    expect(of([['add', '_id', ['concat', 'x', '_S._id', '_S.a']]])).toEqual([`id ${at}/0`])
    expect(of([['if', '_S.a', ['add', '_id', ['concat', 'x-', '_S._id']]]])).toEqual([`id ${at}/0/2`])
    expect(of([['add-if', '_id', '_S.name']])).toEqual([`id ${at}/0`])
    expect(of([['rename', 'name', '_id']])).toEqual([`id ${at}/0`])
    expect(of([['make-ni', 'x', 'name', '_id']])).toEqual([`id ${at}/0`])
    expect(
      of([
        ['remove', '_*'],
        ['rename', 'name', '_id'],
      ]),
    ).toContain(`id ${at}/0`)
    expect(of([['add', '_S.name', 1]])).toEqual([`id ${at}/0`, `deleted ${at}/0`])
    expect(
      of([
        ['add', '_id', ['concat', 'x-', '_S._id']],
        ['copy', '*'],
      ]),
    ).toContain(`id ${at}/1`)
  })

  it('when what is filtered has another id than before', () => {
    expect(
      of([
        ['filter', '_S.a'],
        ['add', '_id', ['concat', 'x-', '_S._id']],
      ]),
    ).toEqual([`id ${at}/1`])
  })

  it('when it creates, for it neither deletes what it no longer creates nor knows who else does', () => {
    const create = ['create', '_S.lines']
    expect(of([living, create])).toEqual([`discard ${at}/1`, `shared-id ${at}/1`])
    expect(of([create])).toEqual([`discard ${at}/0`, `shared-id ${at}/0`, `deleted ${at}/0`])
  })

  it('when something living may come of a deleted entity', () => {
    expect(of([['add', '_deleted', '_S.gone']])).toEqual([`deleted ${at}/0`])
    expect(of([['remove', '_deleted']])).toEqual([`deleted ${at}/0`])
    expect(
      of([
        ['copy', '*'],
        ['add', '_deleted', true],
      ]),
    ).toEqual([])
  })

  it('when it depends on the time, chance, history or what the hub keeps', () => {
    const add = (value: unknown) => of([['add', 'x', value]])
    expect(add(['now'])).toEqual([`time ${at}/0/2`])
    expect(add(['string', ['uuid']])).toEqual([`chance ${at}/0/2/1`])
    expect(add(['is-changed', '_.a'])).toEqual([`history ${at}/0/2`])
    expect(add(['completeness', 'a', 'a'])).toContain(`history ${at}/0/2`)
    expect(add(['ni', '_S.uri'])).toEqual([`history ${at}/0/2`])
    expect(add('_S._ts')).toEqual([`internal ${at}/0/2`])
  })

  it('when no change of what it reads is followed back', () => {
    expect(of([['add', 'x', ['lookup-entity', 'b', '_S.x']]])).toEqual(['hop /transform/rules/default/0/2'])
    const untracked = { ...hop, 'track-dependencies': false }
    expect(of([['add', 'x', ['hops', untracked]]])).toEqual(['hop /transform/rules/default/0/2/1'])
    expect(of([['add', 'x', ['hops', hop]]])).toEqual([])
  })

  it('when it reads what it makes, itself or by way of others', () => {
    const own = { ...hop, datasets: ['p b'] }
    expect(of([['add', 'x', ['hops', own]]])).toContain('cycle /transform')
    const back = { _id: 'a', source: { type: 'dataset', dataset: 'p' } }
    expect(reasons(reading([['copy', '*']]), back)).toEqual(['cycle /source'])
    expect(reasons(back, reading([['copy', '*']]))).toEqual(['cycle /source'])
  })

  it('when nobody populates what it hops to', () => {
    const never = { ...b, sink: { type: 'dataset', dataset: 'b', set_initial_offset: 'never' } }
    const pipe = reading([['add', 'x', ['hops', hop]]], { pump: { rescan_run_count: 1 } })
    expect(reasons(pipe, a)).toEqual(['unpopulated /transform'])
    expect(reasons(pipe, a, never)).toEqual(['unpopulated /transform'])
  })

  it('when its source leaves things out, or says only what is new', () => {
    const copy = [['copy', '*']]
    expect(of(copy, { source: { type: 'dataset', dataset: 'a', include_replaced: false } })).toEqual([
      'source /source/include_replaced',
    ])
    expect(of(copy, { source: { type: 'embedded', entities: [], supports_since: true } })).toEqual(['source /source'])
    const first = { type: 'merge', version: 2, datasets: ['a a', 'b b'], identity: 'first' }
    expect(of(copy, { source: first })).toEqual(['shared-id /source/identity'])
  })

  it('when its sink keeps or refuses versions', () => {
    const sink = (more: Json) => of([['copy', '*']], { sink: { type: 'dataset', dataset: 'p', ...more } })
    expect(sink({ deletion_tracking: false })).toEqual(['sink /sink/deletion_tracking'])
    expect(sink({ prevent_multiple_versions: 'ignore' })).toEqual(['sink /sink/prevent_multiple_versions'])
    expect(sink({ enable_optimistic_locking: true })).toEqual(['sink /sink/enable_optimistic_locking'])
    expect(sink({ suppress_filtered: true })).toEqual(['sink /sink/suppress_filtered'])
    expect(sink({ track_children: true })).toEqual(['history /sink/track_children'])
  })

  it('when an entity that fails is given up', () => {
    expect(of([['copy', '*']], { pump: { max_write_errors_in_retry_dataset: 5 } })).toEqual([
      'failure /pump/max_write_errors_in_retry_dataset',
    ])
  })

  it('when namespaces are added or removed, since ids may become the same', () => {
    const copy = [['copy', '*']]
    expect(of(copy, { namespaced_identifiers: true, add_namespaces: true })).toEqual(['shared-id /add_namespaces'])
    expect(of(copy, { namespaced_identifiers: true, remove_namespaces: true })).toEqual([
      'shared-id /remove_namespaces',
    ])
  })

  it('when a second transform gives another id, since what was filtered before keeps its own', () => {
    const dtl = (...rules: unknown[]) => ({ type: 'dtl', rules: { default: rules } })
    const transform = [dtl(['copy', '*']), dtl(['add', '_id', ['concat', 'x-', '_S._id']])]
    expect(of([], { transform })).toEqual(['id /transform/1'])
  })

  it('when what it holds is not the hub’s to compute', () => {
    expect(reasons({ _id: 'p', source: { type: 'http_endpoint' } })).toEqual(['outside /source'])
  })
})
