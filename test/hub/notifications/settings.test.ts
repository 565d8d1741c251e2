/** What the node metadata says of notifications: taken as it is right, refused with what is wrong. */

import { describe, expect, it } from 'vitest'
import { deploy } from '../../../src/hub/deployment.ts'

const deployed = (notifications: object) =>
  deploy(JSON.stringify([{ _id: 'node', type: 'metadata', notifications }]), '{}', null)
const SMTP = { smtp_server: 'mail.example.org', mail_from: 'hub@example.org' }

describe('the settings of notifications', () => {
  it('have defaults, and are absent where nobody says anything', () => {
    const login = { smtp_username: 'hub', smtp_password: '$SECRET(smtp)' }
    expect(deployed({ smtp: { ...SMTP, ...login } }).problems).toEqual([])
    expect(deploy('[]', '{}', null).notifications).toBeNull()
    expect(
      deployed({ smtp: SMTP, quiet_hours: { from: '22:00', to: '06:30', time_zone: 'Europe/Oslo' } }),
    ).toMatchObject({
      problems: [],
      notifications: {
        smtp: { smtp_port: 587, tls: 'starttls', verify_ssl: true },
        gather_seconds: 30,
        repeat_seconds: 3600,
        max_per_hour: 20,
        keep_days: 90,
      },
    })
  })

  it.each([
    [{ smtp: { smtp_server: 'a' } }, 'mail_from'],
    [{ smtp: { ...SMTP, smtp_password: 'plain' } }, 'smtp_password'],
    [{ smtp: { ...SMTP, smtp_username: '$SECRET(name)' } }, 'smtp_username'],
    [{ smtp: { ...SMTP, mail_from: 'a@b\nBcc: c@d' } }, 'mail_from'],
    [{ smtp: { ...SMTP, tls: 'maybe' } }, 'tls'],
    [{ quiet_hours: { from: '25:00', to: '06:00' } }, 'quiet_hours/from'],
    [{ quiet_hours: { from: '22:00', to: '06:00', time_zone: 'Nowhere/At_all' } }, 'time_zone'],
    [{ gather_seconds: -1 }, 'gather_seconds'],
  ])('with mistakes are an error that says where: %j', (notifications, where) => {
    const { problems, notifications: settings } = deployed(notifications)
    expect(settings).toBeNull()
    expect(problems.map(({ level, pointer, message }) => `${level} ${pointer} ${message}`).join()).toMatch(
      /^error \/notifications\S* .*/,
    )
    expect(JSON.stringify(problems)).toContain(where)
  })
})
