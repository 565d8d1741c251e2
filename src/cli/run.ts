/** `samtale run DIR`: runs all pipes of a configuration until nothing changes, and tells what came of it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Tenant } from '../hub/contract.ts'
import { HubError } from '../hub/errors.ts'
import { HubNode } from '../hub/node.ts'
import { type PipeTotal, runUntilSettled } from '../hub/settle.ts'
import type { RunReport } from '../pipes/run-report.ts'
import type { Arguments } from './arguments.ts'
import { showIgnored, showProblems } from './check.ts'
import type { Command } from './command.ts'
import { type ConfigurationFolder, readConfiguration } from './configuration.ts'
import { plainLogger } from './logger.ts'
import { masterKeyOf } from './master-key.ts'
import { type Terminal, table } from './terminal.ts'
import { threadsOf } from './threads.ts'
import { version } from './version.ts'

/** How often what is running is told: in the status line, and where lines stay. */
const WATCHED_MS = 200
const UNWATCHED_MS = 10_000

export const run: Command = async ({ given, environment, terminal }) => {
  const configuration = readConfiguration(given.positionals[0] as string, environment)
  const key = masterKeyOf(given, environment)
  showIgnored(configuration, terminal)
  const kept = given.text('data')
  if (kept !== undefined) return runIn(resolve(kept), configuration, key, given, terminal)
  const data = mkdtempSync(join(tmpdir(), 'samtale-run-'))
  try {
    return await runIn(data, configuration, key, given, terminal)
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

async function runIn(
  data: string,
  configuration: ConfigurationFolder,
  key: ReturnType<typeof masterKeyOf>,
  given: Arguments,
  terminal: Terminal,
): Promise<number> {
  const base = given.text('base')
  const startedAt = performance.now()
  const node = await HubNode.open({
    data,
    developer: false,
    ...threadsOf(given),
    ...key,
    version,
    logger: plainLogger(terminal),
    withGraph: false,
    onFatal: (error) => {
      terminal.note(`samtale: ${error.message}`)
      process.exit(1)
    },
    ...(base === undefined ? {} : { base }),
  })
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    const tenant = node.tenants()[0]
    if (tenant === undefined) throw new HubError('unexpected', 'The hub has no tenant.')
    await tenant.replaceEnv(configuration.env)
    const problems = await tenant.replaceConfig(configuration.files, true, configuration.folder)
    showProblems(problems, { ...terminal, line: terminal.note })
    const tell = terminal.isWatched
      ? () => terminal.status(running(tenant))
      : () => running(tenant) !== '' && terminal.note(running(tenant))
    const ticker = setInterval(tell, terminal.isWatched ? WATCHED_MS : UNWATCHED_MS)
    const hear = (pipe: string, { outcome, read, changes }: RunReport) => {
      if (!terminal.isWatched && (read > 0 || outcome !== 'completed')) {
        terminal.note(`${pipe}: ${outcome}, ${read} read, ${changes} changed`)
      }
    }
    const { totals, isSettled } = await runUntilSettled(tenant, hear, stop.signal).finally(() => clearInterval(ticker))
    terminal.clear()
    const seconds = (performance.now() - startedAt) / 1000
    const outOfSync = outOfSyncOf(tenant)
    if (given.flag('json')) terminal.line(JSON.stringify({ seconds, isSettled, pipes: totals, outOfSync }, null, 2))
    else {
      show(totals, isSettled, seconds, terminal)
      for (const line of outOfSyncLines(outOfSync)) terminal.line(terminal.yellow(line))
    }
    return isSettled && totals.every(({ outcome }) => outcome === 'completed' || outcome === 'idle') ? 0 : 1
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await node.close()
  }
}

function running(tenant: {
  pipeIds(): readonly string[]
  pumpState(id: string): { running: { read: number } | null }
}): string {
  const now = tenant.pipeIds().flatMap((id) => {
    const { running } = tenant.pumpState(id)
    return running === null ? [] : [`${id} ${running.read.toLocaleString('en')}`]
  })
  return now.length === 0 ? '' : `running: ${now.join(', ')}`
}

interface OutOfSync {
  readonly reason: string
  readonly message: string
}

/** Why pipes may hold other than what they would make now (hub.md §12). */
function outOfSyncOf(tenant: Pick<Tenant, 'pipeIds' | 'pump'>): Readonly<Record<string, readonly OutOfSync[]>> {
  const told = tenant.pipeIds().map((id) => {
    const { runtime } = JSON.parse(tenant.pump(id) ?? '{"runtime":{}}') as { runtime: Record<string, unknown> }
    return [id, (runtime['out-of-sync'] ?? []) as readonly OutOfSync[]] as const
  })
  return Object.fromEntries(told.filter(([, reasons]) => reasons.length > 0))
}

function outOfSyncLines(outOfSync: ReturnType<typeof outOfSyncOf>): readonly string[] {
  const lines = Object.entries(outOfSync).flatMap(([id, reasons]) =>
    reasons.map(({ message }) => `out of sync ${id}: ${message}`),
  )
  return lines.length === 0 ? [] : [...lines, 'Reset or rescan these pipes, or set "reprocessing_policy": "automatic".']
}

function show(totals: readonly PipeTotal[], isSettled: boolean, seconds: number, terminal: Terminal): void {
  const rows = totals.map(({ pipe, outcome, runs, read, changes, dataset, entities, seconds: spent }) => [
    pipe,
    outcome,
    runs,
    read,
    changes,
    dataset ?? '-',
    entities ?? '-',
    `${spent.toFixed(1)} s`,
  ])
  const headings = ['pipe', 'outcome', 'runs', 'read', 'changes', 'dataset', 'entities', 'time']
  for (const [place, line] of table(headings, rows).entries()) terminal.line(place === 0 ? terminal.bold(line) : line)
  for (const { pipe, outcome, message, hint } of totals) {
    if (outcome !== 'failed' && outcome !== 'waiting') continue
    terminal.line(`${terminal.red(outcome)} ${pipe}: ${message}${hint === null ? '' : ` ${hint}`}`)
  }
  if (!isSettled) terminal.line(terminal.red('Stopped before everything had settled.'))
  terminal.line(`${totals.length} ${totals.length === 1 ? 'pipe' : 'pipes'} in ${seconds.toFixed(1)} s.`)
}
