/** Notifications as an operator lives with them: rules over the API, a pipe that fails, mail and a webhook, and a restart in between. */

import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer } from '../../../src/api/server.ts'
import { doors } from '../../../src/hub/doors.ts'
import { type FakeServer, startFakeServer, status } from '../../fakes/http-server.ts'
import { openHub } from '../../hub/running-hub.ts'
import { eventually, openRealTenant } from '../real-hub.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
type Json = any

const mails: string[] = []
let smtp: SMTPServer
let receiver: FakeServer
beforeAll(async () => {
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      let text = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      stream.on('end', () => {
        mails.push(text)
        done()
      })
    },
  })
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  receiver = await startFakeServer()
})
afterAll(async () => {
  await new Promise<void>((resolve) => smtp.close(() => resolve()))
  await receiver.close()
})

const subjects = () => mails.map((text) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim())

const metadata = (more: object = {}) => ({
  _id: 'node',
  type: 'metadata',
  notifications: {
    smtp: {
      smtp_server: '127.0.0.1',
      smtp_port: (smtp.server.address() as AddressInfo).port,
      tls: 'none',
      mail_from: 'hub@example.org',
    },
    gather_seconds: 0,
    repeat_seconds: 0,
    ...more,
  },
})
const source = (...entities: object[]) => ({ type: 'embedded', entities })
const pipe = (_id: string, isBroken: boolean) => ({
  _id,
  type: 'pipe',
  source: source({ _id: '1' }),
  transform: { type: 'dtl', rules: { default: [['copy', '*'], ...(isBroken ? [['fail!', 'out of eggs']] : [])] } },
  pump: { mode: 'manual' },
})

