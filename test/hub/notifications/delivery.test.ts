/** Who is told what, when: with a clock wound by hand, and a log in memory. */

import { describe, expect, it } from 'vitest'
import { defaultNotificationSettings, type NotificationSettings } from '../../../src/config/notifications.ts'
import { Delivery } from '../../../src/hub/notifications/delivery.ts'
import type { Told } from '../../../src/hub/notifications/message.ts'
import { changed, type Notification } from '../../../src/hub/notifications/notification.ts'
import { MAX_ENTRIES, Outbox } from '../../../src/hub/notifications/outbox.ts'
import { quietUntil } from '../../../src/hub/notifications/quiet.ts'
import type { Rule } from '../../../src/hub/notifications/rule.ts'
import type { Verdict } from '../../../src/hub/notifications/rule-type.ts'
import { type Entry, newTrack, type Target, type Track } from '../../../src/hub/notifications/track.ts'
import { silent } from '../../../src/pipes/logger.ts'
import type { StateChange } from '../../../src/pipes/state.ts'

const MAIL: Target = { kind: 'email', address: 'ann@example.org' }
const HOOK: Target = { kind: 'webhook', address: 'https://hook.example/x' }
const BROKEN: Verdict = { kind: 'wrong', msg: 'It broke.' }
const WELL: Verdict = { kind: 'right' }

const rule = (some: Partial<Rule> = {}): Rule => ({
  id: 'rule',
  type: 'pump_failed',
  name: 'Failed',
  description: '',
  pipe_id: null,
  pipes: ['*'],
  extra_rule_info: {},
  recipients: [],
  is_enabled: true,
  is_urgent: false,
  created: '2026-01-01T00:00:00Z',
  ...some,
})

interface Sent {
  readonly at: number
  readonly to: string
  readonly told: readonly string[]
  readonly id: string
}

