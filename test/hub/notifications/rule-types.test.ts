/** What each type of rule finds: events and moments in, verdicts out. */

import { describe, expect, it } from 'vitest'
import type { PumpEvent } from '../../../src/hub/notifications/event.ts'
import { readRule, watches } from '../../../src/hub/notifications/rule.ts'
import type { Memory, NodeCondition, PipeCondition, Verdict } from '../../../src/hub/notifications/rule-type.ts'
import { findRuleType, ruleTypes } from '../../../src/hub/notifications/rule-types.ts'

const SECOND = 1000

function rule(type: string, info: Readonly<Record<string, unknown>> = {}) {
  const found = findRuleType(type)
  if (found === undefined) throw new Error(type)
  const memory: Memory = {}
  const kind = (verdict: Verdict) => verdict?.kind ?? null
  return {
    memory,
    hear: (event: PumpEvent) => kind(found.hear?.(event, info, memory) ?? null),
    said: (event: PumpEvent) => found.hear?.(event, info, memory),
    look: (condition: Partial<PipeCondition>) => kind(found.look?.(at(condition), info, memory) ?? null),
    node: (condition: Partial<NodeCondition>) => {
      const node = { now: 0, diskUsedPercent: 10, backupTrouble: null, reasons: [], ...condition }
      return kind(found.lookAtNode?.(node, info) ?? null)
    },
  }
}

const at = (some: Partial<PipeCondition>): PipeCondition => ({
  now: 0,
  watchedSince: 0,
  runningSince: null,
  lastEndedAt: null,
  dueAt: null,
  isTripped: false,
  queue: () => 0,
  waitingSeconds: () => 0,
  deadLetters: () => 0,
  retryable: () => 0,
  ...some,
})

const event = (type: string, entry: object = {}, seconds = 0): PumpEvent => ({
  type,
  at: seconds * SECOND,
  entry: { event_type: type, ...entry },
})
const completed = (entities: object, seconds = 0) => event('pump-completed', { metrics: { entities } }, seconds)
const failed = (reason: string, more: object = {}) => event('pump-failed', { reason_why_stopped: reason, ...more })

