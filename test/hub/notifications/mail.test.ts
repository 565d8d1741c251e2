/** Mail over a real mail server, which takes it, refuses it, or wants it encrypted; and calls of a receiver that misbehaves. */

import { createHmac } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { callHook } from '../../../src/hub/notifications/hook.ts'
import { sendMail } from '../../../src/hub/notifications/mail.ts'
import { mailOf, type Told } from '../../../src/hub/notifications/message.ts'
import { HttpClient } from '../../../src/pipes/http.ts'
import { ALL_TARGETS, OUTER_TARGETS, Targets } from '../../../src/pipes/systems/targets.ts'
import { selfSigned } from '../../fakes/certificate.ts'
import { type FakeServer, redirect, silence, startFakeServer, status } from '../../fakes/http-server.ts'

const told = (some: Partial<Told['notification']> = {}, what: Told['what'] = 'opened'): Told => ({
  what,
  notification: {
    id: 'n',
    ruleId: 'r',
    ruleName: 'Orders fail',
    ruleType: 'pump_failed',
    pipe: 'orders',
    msg: 'The pump failed: no.',
    at: 0,
    lastAt: 60_000,
    count: 3,
    isOngoing: true,
    resolvedAt: null,
    isUrgent: false,
    ...some,
  },
})
const SENDER = { tenant: 'default', webAddress: 'https://hub.example' }

describe('a message', () => {
  it('says what it is about, since when and how often', () => {
    const { subject, text } = mailOf([told()], SENDER)
    expect(subject).toBe('[samtale] orders: Orders fail')
    expect(text).toBe(`orders: Orders fail
  The pump failed: no.
  Pipe: orders
  First at 1970-01-01T00:00:00.000Z; 2 more times since, the last at 1970-01-01T00:01:00.000Z.

-- 
Samtale, tenant default, https://hub.example. Rules: /api/notification-rules`)
    expect(mailOf([told({ resolvedAt: 5, count: 1 }, 'resolved')], { ...SENDER, tenant: 't' }).subject).toBe(
      '[samtale t] Resolved: orders: Orders fail',
    )
  })

  it('counts what it cannot tell one by one, and lets nobody write its headers', () => {
    const { subject, text } = mailOf(
      Array.from({ length: 150 }, () => told({ pipe: 'a\r\nBcc: x@y', ruleName: 'b\nSubject: c' })),
      SENDER,
    )
    expect(subject).toBe('[samtale] 150 notifications: 150 began')
    expect(text).toContain('And 50 more.')
    expect(mailOf([told({ ruleName: 'b\r\nBcc: x@y' })], SENDER).subject).toBe('[samtale] orders: b Bcc: x@y')
  })
})

interface Received {
  readonly to: readonly string[]
  readonly text: string
  readonly user: string | undefined
  readonly isEncrypted: boolean
}

