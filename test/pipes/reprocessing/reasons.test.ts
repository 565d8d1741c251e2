import { describe, expect, it } from 'vitest'
import type { DatasetFacts, Facts } from '../../../src/pipes/reprocessing/facts.ts'
import { reasonsBetween } from '../../../src/pipes/reprocessing/reasons.ts'

const first: DatasetFacts = { generation: 'g1', restore: null, end: 100, populated: true }
const restored = (offset: number | null, uuid = 'u1', generation = 'g2', before: string | null = 'g1') => ({
  generation,
  restore: { uuid, offset, generation: before },
  end: offset === null ? 0 : offset + 1,
  populated: true,
})
const none = { fingerprint: 'f', inputs: {}, hops: {}, sink: null, outside: null }
const facts = (changed: Partial<Facts>): Facts => ({ ...none, ...changed })

/** What is said of `a` when it was read up to `reached`. */
const ofInput = (before: DatasetFacts | null, now: DatasetFacts | null, reached: number | null = 80) =>
  shortly(reasonsBetween(facts({ inputs: { a: before } }), facts({ inputs: { a: now } }), () => reached))
const ofHop = (before: DatasetFacts | null, now: DatasetFacts | null) =>
  shortly(reasonsBetween(facts({ hops: { a: before } }), facts({ hops: { a: now } }), () => null))
const ofSink = (before: DatasetFacts, now: DatasetFacts, dataset = 's') =>
  shortly(
    reasonsBetween(facts({ sink: { dataset: 's', ...before } }), facts({ sink: { dataset, ...now } }), () => null),
  )
const ofOutside = (before: DatasetFacts | null, now: DatasetFacts | null, reached: number | null = 80) =>
  shortly(reasonsBetween(facts({ outside: before }), facts({ outside: now }), () => reached))
const shortly = (reasons: ReturnType<typeof reasonsBetween>) =>
  reasons.map(({ code, action, to }) => (to === undefined ? `${code}: ${action}` : `${code}: ${action} ${to}`))

describe('what became of an input', () => {
  it('is no reason when it only grew, or was not there before', () => {
    expect(ofInput(first, { ...first, end: 200 })).toEqual([])
    expect(ofInput(null, first)).toEqual([])
    expect(ofInput(null, null)).toEqual([])
  })

  it('resets when it was made again, also when that one was restored', () => {
    expect(ofInput(first, { ...first, generation: 'g2' })).toEqual(['dataset-recreated: reset'])
    expect(ofInput(first, restored(99, 'u1', 'g3', 'g2'))).toEqual(['dataset-recreated: reset'])
  })

  it('that was restored is nothing when all that was read came with it, and else is gone back to', () => {
    expect(ofInput(first, restored(99))).toEqual([])
    expect(ofInput(first, restored(80))).toEqual([])
    expect(ofInput(first, restored(79))).toEqual(['dataset-restored: rewind 79'])
    expect(ofInput(first, restored(null))).toEqual(['dataset-restored: rewind -1'])
    expect(ofInput(first, restored(79), null)).toEqual(['dataset-restored: reset 79'])
  })

  it('is told from the restore before: once more, of what came with it', () => {
    const once = restored(99)
    expect(ofInput(once, { ...once, end: 150 })).toEqual([])
    expect(ofInput(once, restored(60, 'u2', 'g3', 'g2'))).toEqual(['dataset-restored: rewind 60'])
    // The same backup once more: of what came after the first time nothing is known.
    expect(ofInput(once, restored(99, 'u2', 'g3', 'g1'))).toEqual(['dataset-recreated: reset'])
  })

  it('of a hub that keeps the generation of what it restores is told by the restore alone', () => {
    expect(ofOutside(first, restored(79, 'u1', 'g1', null))).toEqual(['dataset-restored: rewind 79'])
    expect(ofOutside(first, restored(99, 'u1', 'g1', null))).toEqual([])
    expect(ofOutside(null, first)).toEqual([])
    expect(ofOutside(first, null)).toEqual([])
    expect(ofOutside(first, { ...first, generation: 'g2' })).toEqual(['dataset-recreated: reset'])
  })

  it('is said when it ends before what was read, and when it is gone', () => {
    expect(ofInput(first, { ...first, end: 81 })).toEqual([])
    expect(ofInput(first, { ...first, end: 80 })).toEqual(['source-truncated: reset'])
    expect(ofInput(first, { ...first, end: null })).toEqual([])
    expect(ofInput(first, { ...first, end: 3 }, null)).toEqual([])
    expect(ofInput(first, null)).toEqual(['dataset-deleted: none'])
  })
})

describe('what became of a dataset that is hopped to', () => {
  it('resets when it was made again or restored to an earlier state', () => {
    expect(ofHop(first, { ...first, end: 300 })).toEqual([])
    expect(ofHop(null, first)).toEqual([])
    expect(ofHop(first, null)).toEqual(['dataset-deleted: none'])
    expect(ofHop(first, { ...first, generation: 'g2' })).toEqual(['dataset-recreated: reset'])
    expect(ofHop(first, restored(99))).toEqual([])
    expect(ofHop(first, restored(98))).toEqual(['dataset-restored: reset'])
  })
})

describe("what became of the pipe's own dataset", () => {
  it('resets when it was made again, is another one, or was restored to an earlier state', () => {
    expect(ofSink(first, { ...first, end: 300 })).toEqual([])
    expect(ofSink(first, { ...first, generation: 'g2' })).toEqual(['sink-recreated: reset'])
    expect(ofSink(first, first, 'other')).toEqual(['sink-recreated: reset'])
    expect(ofSink(first, restored(99))).toEqual([])
    expect(ofSink(first, restored(98))).toEqual(['sink-restored: reset'])
    expect(ofSink(first, restored(null))).toEqual(['sink-restored: reset'])
  })
})

describe('a configuration', () => {
  it('that is another one, and reads what was not read before, resets; what is not read any more says nothing', () => {
    const before = facts({ inputs: { a: first }, hops: { b: first } })
    const now = facts({ fingerprint: 'g', inputs: { c: null }, hops: { b: first, d: first } })
    expect(reasonsBetween(before, now, () => null)).toMatchObject([
      { code: 'config-changed', dataset: null, action: 'reset' },
      { code: 'new-dataset', dataset: 'c', action: 'reset' },
      { code: 'new-dataset', dataset: 'd', action: 'reset' },
    ])
  })
})
