/** Reads what was typed for a command, with defaults from the environment; mistakes name the nearest thing that exists. */

import { parseArgs } from 'node:util'
import { nearest } from '../config/problems.ts'
import { type CommandUsage, parseOptions } from './usage.ts'

export interface Arguments {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  flag(name: string): boolean
}

/** What was typed makes no command: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function readArguments(
  usage: CommandUsage,
  typed: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Arguments {
  const { values, positionals } = parse(usage, typed)
  const required = usage.positionals.filter((name) => !name.startsWith('['))
  if (positionals.length < required.length && values.help !== true) {
    throw new UsageError(`samtale ${usage.name} needs ${required.join(' ')}.`)
  }
  if (positionals.length > usage.positionals.length && !usage.positionals.some((name) => name.includes('...'))) {
    throw new UsageError(`samtale ${usage.name} does not know what to do with '${positionals.at(-1)}'.`)
  }
  return {
    positionals,
    text(name) {
      const option = usage.options[name]
      const value = values[name] ?? (option?.variable === undefined ? undefined : environment[option.variable])
      return (value === '' ? undefined : (value as string | undefined)) ?? option?.default
    },
    flag(name) {
      const variable = usage.options[name]?.variable
      if (values[name] !== undefined) return values[name] === true
      return variable !== undefined && /^(?:1|true|yes)$/i.test(environment[variable] ?? '')
    },
  }
}

function parse(usage: CommandUsage, typed: readonly string[]) {
  try {
    return parseArgs({ args: [...typed], options: parseOptions(usage), allowPositionals: true, strict: true })
  } catch (error) {
    const unknown = /Unknown option '(-{1,2}[^']*)'/.exec((error as Error).message)?.[1]
    if (unknown === undefined) throw new UsageError((error as Error).message)
    const meant = nearest(unknown.replace(/^-+/, ''), Object.keys(usage.options))
    throw new UsageError(
      `samtale ${usage.name} has no option ${unknown}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`,
    )
  }
}