describe('mail', () => {
  const certificate = selfSigned()
  const open: SMTPServer[] = []
  afterEach(async () => {
    for (const server of open.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  async function server(options: SMTPServerOptions = {}) {
    const received: Received[] = []
    const made = new SMTPServer({
      ...certificate,
      authOptional: true,
      onData(stream, session, done) {
        let text = ''
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map(({ address }) => address)
          received.push({ to, text, user: session.user as string | undefined, isEncrypted: session.secure })
          done()
        })
      },
      onAuth: ({ username, password }, _session, done) =>
        password === 's3cret' ? done(null, { user: username }) : done(new Error('wrong')),
      ...options,
    })
    made.on('error', () => {})
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
    open.push(made)
    return { port: (made.server.address() as AddressInfo).port, received }
  }

  const smtp = (port: number, more: object = {}) =>
    ({
      smtp_server: '127.0.0.1',
      smtp_port: port,
      tls: 'starttls',
      verify_ssl: false,
      mail_from: 'hub@example.org',
      ...more,
    }) as const
  const send = (settings: ReturnType<typeof smtp>, to = 'ann@example.org', targets = new Targets(ALL_TARGETS)) =>
    sendMail(
      settings,
      { ...mailOf([told()], SENDER), to, id: 'abc' },
      { lookup: targets.lookup, check: (host) => targets.check(host), secret: () => 's3cret' },
    )

  it('is sent encrypted, by somebody who logs in, with a name that stays', async () => {
    const { port, received } = await server()
    await send(smtp(port, { smtp_username: 'hub', smtp_password: '$SECRET(mail)' }))
    expect(received).toMatchObject([{ to: ['ann@example.org'], user: 'hub', isEncrypted: true }])
    const [{ text }] = received as [Received]
    expect(text).toContain('Subject: [samtale] orders: Orders fail')
    expect(text).toContain('Message-ID: <abc@example.org>')
    expect(text).toContain('Auto-Submitted: auto-generated')
    expect(text).toContain('The pump failed: no.')
    expect(text).not.toContain('s3cret')
  })

  it('is sent over a connection that is encrypted from the start, or plainly where that is asked for', async () => {
    const implicit = await server({ secure: true })
    await send(smtp(implicit.port, { tls: 'implicit' }))
    expect(implicit.received).toMatchObject([{ isEncrypted: true }])
    const plain = await server({ disabledCommands: ['STARTTLS'] })
    await send(smtp(plain.port, { tls: 'none' }))
    expect(plain.received).toMatchObject([{ isEncrypted: false }])
  })

  it('is not sent where it would be read by others', async () => {
    const stripped = await server({ disabledCommands: ['STARTTLS'], allowInsecureAuth: true })
    await expect(send(smtp(stripped.port))).rejects.toMatchObject({ code: 'mail-failed' })
    const unknown = await server()
    await expect(send(smtp(unknown.port, { verify_ssl: true }))).rejects.toMatchObject({ code: 'mail-failed' })
    expect([...stripped.received, ...unknown.received]).toEqual([])
  })

  it('tells a recipient that there is not from a server that has no time', async () => {
    const refuse = (responseCode: number) =>
      server({
        onRcptTo: (_address, _session, done) => done(Object.assign(new Error('no'), { responseCode })),
      })
    const isFinal = async (port: number) => {
      const error = await send(smtp(port)).then(
        () => null,
        (thrown: { code: string; details: { isFinal: boolean } }) => thrown,
      )
      return [error?.code, error?.details.isFinal]
    }
    expect(await isFinal((await refuse(550)).port)).toEqual(['mail-failed', true])
    expect(await isFinal((await refuse(451)).port)).toEqual(['mail-failed', false])
    const { port } = await server()
    const settings = smtp(port, { smtp_username: 'hub' })
    await expect(send(settings)).rejects.toMatchObject({ code: 'mail-failed', details: { isFinal: false } })
  })

  it('says that the server is not there, and goes nowhere that is closed to the hub', async () => {
    await expect(send(smtp(1))).rejects.toMatchObject({
      code: 'mail-failed',
      message: expect.stringContaining('127.0.0.1:1'),
    })
    const { port, received } = await server()
    await expect(send(smtp(port), 'ann@example.org', new Targets(OUTER_TARGETS))).rejects.toMatchObject({
      code: 'target-refused',
    })
    await expect(
      send(smtp(port, { smtp_server: 'localhost' }), 'ann@example.org', new Targets(OUTER_TARGETS)),
    ).rejects.toMatchObject({ code: 'target-refused' })
    expect(received).toEqual([])
  })
})

describe('a webhook', () => {
  let receiver: FakeServer
  const client = (targets = ALL_TARGETS) =>
    new HttpClient({
      connectTimeoutMs: 1_000,
      readTimeoutMs: 200,
      verifyCertificates: true,
      targets,
      mask: (text) => text,
    })
  const http = client()
  beforeAll(async () => {
    receiver = await startFakeServer()
  })
  afterAll(async () => {
    await http.close()
    await receiver.close()
  })

  const call = (path: string, secret: string | null = null, by = http) =>
    callHook(
      by,
      { url: `${receiver.url}${path}`, body: '{"a":1}', delivery: 'd1', secret, at: 1_700_000_000 },
      new AbortController().signal,
    )

  it('is signed so that its receiver can tell whom it is from, and when', async () => {
    receiver.on('/ok', status(204))
    await call('ok', 'k3y')
    const { headers, body } = receiver.requests.at(-1) as unknown as { headers: Record<string, string>; body: unknown }
    const expected = createHmac('sha256', 'k3y').update('1700000000.{"a":1}').digest('hex')
    expect(headers['x-samtale-signature']).toBe(`t=1700000000,v1=${expected}`)
    expect(headers['x-samtale-delivery']).toBe('d1')
    expect(String(body)).toBe('{"a":1}')
    await call('ok')
    expect(receiver.requests.at(-1)?.headers).not.toHaveProperty('x-samtale-signature')
  })

  it('fails for now, or for good when the receiver says that it is gone', async () => {
    receiver.on('/broken', status(500))
    receiver.on('/gone', status(410))
    await expect(call('broken')).rejects.toMatchObject({
      code: 'webhook-failed',
      details: { status: 500, isFinal: false },
    })
    await expect(call('gone')).rejects.toMatchObject({ details: { isFinal: true } })
  })

  it('waits for nobody who says nothing, reads no more than it needs, and follows nobody into closed places', async () => {
    receiver.on('/silent', silence)
    receiver.on('/endless', (response) => {
      response.writeHead(200)
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(10_000), more)
      }
      more()
    })
    receiver.on('/away', redirect('http://169.254.169.254/latest', 307))
    await expect(call('silent')).rejects.toMatchObject({ code: 'system-unreachable' })
    await call('endless')
    await expect(call('away')).rejects.toMatchObject({ code: 'target-refused' })
    const outer = client(OUTER_TARGETS)
    await expect(call('ok', null, outer)).rejects.toMatchObject({ code: 'target-refused' })
    await outer.close()
  })
})
