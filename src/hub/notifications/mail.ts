/** Sends mail by the mail server of the node; the package for it is loaded when it is first needed. */

import { connect, isIP, type LookupFunction } from 'node:net'
import type { NotificationSettings } from '../../config/notifications.ts'
import { HubError } from '../errors.ts'
import type { Mail } from './message.ts'

export interface MailPorts {
  /** Resolves names, and leaves out what may not be reached. */
  readonly lookup: LookupFunction
  /** Throws `target-refused` for a literal address that may not be reached. */
  check(host: string): void
  /** The value of `$SECRET(name)`. Throws `unknown-secret`. */
  secret(reference: string): string
}

export interface Letter extends Mail {
  readonly to: string
  /** Names the message: one that is sent again has the same. */
  readonly id: string
}

const CONNECT_MS = 10_000
const SILENCE_MS = 30_000

type Smtp = NonNullable<NotificationSettings['smtp']>

/** Throws when the server did not take it; `isFinal` in the details of the error: it never will. */
export async function sendMail(smtp: Smtp, letter: Letter, ports: MailPorts): Promise<void> {
  const { createTransport } = await nodemailer()
  const { smtp_server: host, smtp_port: port, smtp_username: user, smtp_password, tls, verify_ssl, mail_from } = smtp
  const socket = await connected(host, port, ports)
  const transport = createTransport({
    host,
    port,
    connection: socket,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: { ...(isIP(host) === 0 ? { servername: host } : {}), rejectUnauthorized: verify_ssl },
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user === undefined
      ? {}
      : { auth: { user, pass: smtp_password === undefined ? '' : ports.secret(smtp_password) } }),
  } as Parameters<typeof createTransport>[0])
  try {
    await transport.sendMail({
      from: mail_from,
      to: [{ name: '', address: letter.to }],
      subject: letter.subject,
      text: letter.text,
      messageId: `<${letter.id}@${mail_from.split('@')[1]}>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  } catch (cause) {
    throw refusal(cause, host)
  } finally {
    transport.close()
    socket.destroy()
  }
}

async function nodemailer(): Promise<typeof import('nodemailer')> {
  try {
    return await import('nodemailer')
  } catch (cause) {
    throw new HubError('missing-package', "Mail needs the package 'nodemailer', which is not installed.", {
      hint: 'Install it: npm install nodemailer.',
      cause,
    })
  }
}

function connected(host: string, port: number, { lookup, check }: MailPorts) {
  check(host)
  return new Promise<ReturnType<typeof connect>>((resolve, reject) => {
    const socket = connect({ host, port, lookup, timeout: CONNECT_MS })
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', fail)
      resolve(socket)
    })
    socket.once('timeout', () => socket.destroy(new Error('it does not answer')))
    const fail = (cause: Error) => reject(unreachable(cause, host, port))
    socket.once('error', fail)
  })
}

const unreachable = (cause: Error, host: string, port: number): unknown =>
  (cause as { code?: unknown }).code === 'target-refused'
    ? cause
    : new HubError('mail-failed', `The mail server ${host}:${port} is not reached: ${cause.message}.`, { cause })

/** A code of 5xx is a refusal for good, one of 4xx for now. */
function refusal(cause: unknown, host: string): HubError {
  const { message, responseCode } = cause as { message: string; responseCode?: number }
  return new HubError('mail-failed', `The mail server ${host} did not take a message: ${message}`, {
    details: {
      isFinal: responseCode !== undefined && responseCode >= 500 && responseCode < 600 && isOfRecipient(cause),
    },
    cause,
  })
}

/** That a login fails, or the sender is refused, somebody may mend; that a recipient does not exist, nobody here. */
const isOfRecipient = (cause: unknown): boolean =>
  (cause as { command?: unknown }).command === 'RCPT TO' || Array.isArray((cause as { rejected?: unknown }).rejected)
