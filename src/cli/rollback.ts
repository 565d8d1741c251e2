/** `samtale rollback`: puts the configuration back to an earlier generation, where no hub runs on the data. */

import type { Generation } from '../hub/contract-configuration.ts'
import type { HubTenant } from '../hub/tenant.ts'
import { type Arguments, UsageError } from './arguments.ts'
import { showProblems } from './check.ts'
import type { Command } from './command.ts'
import { masterKeyOf } from './master-key.ts'
import { withTenant } from './open-data.ts'
import { type Terminal, table } from './terminal.ts'

export const rollback: Command = async ({ given, environment, terminal }) =>
  withTenant(given, terminal, { mustExist: true, ...masterKeyOf(given, environment) }, async (tenant) => {
    if (given.flag('list')) list(tenant.configuration.generations(), given, terminal)
    else await goBack(tenant, given, terminal)
    return 0
  })

async function goBack({ configuration }: HubTenant, given: Arguments, terminal: Terminal): Promise<void> {
  const { problems } = await configuration.rollback(numberOf(given.text('to')))
  const [present] = configuration.generations()
  const components = configuration.components().length
  if (given.flag('json')) {
    terminal.line(JSON.stringify({ generation: present?.number, components, problems }, null, 2))
    return
  }
  showProblems(problems, { ...terminal, line: terminal.note })
  const what = `${components} ${components === 1 ? 'component' : 'components'}`
  terminal.line(`The configuration is back: ${what}. This is generation ${present?.number}.`)
}

function list(all: readonly Generation[], given: Arguments, terminal: Terminal): void {
  const rows = all.map(({ number, at, kind }, place) => [
    number,
    at === null ? '-' : new Date(at).toISOString(),
    at === null ? '-' : kind,
    place === 0 ? 'present' : '',
  ])
  if (given.flag('json')) {
    const shown = all.map(({ number, at, kind, user }, place) => ({
      generation: number,
      time: at === null ? null : new Date(at).toISOString(),
      kind,
      user,
      present: place === 0,
    }))
    terminal.line(JSON.stringify(shown, null, 2))
  } else for (const line of table(['generation', 'since', 'change', ''], rows)) terminal.line(line)
}

function numberOf(text: string | undefined): number | null {
  if (text === undefined) return null
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--to ${text} is not the number of a generation.`)
  return Number(text)
}
