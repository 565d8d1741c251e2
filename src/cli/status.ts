/** `samtale status`: a hub that runs, at a glance, for whoever is called at night. */

import { withHub } from './asking.ts'
import type { Command } from './command.ts'
import { age, bytes } from './figures.ts'
import type { Terminal } from './terminal.ts'

interface Named {
  readonly count: number
  readonly pipes: readonly Readonly<Record<string, unknown>>[]
}

interface Overview {
  readonly tenant: string
  readonly node: { readonly version: string; readonly started: string; readonly memory_bytes: number }
  readonly health: {
    readonly healthy: boolean
    readonly ready: boolean
    readonly reasons: readonly { readonly severity: string; readonly message: string; readonly hint: string }[]
  }
  readonly disks: readonly { readonly folder: string; readonly free_bytes: number; readonly total_bytes: number }[]
  readonly pipes: { readonly count: number; readonly running: number; readonly disabled: number } & Readonly<
    Record<'failing' | 'invalid' | 'tripped' | 'waiting' | 'out_of_sync' | 'retrying', Named>
  >
  readonly backup: { readonly state: string; readonly newest: string | null; readonly message: string | null }
  readonly notifications: { readonly ongoing: number; readonly waiting: number }
}

/** Pipes of each kind that are shown. */
const SHOWN = 10

export const status: Command = async ({ given, environment, terminal }) =>
  withHub(given, environment, async (hub) => {
    const overview = await hub.get<Overview>('/api/overview')
    if (given.flag('json')) terminal.line(JSON.stringify(overview, null, 2))
    else show(overview, Date.now(), terminal)
    return isWell(overview) ? 0 : 1
  })

const isWell = ({ health, pipes: { failing, tripped } }: Overview): boolean =>
  health.healthy && failing.count === 0 && tripped.count === 0

function show(overview: Overview, now: number, terminal: Terminal): void {
  const { health, node, pipes, disks, backup, notifications, tenant } = overview
  const { green, red, yellow, bold, dim } = terminal
  const state = health.healthy ? green('well') : health.ready ? yellow('somebody has to look') : red('not ready')
  terminal.line(
    `${bold('Hub')}      ${state}, version ${node.version}, up ${age(now - Date.parse(node.started))}, ${bytes(node.memory_bytes)} of memory${tenant === 'default' ? '' : `, tenant ${tenant}`}`,
  )
  for (const { severity, message, hint } of health.reasons) {
    terminal.line(`  ${(severity === 'unwell' ? yellow : red)(severity)} ${message}`)
    terminal.line(`  ${dim(hint)}`)
  }
  terminal.line(`${bold('Pipes')}    ${pipesLine(pipes)}`)
  list(pipes.failing, red('failed'), ({ pipe, since, message }) => `${pipe} ${ago(since, now)}: ${message}`, terminal)
  list(
    pipes.tripped,
    red('tripped'),
    ({ pipe }) => `${pipe}: commit what its circuit breaker holds back, or roll it back`,
    terminal,
  )
  list(pipes.invalid, yellow('invalid'), ({ pipe }) => `${pipe}: its configuration has errors`, terminal)
  const late = { ...pipes.waiting, pipes: pipes.waiting.pipes.filter(({ seconds }) => Number(seconds) >= LATE_S) }
  const wait = (seconds: unknown) => age(Number(seconds) * 1000)
  list(
    { ...late, count: late.pipes.length },
    yellow('waits'),
    ({ pipe, changes, seconds }) => `${pipe}: ${changes} changes, the oldest for ${wait(seconds)}`,
    terminal,
  )
  list(pipes.retrying, yellow('retries'), ({ pipe, entities }) => `${pipe}: ${entities} entities`, terminal)
  list(pipes.out_of_sync, yellow('out of sync'), ({ pipe }) => `${pipe}`, terminal)
  for (const { folder, free_bytes, total_bytes } of disks) {
    const share = Math.round((free_bytes / total_bytes) * 100)
    const text = `${bytes(free_bytes)} free of ${bytes(total_bytes)} (${share} %)`
    terminal.line(`${bold('Disk')}     ${folder}: ${share < 5 ? red(text) : text}`)
  }
  terminal.line(`${bold('Backup')}   ${backupLine(backup, now, terminal)}`)
  const told = `${notifications.ongoing} ongoing${notifications.waiting > 0 ? `, ${notifications.waiting} still to be sent` : ''}`
  terminal.line(`${bold('Notices')}  ${notifications.ongoing > 0 ? yellow(told) : told}`)
}

/** A change that waits for less is on its way. */
const LATE_S = 60

function pipesLine({ count, running, disabled, failing }: Overview['pipes']): string {
  const parts = [`${count} in all`, `${running} running`, `${failing.count} failed`, `${disabled} disabled`]
  return parts.join(', ')
}

function list(named: Named, what: string, tell: (pipe: Named['pipes'][number]) => string, terminal: Terminal): void {
  for (const pipe of named.pipes.slice(0, SHOWN)) terminal.line(`  ${what} ${tell(pipe)}`)
  if (named.count > SHOWN) terminal.line(`  ${what} and ${named.count - Math.min(SHOWN, named.pipes.length)} more`)
}

function backupLine(
  { state, newest, message }: Overview['backup'],
  now: number,
  { red, green, yellow }: Terminal,
): string {
  if (state === 'unknown') return newest === null ? yellow('none') : ago(newest, now)
  const when = newest === null ? 'none' : `the newest ${ago(newest, now)}`
  return state === 'healthy'
    ? green(when)
    : red(`${when}${message === null ? '' : `, and the last failed: ${message}`}`)
}

const ago = (time: unknown, now: number): string =>
  typeof time === 'string' ? `${age(now - Date.parse(time))} ago` : ''
