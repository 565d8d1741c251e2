/** Chooses the command and turns its outcome into an exit code: 0 done, 1 a problem, 2 not understood. */

import { nearest } from '../config/problems.ts'
import { readArguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { type CommandName, commandHelp, commandNames, generalHelp, usages } from './usage.ts'
import { version } from './version.ts'

/** Loaded when asked for: help and mistakes need no hub. */
const commands: Record<CommandName, () => Promise<Command>> = {
  serve: async () => (await import('./serve.ts')).serve,
  check: async () => (await import('./check.ts')).check,
  explain: async () => (await import('./explain.ts')).explain,
  flow: async () => (await import('./flow.ts')).flow,
  schema: async () => (await import('./schema.ts')).schema,
  status: async () => (await import('./status.ts')).status,
  logs: async () => (await import('./logs.ts')).logs,
  notifications: async () => (await import('./notifications.ts')).notifications,
  docs: async () => (await import('./docs.ts')).docs,
  run: async () => (await import('./run.ts')).run,
  import: async () => (await import('./import.ts')).importRdf,
  export: async () => (await import('./export.ts')).exportRdf,
  rollback: async () => (await import('./rollback.ts')).rollback,
  secrets: async () => (await import('./secrets.ts')).secrets,
  erase: async () => (await import('./erase.ts')).erase,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
  datasets: async () => (await import('./datasets.ts')).datasets,
  entity: async () => (await import('./entity.ts')).entity,
  verify: async () => (await import('./verify.ts')).verify,
  user: async () => (await import('./user.ts')).user,
  token: async () => (await import('./token.ts')).token,
}

type Environment = Readonly<Record<string, string | undefined>>

export async function runCommand(
  typed: readonly string[],
  environment: Environment,
  terminal: Terminal = openTerminal(environment),
): Promise<number> {
  // `samtale help serve` is `samtale serve --help`.
  const [name, ...rest] = typed[0] === 'help' && typed.length > 1 ? [...typed.slice(1), '--help'] : typed
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
    const given = readArguments(usages[name], rest, environment)
    if (given.flag('help')) {
      terminal.line(commandHelp(usages[name]).trimEnd())
      return 0
    }
    const command = await commands[name]()
    return await command({ given, environment, terminal })
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
  // Node's own codes for wrong use of its functions are mistakes of ours.
  const isExpected = error.code !== undefined && error.code !== 'unexpected' && !error.code.startsWith('ERR_')
  const lines = [`samtale: ${ofFile(error) ?? error.message}`]
  if (error.hint !== undefined) lines.push(`  ${error.hint}`)
  if (!isExpected || environment.SAMTALE_DEBUG !== undefined) lines.push(error.stack ?? '')
  return lines.join('\n')
}

/** What the operating system says about a file, for people. */
function ofFile({ code, path }: NodeJS.ErrnoException): string | undefined {
  const reason = code === undefined ? undefined : reasons[code]
  return path === undefined || reason === undefined ? undefined : `${path}: ${reason} (${code}).`
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not open it',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'there is something else with this name',
  EISDIR: 'it is a folder, not a file',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of this path is a file, not a folder',
  EPERM: 'this user may not do that',
  EROFS: 'it cannot be written',
}
