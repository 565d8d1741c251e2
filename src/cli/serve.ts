/** `samtale serve`: a hub with its API, until SIGTERM or SIGINT. */

import { resolve } from 'node:path'
import { openServer } from '../api/server.ts'
import type { BackupSettings } from '../hub/backups/backups.ts'
import { doors } from '../hub/doors.ts'
import { HubNode } from '../hub/node.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './arguments.ts'
import { accessSettings, authenticates, isLoopback, keepFirstToken } from './authentication.ts'
import { showIgnored, showProblems } from './check.ts'
import type { Command } from './command.ts'
import { readConfiguration } from './configuration.ts'
import { openLogBook } from './logger.ts'
import { masterKeyOf } from './master-key.ts'
import { limitsOf, networkOf, targetsOf } from './network-options.ts'
import { readStartOptions } from './start-options.ts'
import { threadsOf } from './threads.ts'
import { readTls, renewOnSignal, tlsFiles } from './tls.ts'
import { version } from './version.ts'

/** A clean end takes this long at most. */
const END_MS = 5_000

export const serve: Command = async ({ given, environment, terminal }) => {
  const host = given.text('host') as string
  const port = portOf(given)
  const data = resolve(given.text('data') as string)
  const isGuarded = authenticates(given, { host, data })
  const files = tlsFiles(given)
  const tls = files === null ? null : readTls(files)
  const config = given.text('config')
  const configuration = config === undefined ? null : readConfiguration(config, environment)
  const base = given.text('base')
  const options = given.text('start-options')
  const logs = openLogBook(given, terminal)
  const logger = logs.logger('hub')
  const { limits } = limitsOf(given)
  const node = await HubNode.open({
    data,
    access: accessSettings(given, environment),
    developer: given.flag('developer'),
    ...(options === undefined ? {} : { tasks: readStartOptions(options) }),
    ...backupOf(given),
    ...threadsOf(given),
    ...networkOf(given),
    ...targetsOf(given, isLoopback(host)),
    ...masterKeyOf(given, environment),
    version,
    logger,
    logs,
    onFatal: (error) => {
      terminal.note(`samtale: ${error.message}`)
      process.exit(1)
    },
    ...(base === undefined ? {} : { base }),
  })
  let server: Awaited<ReturnType<typeof openServer>> | undefined
  try {
    if (configuration !== null) {
      showIgnored(configuration, terminal)
      const tenant = node.tenant('default')
      await tenant?.replaceEnv(configuration.env)
      showProblems((await tenant?.replaceConfig(configuration.files, true, configuration.folder)) ?? [], {
        ...terminal,
        line: terminal.note,
      })
    }
    if (tls === null && !isLoopback(host)) {
      terminal.note(
        'samtale: tokens and data cross the network in clear. Give --tls-cert and --tls-key, or put a proxy with TLS before it.',
      )
    }
    if (isGuarded) node.access.prepare()
    server = await openServer(node, {
      host,
      port,
      doors,
      limits,
      authenticates: isGuarded,
      ...(tls === null ? {} : { tls }),
    })
    if (isGuarded) await keepFirstToken(node.access, data, terminal)
    if (files !== null) renewOnSignal(files, server, logger)
    node.listensAt(server.url)
    node.startPumps()
    terminal.line(`Samtale is listening on ${server.url}`)
    const signal = await ended()
    logger.info(`Ending on ${signal}.`)
    return 0
  } finally {
    // Whatever hangs, the process ends in time; what was acknowledged is on disk already.
    setTimeout(() => {
      terminal.note(
        'samtale: not everything ended in time. What was acknowledged is stored; pipes go on at the next start.',
      )
      process.exit(1)
    }, END_MS).unref()
    await server?.close()
    await node.close()
  }
}

/** Where, how often, and what of it is kept. */
function backupOf(given: Arguments): { backup?: BackupSettings } {
  const folder = given.text('backup-dir')
  const hours = Number(given.text('backup-hours'))
  if (!(hours > 0)) throw new UsageError(`--backup-hours ${given.text('backup-hours')} is not a number above 0.`)
  const keep = /^(\d+),(\d+),(\d+)$/.exec(given.text('backup-keep') as string)
  if (keep === null) {
    throw new UsageError(`--backup-keep ${given.text('backup-keep')} is not three numbers, such as 7,4,4.`)
  }
  const [daily, weekly, monthly] = keep.slice(1).map(Number) as [number, number, number]
  if (folder === undefined) return {}
  return { backup: { folder: resolve(folder), intervalMs: hours * 3_600_000, keep: { daily, weekly, monthly } } }
}

const ended = (): Promise<string> =>
  new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => done(signal))
  })

function portOf(given: Arguments): number {
  const text = given.text('port') as string
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError(`--port ${text} is not a port: 0 to 65535.`)
  return port
}