describe('notifications', () => {
  it('tell of a pipe that fails by mail and webhook, go on until it runs again, and are over then', async () => {
    const { node, tenant, data } = await openHub()
    const server = await openServer(node, { host: '127.0.0.1', port: 0, doors })
    const ask = async (method: string, path: string, body?: object): Promise<{ status: number; body: Json }> => {
      const init =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      const answer = await fetch(`${server.url}/api${path}`, { method, ...init })
      return { status: answer.status, body: await answer.json() }
    }
    node.startPumps()
    await ask('PUT', '/config', [metadata(), pipe('bad', true), pipe('other', false)])
    receiver.on('/hook', status(500), status(204))
    expect((await ask('PUT', '/secrets', { hook: 's1gning-k3y', word: 'out of eggs' })).status).toBe(200)
    const rule = {
      type: 'pump_failed',
      name: 'It fails',
      recipients: ['ann@example.org', { id: `${receiver.url}hook`, type: 'webhook', secret: '$SECRET(hook)' }],
    }
    const made = await ask('POST', '/pipes/bad/notification-rules', rule)
    expect(made).toMatchObject({ status: 201, body: { pipe_id: 'bad', type: 'pump_failed', is_enabled: true } })
    expect(await ask('POST', '/pipes/none/notification-rules', rule)).toMatchObject({ status: 404 })
    await tenant.runNow('bad').catch(() => {})
    await eventually(subjects, ['[samtale] bad: It fails'])
    // What is a secret is told nobody, whoever says it.
    expect(mails[0]).toContain('The pump failed')
    expect(mails[0]).not.toContain('out of eggs')
    const calls = () => receiver.requests.filter(({ path }) => path === '/hook')
    await eventually(() => calls().length, 1)
    const [, at, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(calls()[0]?.headers['x-samtale-signature'])) ?? []
    const signed = `${at}.${String(calls()[0]?.body)}`
    expect(signature).toBe(createHmac('sha256', 's1gning-k3y').update(signed).digest('hex'))
    expect(JSON.parse(String(calls()[0]?.body))).toMatchObject({
      tenant: 'default',
      notifications: [{ what: 'opened', pipe_id: 'bad', notification_rule_name: 'It fails' }],
    })
    const { body: list } = await ask('GET', '/notifications?is_ongoing=true')
    expect(list).toMatchObject([
      {
        notification_rule_id: made.body.id,
        notification_rule_type: 'pump_failed',
        pipe_id: 'bad',
        event_count: 1,
        is_ongoing: true,
      },
    ])
    expect((await ask('GET', '/notification-deliveries')).body).toMatchObject([
      {
        status: 'waiting',
        recipient: receiver.url.slice(0, -1),
        attempts: 1,
        last_error: expect.stringContaining('500'),
      },
    ])

    await tenant.runNow('bad').catch(() => {})
    const one = async () => (await ask('GET', `/notifications/${list[0]._id}`)).body
    await eventually(async () => (await one()).event_count, 2)
    expect(subjects()).toHaveLength(1)

    // How things stand, for whoever pulls it.
    const summary = async (query = '') => (await ask('GET', `/notifications-summary${query}`)).body
    await eventually(
      async () => (await summary()).map((all: Json) => [all._id, all.status]).sort(),
      [
        ['default', 'ok'],
        ['default_bad', 'failed'],
      ],
    )
    const last = Math.max(...(await summary()).map(({ _updated }: Json) => _updated))

    // What was found is there after a restart, and nobody is told twice.
    await server.close()
    await node.close()
    const again = await openHub({ data })
    const second = await openServer(again.node, { host: '127.0.0.1', port: 0, doors })
    again.node.startPumps()
    const askAgain = async (path: string, init: RequestInit = {}) =>
      (await (await fetch(`${second.url}/api${path}`, init)).json()) as Json
    expect(await askAgain('/notifications?is_ongoing=true')).toMatchObject([{ event_count: 2, is_ongoing: true }])
    await again.tenant.replaceConfig(JSON.stringify([metadata(), pipe('bad', false), pipe('other', false)]), true)
    await again.tenant.runNow('bad')
    await eventually(subjects, ['[samtale] bad: It fails', '[samtale] Resolved: bad: It fails'])
    expect(await askAgain(`/notifications?pipe_id=bad&limit=5`)).toMatchObject([
      { is_ongoing: false, resolved_timestamp: expect.stringMatching(/Z$/) },
    ])
    await eventually(
      async () => (await askAgain(`/notifications-summary?since=${last}`)).map((all: Json) => [all._id, all.status]),
      [['default_bad', 'ok']],
    )
    const history = await askAgain('/datasets/system:notifications/entities?history=true')
    expect(history.map(({ event_count, is_ongoing }: Json) => [event_count, is_ongoing])).toEqual([
      [1, true],
      [2, true],
      [2, false],
    ])
    await second.close()
  })

  it('are ruled over the API, with all that is wrong said at once', async () => {
    const hub = await openRealTenant()
    const ask = async (method: string, path: string, body?: object) => {
      const answer = await hub.fetch(path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      return { status: answer.status, body: (await answer.json()) as Json }
    }
    await hub.configure(pipe('a', false), pipe('b', false))
    const types = (await ask('GET', '/available-notification-rule-types')).body
    expect(types.map(({ type }: Json) => type)).toEqual(
      expect.arrayContaining([
        'pump_started_overdue',
        'pump_finished_overdue',
        'pump_completed_value_too_high',
        'pump_completed_value_too_low',
        'pump_completed_value_too_high_over_time',
        'pump_completed_value_too_low_over_time',
        'pattern_match',
        'pump_failed',
        'pump_offset_set',
        'restore_completed',
        'store_disk_usage_upper_limit',
      ]),
    )
    expect(types[0].extra_rule_info).toMatchObject({ type: 'object' })
    const bad = await ask('POST', '/notification-rules', { type: 'queue_too_long', pipes: ['*'] })
    expect(bad).toMatchObject({
      status: 400,
      body: { code: 'bad-rule', details: { problems: [expect.stringContaining('name')] } },
    })
    const { body: rule } = await ask('POST', '/notification-rules', { type: 'pump_failed', name: 'x', pipes: ['*'] })
    const of = `/notification-rules/${rule.id}`
    expect((await ask('GET', of)).body).toEqual(rule)
    const replaced = await ask('PUT', of, { type: 'pump_failed', name: 'y', pipes: ['a'], is_enabled: false })
    expect(replaced.body).toMatchObject({ id: rule.id, name: 'y', is_enabled: false, created: rule.created })
    expect((await ask('PUT', of, { type: 'pump_failed' })).status).toBe(400)
    const { body: own } = await ask('POST', '/pipes/b/notification-rules', { type: 'pump_offset_set', name: 'z' })
    expect((await ask('GET', '/pipes/b/notification-rules')).body).toEqual([own])
    expect((await ask('GET', '/notification-rules')).body).toHaveLength(2)
    expect((await ask('GET', `/pipes/a/notification-rules/${own.id}`)).status).toBe(404)
    expect(await hub.operate('b', 'update-last-seen', { 'last-seen': '' })).toMatchObject({ status: 200 })
    await eventually(
      async () => (await ask('GET', '/notifications')).body.map(({ msg }: Json) => msg),
      ['The pipe was reset by 127.0.0.1.'],
    )
    expect((await ask('DELETE', `/pipes/b/notification-rules/${own.id}`)).status).toBe(200)
    expect((await ask('GET', `/pipes/b/notification-rules/${own.id}`)).status).toBe(404)
    expect((await ask('DELETE', of)).status).toBe(200)
    expect((await ask('GET', '/notifications/none')).status).toBe(404)
  })

  it('go from other tenants than the default one into no private network, and say so', async () => {
    const hub = await openRealTenant()
    const ask = async (method: string, path: string, body: object) =>
      (await hub.fetch(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }))
        .status
    await hub.configure(pipe('a', false), metadata())
    receiver.on('/closed', status(204))
    const webhook = { id: `${receiver.url}closed`, type: 'webhook', secret: '$SECRET(hook)' }
    const rule = { type: 'pump_offset_set', name: 'moved', recipients: [webhook] }
    expect(await ask('POST', '/pipes/a/notification-rules', rule)).toBe(201)
    expect(await ask('PUT', '/secrets', { hook: 's1gning-k3y' })).toBe(200)
    await hub.operate('a', 'update-last-seen', { 'last-seen': '' })
    const told = async () => (await (await hub.fetch('/notification-deliveries')).text()).includes('it is private')
    await eventually(told, true)
    expect(receiver.requests.filter(({ path }) => path === '/closed')).toEqual([])
  })

  it('end when their rule does, and find runs that no log tells of', async () => {
    const hub = await openRealTenant()
    await hub.configure({ ...pipe('empty', false), source: { type: 'empty' } })
    const rule = {
      type: 'pump_completed_value_too_low',
      name: 'nothing came',
      extra_rule_info: { parameter: 'entities_last_run', limit: 1 },
    }
    const answer = await hub.fetch('/pipes/empty/notification-rules', { method: 'POST', body: JSON.stringify(rule) })
    const { id } = (await answer.json()) as Json
    const list = async () =>
      ((await (await hub.fetch('/notifications')).json()) as Json[]).map(({ is_ongoing }) => is_ongoing)
    await hub.operate('empty', 'start')
    await eventually(list, [true])
    await hub.fetch(`/notification-rules/${id}`, { method: 'DELETE' })
    await eventually(list, [false])
  })
})
