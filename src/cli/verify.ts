/** `samtale verify`: walks what a data folder holds, and names each law that does not hold, with the place. */

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { didYouMean } from '../config/problems.ts'
import { indexKeys } from '../hub/log-knowledge.ts'
import { verifyInChild } from '../hub/verify.ts'
import type { Finding, Place, Walked } from '../log/verify/finding.ts'
import { rebuild } from '../log/verify/rebuild.ts'
import { type Arguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import type { Terminal } from './terminal.ts'

interface TenantReport {
  readonly tenant: string
  readonly walked: Walked
  readonly findings: readonly Finding[]
  readonly count: number
  /** Datasets that were rebuilt. */
  readonly rebuilt: readonly string[]
}

/** Findings kept for the report of one tenant; the walk itself tells no more than a hundred of a kind. */
const KEPT = 10_000

export const verify: Command = async ({ given, terminal }) => {
  const reports: TenantReport[] = []
  for (const { tenant, path } of tenantLogs(given)) {
    const first = await verified(tenant, path, given, terminal)
    const datasets = given.flag('rebuild') ? repairable(first.findings) : new Set<string>()
    if (datasets.size === 0) {
      reports.push(first)
      continue
    }
    await rebuild(path, datasets, {
      keysOf: indexKeys(),
      progress: (dataset, versions) =>
        terminal.status(`${tenant}: rebuilding ${dataset}, ${versions.toLocaleString('en')}`),
    })
    terminal.clear()
    if (!given.flag('json')) terminal.line(`${tenant}: rebuilt ${[...datasets].join(', ')} from the log.`)
    reports.push({ ...(await verified(tenant, path, given, terminal)), rebuilt: [...datasets] })
  }
  if (given.flag('json')) terminal.line(JSON.stringify(reports, null, 2))
  return reports.some(({ count }) => count > 0) ? 1 : 0
}

/** The folders of the logs that were asked for. */
export function tenantLogs(given: Arguments): readonly { readonly tenant: string; readonly path: string }[] {
  const data = resolve(given.text('data') as string)
  const folder = join(data, 'tenants')
  if (!existsSync(folder)) throw new UsageError(`${data} holds no data of a hub.`)
  const all = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'log', 'data.mdb')))
  const name = given.text('tenant')
  if (name !== undefined && !all.includes(name)) {
    const meant = didYouMean(name, all)
    throw new UsageError(`there is no tenant '${name}' in ${data}.${meant === undefined ? '' : ` ${meant}`}`)
  }
  return all
    .filter((one) => name === undefined || one === name)
    .map((tenant) => ({ tenant, path: join(folder, tenant, 'log') }))
}

async function verified(tenant: string, path: string, given: Arguments, terminal: Terminal): Promise<TenantReport> {
  const findings: Finding[] = []
  const { walked, findings: count } = await verifyInChild(path, {
    found(finding) {
      if (findings.length < KEPT) findings.push(finding)
      if (!given.flag('json'))
        terminal.line(`${terminal.red(finding.law)} ${tenant}${placeOf(finding.place)}: ${finding.message}`)
    },
    progress: (now, place) =>
      terminal.status(`${tenant}${placeOf(place)}: ${now.versions.toLocaleString('en')} versions`),
  })
  terminal.clear()
  if (!given.flag('json')) {
    const n = (number: number) => number.toLocaleString('en')
    terminal.line(
      `${tenant}: ${n(walked.datasets)} datasets, ${n(walked.ids)} ids, ${n(walked.versions)} versions, ${n(walked.indexRows)} index rows; ${count === 0 ? terminal.green('all is well') : terminal.red(`${n(count)} ${count === 1 ? 'finding' : 'findings'}`)}.`,
    )
  }
  return { tenant, walked, findings, count, rebuilt: [] }
}

/** Datasets with findings that can be made again from their log: not those whose log is what is damaged. */
function repairable(findings: readonly Finding[]): Set<string> {
  const damaged = new Set<string>()
  const wrong = new Set<string>()
  for (const { law, place } of findings) {
    if (place.dataset === undefined) continue
    const isOfLog =
      law === 'sequence' || law === 'previous' || (law === 'unreadable' && (place.table ?? 'log') === 'log')
    if (isOfLog) damaged.add(place.dataset)
    else if (law !== 'offset') wrong.add(place.dataset)
  }
  return new Set([...wrong].filter((dataset) => !damaged.has(dataset)))
}

function placeOf({ table, dataset, sequence, id, index, key }: Place): string {
  const parts = [
    dataset === undefined ? null : `dataset '${dataset}'`,
    table === undefined ? null : `table ${table}`,
    sequence === undefined ? null : `sequence ${sequence}`,
    id === undefined ? null : `id '${id.length > 80 ? `${id.slice(0, 80)}…` : id}'`,
    index === undefined ? null : `index ${index}`,
    key === undefined ? null : `key ${key.length > 80 ? `${key.slice(0, 80)}…` : key}`,
  ].filter((part) => part !== null)
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`
}
