/** `samtale status`, `logs` and `notifications` as an operator types them, of a hub that runs. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer, type Server } from '../../src/api/server.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { age, bytes } from '../../src/cli/figures.ts'
import { logText } from '../../src/cli/log-text.ts'
import { FakeNode, fakeDoors, figuresOf } from '../api/fake-hub.ts'
import { fakeTerminal } from './fake-terminal.ts'

let server: Server
const node = new FakeNode()
beforeAll(async () => {
  server = await openServer(node, { host: '127.0.0.1', port: 0, doors: fakeDoors() })
})
afterAll(() => server.close())

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(typed, { SAMTALE_URL: server.url, SAMTALE_TOKEN: 't0ken' }, terminal)
  return { code, out: terminal.out, err: terminal.err }
}

describe('samtale status', () => {
  it('says in a few lines what fails, what waits, what is full and what was not backed up', async () => {
    const { state } = figuresOf({})
    const failed = {
      ...state,
      last: { outcome: 'failed', message: 'no eggs', code: 'fail' },
      lastEndedAt: Date.now() - 65_000,
    }
    node.main.more.push(
      figuresOf({ id: 'good', waitingSeconds: 0, sourceQueue: 0, trackingQueue: 0, pump: null }),
      figuresOf({ id: 'bad', state: failed as never, waitingSeconds: 7200, pump: null }),
      figuresOf({
        id: 'odd',
        isValid: false,
        isTripped: true,
        isEnabled: false,
        outOfSync: 1,
        sourceQueue: 0,
        trackingQueue: 0,
      }),
    )
    node.reasons.push({ code: 'disk-low', severity: 'unwell', message: 'It is low.', hint: 'Make room.', tenant: null })
    const { code, out } = await type('status')
    node.reasons.splice(0)
    expect(code).toBe(1)
    expect(out[0]).toMatch(/^Hub {6}somebody has to look, version 0\.0\.1, up \d+ d \d+ h, [\d.]+ MB of memory$/)
    expect(out.slice(1)).toEqual([
      '  unwell It is low.',
      '  Make room.',
      'Pipes    3 in all, 0 running, 1 failed, 1 disabled',
      '  failed bad 1 min 5 s ago: no eggs',
      '  tripped odd: commit what its circuit breaker holds back, or roll it back',
      '  invalid odd: its configuration has errors',
      '  waits bad: 9 changes, the oldest for 2 h',
      '  retries odd: 2 entities',
      '  out of sync odd',
      'Disk     data: 10 B free of 100 B (10 %)',
      'Backup   none',
      'Notices  1 ongoing, 2 still to be sent',
    ])
  })

  it('is 0 when all is well, and gives JSON to programs', async () => {
    node.main.more.splice(0)
    const { code, out } = await type('status', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out.join('\n'))).toMatchObject({
      tenant: 'default',
      pipes: { count: 0 },
      health: { healthy: true },
    })
  })

  it('says what to do when nobody answers, or nobody may know', async () => {
    const { code, err } = await type('status', '--url', 'http://127.0.0.1:1')
    expect(code).toBe(1)
    expect(err.join('\n')).toContain('Nothing listens there')
    expect((await type('status', '--url', 'nowhere')).code).toBe(2)
    const none = await type('status', '--tenant', 'none')
    expect([none.code, none.err[0]]).toEqual([1, expect.stringContaining("There is no tenant 'none'")])
  })
})

describe('samtale logs', () => {
  it('shows what was said, of a logger or a request, on one line each', async () => {
    const log = node.logs.logger('pipes')
    log.error('It failed:\n\u001b[31mred', { pipe: 'a b', request: 'r', seconds: 1.5, stack: 'Error: x\n    at y' })
    log.info('It ran.', { pipe: 'c' })
    const { code, out } = await type('logs', 'pipes', '--pipe', 'a b')
    expect(code).toBe(0)
    expect(out).toEqual([
      expect.stringMatching(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ERROR pipes It failed: {2}\[31mred pipe="a b" request=r seconds=1\.5\n {4}Error: x\n {8}at y$/,
      ),
    ])
    const json = await type('logs', '--json', '--request', 'r')
    expect(JSON.parse(json.out[0] as string)).toMatchObject({ loglevel: 'error', details: { request: 'r' } })
    expect((await type('logs', 'nobody')).err[0]).toContain("There is no logger 'nobody'")
    expect((await type('logs', '--lines', 'many')).code).toBe(2)
  })

  it('paints levels, and never what others say', () => {
    const line = { time: 0, level: 'warn', logger: 'hub', message: 'm', details: { a: { b: 1 }, c: null } } as const
    expect(logText(line, (level, text) => `<${level}>${text}`)).toBe(
      '1970-01-01 00:00:00.000 <warn>WARN  hub   m a="{\\"b\\":1}"',
    )
  })
})

describe('samtale notifications', () => {
  it('shows what goes on first, and what could not be sent', async () => {
    const one = (is_ongoing: boolean, event_count: number) =>
      JSON.stringify({
        _id: 'n',
        notification_rule_name: 'It fails',
        pipe_id: is_ongoing ? 'a' : null,
        msg: 'no eggs\nat all',
        event_timestamp: new Date(Date.now() - 3_600_500).toISOString(),
        last_event_timestamp: new Date(Date.now() - 60_500).toISOString(),
        event_count,
        is_ongoing,
      })
    node.main.notifications.list = () => [one(false, 1), one(true, 3)]
    node.main.notifications.deliveries = () =>
      JSON.stringify([{ status: 'waiting', recipient: 'a@b', what: 'opened', attempts: 2, last_error: 'no' }])
    expect(await type('notifications', '--deliveries')).toMatchObject({
      code: 1,
      out: [
        'ongoing a: It fails, since 1 h, 3 times, the last 1 min ago',
        '  no eggs',
        'over It fails, since 1 h',
        '  no eggs',
        'waiting opened to a@b, tried 2 times: no',
      ],
    })
    node.main.notifications.list = () => []
    expect(await type('notifications')).toMatchObject({ code: 0, out: ['There are no notifications.'] })
  })
})

describe('figures', () => {
  it('are written as people read them', () => {
    expect([0, 999, 61_000, 3_600_000, 90_061_000, -5].map(age)).toEqual([
      '0 s',
      '0 s',
      '1 min 1 s',
      '1 h',
      '1 d 1 h',
      '0 s',
    ])
    expect([0, 999, 1500, 123_456_789, 4.2e12].map(bytes)).toEqual(['0 B', '999 B', '1.5 kB', '123 MB', '4.2 TB'])
  })
})