/** Its rows are what a log would hold. */
function post(settings: Partial<NotificationSettings> = {}, rows = new Map<string, string>(), start = 0) {
  let now = start
  const all = { ...defaultNotificationSettings, ...settings }
  const saved = [...rows.values()].map((text) => JSON.parse(text) as Entry)
  const outbox = new Outbox(saved)
  const tracks = new Map<string, Track>()
  const notifications = new Map<string, Notification>()
  const sent: Sent[] = []
  let fails: (to: string) => Error | null = () => null
  const keep = (changes: readonly StateChange[]) => {
    for (const [key, value] of changes) {
      const name = Buffer.from(key).toString()
      if (value === null) rows.delete(name)
      else if (name.includes('out\u0000')) rows.set(name, Buffer.from(value).toString())
    }
  }
  const delivery = new Delivery(outbox, {
    now: () => now,
    settings: () => all,
    notification: (entry) => notifications.get(entry.notification),
    send: async (target, told: readonly Told[], id) => {
      const failure = fails(target.address)
      if (failure !== null) throw failure
      const said = told.map(({ what, notification: { pipe, count } }) => `${what} ${pipe} ${count}`)
      sent.push({ at: now / 1000, to: target.address, told: said, id })
    },
    commit: async (changes, told) => {
      keep(changes)
      for (const { ruleId, pipe, what } of told) {
        const track = tracks.get(`${ruleId} ${pipe}`)
        if (track !== undefined && what !== 'resolved') track.toldAt = now
      }
    },
    logger: silent,
  })
  let ids = 0
  return {
    outbox,
    delivery,
    sent,
    rows,
    notifications,
    failWith: (how: (to: string) => Error | null) => {
      fails = how
    },
    /** What a rule finds of a pipe. */
    find(pipe: string, verdict: Verdict, targets: readonly Target[] = [MAIL], of: Rule = rule()) {
      const name = `${of.id} ${pipe}`
      const track = tracks.get(name) ?? newTrack(of.id, pipe)
      tracks.set(name, track)
      const repeatMs = all.repeat_seconds * 1000
      const newId = () => `n${++ids}`
      if (verdict === null) return
      const news = changed(track.notification, of, pipe, { verdict, at: now, isEvent: true, repeatMs, newId })
      if (news === null) return
      track.notification = news.notification
      notifications.set(news.notification.id, news.notification)
      keep(outbox.note(track, news.news, targets, now, { gatherMs: all.gather_seconds * 1000, repeatMs }))
    },
    /** A second after the other, as the hub does, or faster. */
    async until(seconds: number, step = 1) {
      for (; now <= seconds * 1000; now += step * 1000) {
        delivery.look()
        await settled()
      }
      now = seconds * 1000
    },
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('somebody who is to be told', () => {
  it('hears of all that happened within a while in one message, and of nothing twice', async () => {
    const { find, until, sent, rows } = post({ gather_seconds: 30 })
    find('a', BROKEN)
    await until(10)
    find('b', BROKEN)
    find('a', BROKEN)
    await until(100)
    expect(sent).toMatchObject([{ at: 30, to: 'ann@example.org', told: ['opened a 2', 'opened b 1'] }])
    expect(rows.size).toBe(0)
    find('a', BROKEN)
    find('a', WELL)
    await until(200)
    expect(sent.slice(1)).toMatchObject([{ at: 130, told: ['resolved a 3'] }])
  })

  it('gets one digest of a thousand pipes that fail', async () => {
    const { find, until, sent } = post()
    for (let n = 0; n < 1_000; n++) find(`p${n}`, BROKEN, [MAIL, HOOK])
    await until(60)
    expect(sent.map(({ to, told }) => [to, told.length])).toEqual([
      [MAIL.address, 1_000],
      [HOOK.address, 1_000],
    ])
  })

  it('hears nothing of what was over before anybody was told', async () => {
    const { find, until, sent, outbox } = post()
    find('a', BROKEN)
    await until(10)
    find('a', WELL)
    await until(100)
    expect([sent, outbox.size]).toEqual([[], 0])
  })

  it('hears of what breaks and heals again and again at most once an hour', async () => {
    const { find, until, sent } = post({ gather_seconds: 10, repeat_seconds: 3600 })
    for (let at = 0; at < 7000; at += 100) {
      find('a', BROKEN)
      await until(at + 50)
      find('a', WELL)
      await until(at + 99)
    }
    const opened = sent.filter(({ told }) => told[0]?.startsWith('opened'))
    expect(opened.map(({ at }) => at)).toEqual([10, 3610])
    expect(sent.length).toBeLessThanOrEqual(4)
  })

  it('is told of what is urgent at once, and at night', async () => {
    const night = { from: '00:00', to: '06:00', time_zone: 'UTC' }
    const { find, until, sent } = post({ quiet_hours: night, gather_seconds: 30 })
    find('calm', BROKEN)
    find('calm', BROKEN, [HOOK])
    await until(100)
    // Programs do not sleep.
    expect(sent).toMatchObject([])
    find('b', BROKEN, [HOOK])
    await until(200)
    expect(sent).toMatchObject([{ to: HOOK.address, at: 130 }])
    find('now', BROKEN, [MAIL], rule({ id: 'urgent', is_urgent: true }))
    await until(210)
    expect(sent[1]).toMatchObject({ at: 200, told: ['opened calm 2', 'opened now 1'] })
  })

  it('is left alone until the quiet hours end', async () => {
    const { find, until, sent } = post({ quiet_hours: { from: '00:00', to: '00:10', time_zone: 'UTC' } })
    find('a', BROKEN)
    await until(700)
    expect(sent.map(({ at }) => at)).toEqual([600])
  })

  it('gets no more messages an hour than are allowed; the rest comes together', async () => {
    const { find, until, sent } = post({ gather_seconds: 1, max_per_hour: 3 })
    for (let n = 0; n < 20; n++) {
      find(`p${n}`, BROKEN)
      await until((n + 1) * 10)
    }
    expect(sent).toHaveLength(3)
    await until(3700)
    expect(sent.slice(3).flatMap(({ told }) => told)).toHaveLength(17)
    expect(sent).toHaveLength(4)
  })

  it('who does not take it is asked again, less and less often, and hears all in the end', async () => {
    const { find, until, sent, failWith, outbox } = post({ gather_seconds: 0 })
    const asked: number[] = []
    let now = 0
    failWith(() => {
      asked.push(now)
      return new Error('greylisted')
    })
    for (now = 0; now <= 1000; now++) {
      if (now === 0) find('a', BROKEN)
      if (now === 20) find('b', BROKEN)
      await until(now)
    }
    expect(asked).toEqual([0, 30, 90, 210, 450, 930])
    expect(outbox.all().map(({ lastError }) => lastError)).toEqual(['greylisted', 'greylisted'])
    failWith(() => null)
    await until(3000)
    expect(sent).toMatchObject([{ at: 1890, told: ['opened a 1', 'opened b 1'] }])
  })

  it('who never takes it is given up after a day, and who says so for good at once', async () => {
    const { find, until, failWith, outbox, delivery, rows } = post({ gather_seconds: 0 })
    failWith((to) => Object.assign(new Error('no such user'), { details: { isFinal: to !== HOOK.address } }))
    find('a', BROKEN, [MAIL, HOOK])
    await until(5)
    expect(delivery.failed.map(({ entry }) => [entry.target.kind, entry.lastError])).toEqual([
      ['email', 'no such user'],
    ])
    expect(outbox.size).toBe(1)
    for (let hour = 1; hour <= 30; hour++) {
      await until(hour * 3600, 60)
    }
    expect([outbox.size, rows.size, delivery.givenUp]).toEqual([0, 0, 2])
  }, 60_000)

  it('hears after a restart what was to be told before, by the same name if it was said already', async () => {
    const first = post({ gather_seconds: 30 })
    first.find('a', BROKEN)
    first.find('b', BROKEN)
    await first.until(10)
    const rows = new Map(first.rows)
    await first.until(40)
    // Killed before it could be kept that they were told.
    const second = post({ gather_seconds: 30 }, rows, 10_000)
    for (const [id, one] of first.notifications) second.notifications.set(id, one)
    await second.until(40)
    expect(second.sent).toMatchObject([{ told: ['opened a 1', 'opened b 1'] }])
    expect(second.sent[0]?.id).toBe(first.sent[0]?.id)
    expect(rows.size).toBe(0)
  })

  it('is bounded, whatever happens', () => {
    const { find, outbox } = post()
    for (let n = 0; n < MAX_ENTRIES + 5; n++) find(`p${n}`, BROKEN)
    expect([outbox.size, outbox.dropped]).toEqual([MAX_ENTRIES, 5])
  })
})

describe('quiet hours', () => {
  const at = (text: string) => Date.parse(`2026-07-01T${text}Z`)
  const until = (hours: [string, string, string?], now: string) => {
    const [from, to, time_zone = 'UTC'] = hours
    const end = quietUntil({ from, to, time_zone }, at(now))
    return end === null ? null : new Date(end).toISOString().slice(5, 16)
  }

  it('end when they say, also over midnight and in another zone', () => {
    expect(until(['12:00', '13:00'], '11:59:59')).toBeNull()
    expect(until(['12:00', '13:00'], '12:00:00')).toBe('07-01T13:00')
    expect(until(['12:00', '13:00'], '13:00:00')).toBeNull()
    expect(until(['22:00', '06:00'], '23:30:10')).toBe('07-02T06:00')
    expect(until(['22:00', '06:00'], '05:59:59')).toBe('07-01T06:00')
    expect(until(['22:00', '06:00', 'Europe/Oslo'], '20:30:00')).toBe('07-02T04:00')
    expect(quietUntil(undefined, 0)).toBeNull()
  })
})
