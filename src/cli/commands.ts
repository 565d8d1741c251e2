/** Chooses the command and turns its outcome into an exit code: 0 done, 1 a problem, 2 not understood. */

import { nearest } from '../config/problems.ts'
import { readArguments, UsageError } from './arguments.ts'
import { check } from './check.ts'
import type { Command } from './command.ts'
import { exportRdf } from './export.ts'
import { importRdf } from './import.ts'
import { run } from './run.ts'
import { serve } from './serve.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { type CommandName, commandHelp, commandNames, generalHelp, usages } from './usage.ts'
import { version } from './version.ts'

const commands: Record<CommandName, Command> = { serve, check, run, import: importRdf, export: exportRdf }

type Environment = Readonly<Record<string, string | undefined>>

export async function runCommand(typed: readonly string[], environment: Environment): Promise<number> {
  const terminal = openTerminal(environment)
  const [name, ...rest] = typed
  if (name === '--version' || name === '-v') {
    terminal.line(version)
    return 0
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.line(generalHelp(version).trimEnd())
    return name === undefined ? 2 : 0
  }
  if (!Object.hasOwn(commands, name)) {
    const meant = nearest(name, commandNames)
    terminal.note(`samtale: there is no command '${name}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`}`)
    terminal.note('samtale --help lists the commands.')
    return 2
  }
  return runKnown(name as CommandName, rest, environment, terminal)
}

async function runKnown(
  name: CommandName,
  rest: readonly string[],
  environment: Environment,
  terminal: Terminal,
): Promise<number> {
  try {
    const given = readArguments(
      usages[name],
      rest.map((word) => (word === '-h' ? '--help' : word)),
      environment,
    )
    if (given.flag('help')) {
      terminal.line(commandHelp(usages[name]).trimEnd())
      return 0
    }
    return await commands[name]({ given, environment, terminal })
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.note(`samtale: ${error.message}`)
      terminal.note(`samtale ${name} --help shows how.`)
      return 2
    }
    terminal.note(explain(error as Error & { hint?: string; code?: string }, environment))
    return 1
  }
}

/** What, why and what to do; the stack only for what nobody expected. */
function explain(error: Error & { hint?: string; code?: string }, environment: Environment): string {
  const isExpected = error.code !== undefined && error.code !== 'unexpected'
  const lines = [`samtale: ${error.message}`]
  if (error.hint !== undefined) lines.push(`  ${error.hint}`)
  if (!isExpected || environment.SAMTALE_DEBUG !== undefined) lines.push(error.stack ?? '')
  return lines.join('\n')
}
