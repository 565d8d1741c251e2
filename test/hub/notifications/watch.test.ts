/** The watch over a log in memory: what it hears, what it remembers over a restart, and what it does when nothing can be stored. */

import { describe, expect, it } from 'vitest'
import { addressesOf } from '../../../src/hub/notifications/addressees.ts'
import type { Notification } from '../../../src/hub/notifications/notification.ts'
import { Outbox } from '../../../src/hub/notifications/outbox.ts'
import { type Rule, readRule } from '../../../src/hub/notifications/rule.ts'
import type { PipeCondition } from '../../../src/hub/notifications/rule-type.ts'
import type { Entry, Heard, Track } from '../../../src/hub/notifications/track.ts'
import { NotificationWatch } from '../../../src/hub/notifications/watch.ts'
import type { Snapshot } from '../../../src/log/contract.ts'
import { silent } from '../../../src/pipes/logger.ts'
import type { StateChange } from '../../../src/pipes/state.ts'

interface World {
  now: number
  rules: Rule[]
  pipes: string[]
  /** Execution logs. */
  readonly logs: Map<string, object[]>
  condition: Partial<PipeCondition>
  readonly rows: Map<string, string>
  readonly written: Notification[]
  isFull: boolean
}

const newWorld = (): World => ({
  now: 1_000_000,
  rules: [],
  pipes: ['a', 'b'],
  logs: new Map(),
  condition: {},
  rows: new Map(),
  written: [],
  isFull: false,
})

/** Another watch over the same world is a restart. */
function watching(world: World) {
  const rowsOf = <T>(kind: string): T[] =>
    [...world.rows].flatMap(([key, text]) => (key.includes(`\u0000${kind}\u0000`) ? [JSON.parse(text) as T] : []))
  const outbox = new Outbox(rowsOf<Entry>('out'))
  let ids = world.written.length
  const snapshot = (): Snapshot =>
    ({
      dataset: (id: string) => {
        const entries = world.logs.get(id.slice('system:pump_execution:'.length))
        if (entries === undefined) return undefined
        return {
          document: { id, generation: 'g', number: [...world.logs.values()].indexOf(entries) },
          *changes(since: number | null) {
            for (const [sequence, entry] of entries.entries()) {
              if (sequence <= (since ?? -1)) continue
              const { event_type } = entry as { event_type: string }
              const body = Buffer.from(JSON.stringify(entry))
              yield { id: event_type, sequence, deleted: false, ts: world.now * 1000, body }
            }
          },
        }
      },
      close() {},
    }) as unknown as Snapshot
  const watch = new NotificationWatch(
    outbox,
    { tracks: rowsOf<Track>('track'), heard: rowsOf<Heard>('heard') },
    {
      now: () => world.now,
      newId: () => `n${++ids}`,
      rules: () => world.rules,
      pipes: () => world.pipes,
      gatherMs: () => 0,
      repeatMs: () => 3_600_000,
      snapshot,
      feed: {
        end: (number) => [...world.logs.values()][number]?.length ?? 0,
        commits: () => 0,
        changed: async () => 0,
      },
      condition: () => ({
        now: world.now,
        watchedSince: 0,
        runningSince: null,
        lastEndedAt: null,
        dueAt: null,
        isTripped: false,
        queue: () => 0,
        waitingSeconds: () => 0,
        deadLetters: () => 0,
        retryable: () => 0,
        ...world.condition,
      }),
      node: () => ({ now: world.now, diskUsedPercent: 50, backupTrouble: null, reasons: [] }),
      targets: () => [{ kind: 'email', address: 'ann@example.org' }],
      commit: async (state: readonly StateChange[], notifications) => {
        if (world.isFull) throw new Error('the disk is full')
        for (const [key, value] of state) {
          if (value === null) world.rows.delete(Buffer.from(key).toString())
          else world.rows.set(Buffer.from(key).toString(), Buffer.from(value).toString())
        }
        world.written.push(...notifications)
      },
      moved() {},
      logger: silent,
    },
  )
  watch.changed()
  return { watch, outbox }
}

const rule = (type: string, info: object = {}, more: object = {}): Rule =>
  readRule(JSON.stringify({ type, name: type, pipes: ['*'], extra_rule_info: info, ...more }), null, null, 0)

function happen(world: World, pipe: string, ...types: string[]): void {
  const log = world.logs.get(pipe) ?? []
  world.logs.set(pipe, log)
  log.push(...types.map((event_type) => ({ event_type, reason_why_stopped: 'no' })))
}

const states = ({ written }: World) => written.map(({ pipe, count, isOngoing }) => `${pipe} ${count} ${isOngoing}`)