describe('rules about runs', () => {
  it('find a number that is too high or too low, of completed and of failed runs', () => {
    const high = rule('pump_completed_value_too_high', { parameter: 'changes_last_run', limit: 5 })
    expect(high.hear(completed({ changes_last_run: 6 }))).toBe('wrong')
    expect(high.hear(completed({ changes_last_run: 5 }))).toBe('right')
    expect(high.hear(event('pump-failed', { metrics: { entities: { changes_last_run: 9 } } }))).toBe('wrong')
    expect(high.hear(completed({ entities_last_run: 9 }))).toBeNull()
    expect(high.hear(event('pump-started', { metrics: { entities: { changes_last_run: 9 } } }))).toBeNull()
    const low = rule('pump_completed_value_too_low', { parameter: 'entities_last_run', limit: 1 })
    expect(low.said(completed({ entities_last_run: 0 }))).toEqual({
      kind: 'wrong',
      msg: "The value of the 'Entities processed' parameter was 0, which is below the specified limit 1.",
    })
    expect(low.hear(completed({ entities_last_run: 1 }))).toBe('right')
  })

  it('find numbers wherever the log has them, decimals too', () => {
    const time = rule('pump_completed_value_too_high', { parameter: 'total_time', limit: 1.5 })
    expect(time.hear(event('pump-completed', { total_time: '~f1.6' }))).toBe('wrong')
    expect(time.hear(event('pump-completed', { total_time: 1 }))).toBe('right')
    const hops = rule('pump_completed_value_too_high', { parameter: 'hops.max-cardinality', limit: 10 })
    expect(hops.hear(event('pump-completed', { metrics: { hops: { 'max-cardinality': 11 } } }))).toBe('wrong')
  })

  it('find a number that stays too high only when it was so for all of a time', () => {
    const high = rule('pump_completed_value_too_high_over_time', { parameter: 'sink_time', limit: 1, interval: 60 })
    expect(high.hear(completed({ sink_time: 2 }, 10))).toBeNull()
    expect(high.look({ now: 69 * SECOND })).toBeNull()
    expect(high.look({ now: 70 * SECOND })).toBe('wrong')
    expect(high.hear(completed({ sink_time: 1 }, 80))).toBe('right')
    expect(high.look({ now: 1000 * SECOND })).toBeNull()
  })

  it('take a pipe that does not run for one whose numbers are too low', () => {
    const low = rule('pump_completed_value_too_low_over_time', {
      parameter: 'changes_last_run',
      limit: 1,
      interval: 60,
    })
    expect(low.look({ now: 59 * SECOND })).toBeNull()
    expect(low.hear(completed({ changes_last_run: 1 }, 59))).toBe('right')
    expect(low.hear(completed({ changes_last_run: 0 }, 70))).toBeNull()
    expect(low.look({ now: 118 * SECOND })).toBeNull()
    expect(low.look({ now: 119 * SECOND })).toBe('wrong')
  })

  it('match patterns anywhere in a text, with wildcards, and are done when a run ends otherwise', () => {
    const match = rule('pattern_match', { pattern: 'connection*resol?tion' })
    expect(match.hear(failed('a new connection: name resolution failed'))).toBe('wrong')
    expect(match.hear(failed('something else'))).toBe('right')
    expect(match.hear(completed({}))).toBe('right')
    expect(match.hear(event('pump-failed'))).toBe('right')
    const other = rule('pattern_match', {
      event_type: 'write-error',
      parameter: 'original_error_message',
      pattern: 'boom',
    })
    expect(other.hear(event('write-error', { original_error_message: 'it went boom' }))).toBe('happened')
    expect(other.hear(failed('boom'))).toBeNull()
  })

  it('take no time for patterns that look dangerous', () => {
    const match = rule('pattern_match', { pattern: `${'*a'.repeat(400)}b` })
    const started = performance.now()
    expect(match.hear(failed('a'.repeat(1_000_000)))).toBe('right')
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('find failed runs, one or many in a row, but not those that somebody stopped', () => {
    const one = rule('pump_failed')
    expect(one.hear(failed('no', { interrupted: true }))).toBeNull()
    expect(one.said(failed('it broke'))).toEqual({ kind: 'wrong', msg: 'The pump failed: it broke' })
    expect(one.hear(event('pump-started'))).toBeNull()
    expect(one.hear(completed({}))).toBe('right')
    const three = rule('pump_failed_in_a_row', { limit: 3 })
    expect([failed('1'), failed('2'), completed({}), failed('1'), failed('2')].map(three.hear)).toEqual([
      null,
      null,
      'right',
      null,
      null,
    ])
    expect(three.hear(failed('3'))).toBe('wrong')
    expect(three.memory.count).toBe(3)
  })

  it('tell of offsets that were set, and by whom, and of restores', () => {
    const offset = rule('pump_offset_set')
    expect(offset.said(event('pump-offset-set', { is_reset: true, user: { user_id: 'ann' } }))).toEqual({
      kind: 'happened',
      msg: 'The pipe was reset by ann.',
    })
    expect(offset.said(event('pump-offset-set', { is_reset: false, pipe_offset: '7' }))).toMatchObject({
      msg: "The offset was set to '7' by the hub.",
    })
    expect(offset.hear(completed({}))).toBeNull()
    expect(rule('restore_completed').hear(event('restore-completed'))).toBe('happened')
  })
})

describe('rules about how things are', () => {
  it('find a pump that did not start in time, or does not end', () => {
    const start = rule('pump_started_overdue', { grace_period: 60 })
    expect(start.look({ now: 360 * SECOND, dueAt: 0 })).toBe('right')
    expect(start.look({ now: 361 * SECOND, dueAt: 0 })).toBe('wrong')
    expect(start.look({ now: 361 * SECOND, dueAt: 0, runningSince: 1 })).toBe('right')
    expect(start.look({ now: 361 * SECOND, dueAt: null })).toBe('right')
    const end = rule('pump_finished_overdue', { limit: 10 })
    expect(end.look({ now: 310 * SECOND, runningSince: 0 })).toBe('right')
    expect(end.look({ now: 311 * SECOND, runningSince: 0 })).toBe('wrong')
    expect(end.look({ now: 311 * SECOND })).toBe('right')
    const none = rule('pump_not_run_for', { limit: 60 })
    expect(none.look({ now: 100 * SECOND, lastEndedAt: 50 * SECOND })).toBe('right')
    expect(none.look({ now: 111 * SECOND, lastEndedAt: 50 * SECOND })).toBe('wrong')
    expect(none.look({ now: 111 * SECOND, lastEndedAt: 50 * SECOND, watchedSince: 60 * SECOND })).toBe('right')
  })

  it('find what waits, what was given up, and a breaker that tripped', () => {
    expect(rule('queue_too_long', { limit: 5 }).look({ queue: () => 6 })).toBe('wrong')
    expect(rule('queue_too_long', { limit: 5 }).look({ queue: () => 5 })).toBe('right')
    expect(rule('lag_too_long', { limit: 5 }).look({ waitingSeconds: () => 5.1 })).toBe('wrong')
    expect(rule('dead_letters').look({ deadLetters: () => 1 })).toBe('wrong')
    expect(rule('dead_letters').look({})).toBe('right')
    expect(rule('retries_waiting', { limit: 1 }).look({ retryable: () => 2 })).toBe('wrong')
    expect(rule('circuit_breaker_tripped').look({ isTripped: true })).toBe('wrong')
    expect(rule('circuit_breaker_tripped').look({})).toBe('right')
  })

  it('find a disk that fills, backups that fail, and a hub that is not well', () => {
    const disk = rule('store_disk_usage_upper_limit', { limit: 80 })
    expect([80, 80.1].map((diskUsedPercent) => disk.node({ diskUsedPercent }))).toEqual(['right', 'wrong'])
    expect(disk.node({ diskUsedPercent: null })).toBeNull()
    expect(rule('backup_trouble').node({ backupTrouble: 'it failed' })).toBe('wrong')
    const reason = { code: 'disk-low', severity: 'unwell', message: 'm', hint: 'h', tenant: null } as const
    expect(rule('hub_unwell').node({ reasons: [reason] })).toBe('wrong')
    expect(rule('hub_unwell').node({})).toBe('right')
  })
})

describe('a rule', () => {
  const read = (given: object, pipe: string | null = 'p') => readRule(JSON.stringify(given), pipe, null, 0)
  const refused = (given: object, pipe: string | null = 'p') => {
    try {
      read(given, pipe)
    } catch (error) {
      return (error as { details: { problems: string[] } }).details.problems.join(' ')
    }
    return 'it was taken'
  }

  it('is taken as clients of old write it', () => {
    const given = {
      type: 'pump_completed_value_too_high',
      name: 'entities changed',
      description: 'test rule 1',
      extra_rule_info: { limit: 50, parameter: 'changes_last_run' },
      recipients: ['ann@example.org', 'Admin', { id: 'u1', methods: ['email'], type: 'user_id' }],
    }
    expect(read(given)).toMatchObject({
      ...given,
      pipe_id: 'p',
      is_enabled: true,
      recipients: [
        { type: 'email', id: 'ann@example.org', methods: ['email'] },
        { type: 'role', id: 'Admin', methods: ['email'] },
        { type: 'user_id', id: 'u1', methods: ['email'] },
      ],
    })
  })

  it('is refused with all that is wrong, and what would be right', () => {
    expect(refused({ type: 'pump_faild', name: 'x' })).toContain("Did you mean 'pump_failed'?")
    expect(refused({ type: 'license_expiration_date', name: 'x' })).toContain('no licence')
    expect(refused({ type: 'pump_failed' })).toContain('name')
    expect(refused({ type: 'pump_failed', name: 'x', extra_rule_info: { limt: 1 } })).toContain('limt')
    expect(refused({ type: 'queue_too_long', name: 'x' })).toContain('limit')
    expect(refused({ type: 'queue_too_long', name: 'x', extra_rule_info: { limit: 'many' } })).toContain('limit')
    expect(
      refused({ type: 'pump_completed_value_too_low', name: 'x', extra_rule_info: { limit: 1, parameter: 'changes' } }),
    ).toContain('parameter')
    expect(refused({ type: 'pump_failed', name: 'x' }, null)).toContain('"pipes"')
    expect(refused({ type: 'hub_unwell', name: 'x' })).toContain('about the hub')
    for (const id of ['a@b\nBcc: c@d', 'a b@c', '<a@b>', '@b']) {
      expect(refused({ type: 'pump_failed', name: 'x', recipients: [{ id, type: 'email' }] })).toContain(
        'no e-mail address',
      )
    }
    for (const id of ['ftp://a/b', 'http://user:password@a/']) {
      expect(refused({ type: 'pump_failed', name: 'x', recipients: [{ id, type: 'webhook' }] })).toContain(
        'http or https',
      )
    }
    expect(refused({ type: 'pump_failed', name: 'x', recipients: [{ id: 'https://a/', secret: 'plain' }] })).toContain(
      '$SECRET(name)',
    )
    expect(refused({ type: 'pump_failed', name: 'x', recipients: [7] })).toContain('/recipients/0')
  })

  it('is about one pipe, or about all whose ids match', () => {
    const many = watches(read({ type: 'pump_failed', name: 'x', pipes: ['crm-*', 'a?'] }, null))
    expect(['crm-person', 'ab', 'abc', 'crm'].map(many)).toEqual([true, true, false, false])
    const one = watches(read({ type: 'pump_failed', name: 'x' }))
    expect(['p', 'pp'].map(one)).toEqual([true, false])
  })

  it('has for each type a name, a sentence and a schema, and looks at something', () => {
    for (const type of ruleTypes) {
      expect(type.summary).toMatch(/\.$/)
      expect(type.info.type).toBe('object')
      expect(type.scope === 'node' ? type.lookAtNode : (type.hear ?? type.look)).toBeDefined()
    }
    expect(new Set(ruleTypes.map(({ type }) => type)).size).toBe(ruleTypes.length)
  })
})