describe('the watch', () => {
  it('hears what happens since a rule is there, of each pipe, and goes on after a restart where it was', async () => {
    const world = newWorld()
    happen(world, 'a', 'pump-failed')
    world.rules = [rule('pump_failed')]
    const first = watching(world)
    await first.watch.round()
    expect(states(world)).toEqual([])
    happen(world, 'a', 'pump-failed')
    happen(world, 'b', 'pump-failed', 'pump-completed')
    await first.watch.round()
    expect(states(world).sort()).toEqual(['a 1 true', 'b 1 false'])
    expect(first.outbox.all().map(({ pipe, what }) => [pipe, what])).toEqual([['a', 'opened']])
    happen(world, 'a', 'pump-failed')
    const second = watching(world)
    await second.watch.round()
    expect(second.watch.latest().map(({ pipe, count }) => [pipe, count])).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    expect(second.outbox.size).toBe(1)
  })

  it('loses nothing when what it found cannot be stored, and tells nobody twice', async () => {
    const world = newWorld()
    world.rules = [rule('pump_failed')]
    const { watch, outbox } = watching(world)
    await watch.round()
    world.isFull = true
    happen(world, 'a', 'pump-failed')
    await watch.round()
    happen(world, 'a', 'pump-failed')
    await watch.round()
    expect(states(world)).toEqual([])
    world.isFull = false
    await watch.round()
    expect(states(world)).toEqual(['a 2 true'])
    expect(outbox.size).toBe(1)
    expect(watching(world).outbox.size).toBe(1)
  })

  it('writes what goes on for long seldom, however often it happens', async () => {
    const world = newWorld()
    world.rules = [rule('pump_failed')]
    const { watch } = watching(world)
    await watch.round()
    for (let n = 0; n < 1_000; n++) {
      happen(world, 'a', 'pump-failed')
      world.now += 1000
      await watch.round()
    }
    expect(watch.latest()).toMatchObject([{ count: 1_000, isOngoing: true }])
    expect(world.written.length).toBeLessThan(15)
  })

  it('looks now and then at what no log tells, and sees when it is over', async () => {
    const world = newWorld()
    world.rules = [
      rule('pump_finished_overdue', { limit: 0 }),
      rule('circuit_breaker_tripped'),
      rule('queue_too_long', { limit: 5 }),
    ]
    world.pipes = ['a']
    const { watch, outbox } = watching(world)
    await watch.round()
    world.condition = { runningSince: world.now - 301_000, isTripped: true, queue: () => 6 }
    await watch.round()
    expect(states(world)).toEqual([])
    world.now += 10_000
    await watch.round()
    expect(world.written.map(({ ruleType }) => ruleType)).toEqual([
      'pump_finished_overdue',
      'circuit_breaker_tripped',
      'queue_too_long',
    ])
    world.now += 10_000
    await watch.round()
    expect(watch.latest().map(({ count }) => count)).toEqual([1, 1, 1])
    world.condition = {}
    world.now += 10_000
    await watch.round()
    expect(watch.latest().map(({ isOngoing }) => isOngoing)).toEqual([false, false, false])
    // Nobody was told that it began.
    expect(outbox.size).toBe(0)
  })

  it('ends what its rule, or its pipe, no longer looks at', async () => {
    const world = newWorld()
    world.rules = [rule('pump_failed')]
    const { watch } = watching(world)
    await watch.round()
    happen(world, 'a', 'pump-failed')
    happen(world, 'b', 'pump-failed')
    await watch.round()
    world.pipes = ['b']
    watch.changed()
    await watch.round()
    expect(states(world).at(-1)).toBe('a 1 false')
    world.rules = world.rules.map((one) => ({ ...one, is_enabled: false }))
    watch.changed()
    await watch.round()
    expect(states(world).at(-1)).toBe('b 1 false')
    expect([watch.latest(), world.rows.size]).toEqual([[], 2])
  })
})

describe('who is told', () => {
  const users = [
    { id: '1', email: 'ann@x', roles: ['group:Admin'], tenants: null, isDisabled: false },
    { id: '2', email: 'bob@x', roles: ['night'], tenants: ['t'], isDisabled: false },
    { id: '3', email: 'eve@x', roles: ['group:Admin'], tenants: null, isDisabled: true },
  ]
  const expanded = (roles: readonly string[]) =>
    new Set(roles.flatMap((role) => (role === 'night' ? ['night', 'group:Developer'] : [role])))
  const told = (type: 'role' | 'user_id', id: string, tenant = 't') =>
    addressesOf({ users: () => users, expanded }, type, id, tenant)

  it('is a user, or who has a role in the tenant, also one that another brings along', () => {
    expect(told('user_id', '2')).toEqual(['bob@x'])
    expect(told('user_id', '3')).toEqual([])
    expect(told('role', 'Admin')).toEqual(['ann@x'])
    expect(told('role', 'group:Developer')).toEqual(['bob@x'])
    expect(told('role', 'group:Developer', 'default')).toEqual([])
    expect(told('role', 'none')).toEqual([])
  })
})
