/** `samtale check DIR`: every problem of a configuration at once, with file and JSON pointer. */

import type { Problem } from '../config/problems.ts'
import { type Checked, checkConfiguration } from '../hub/check.ts'
import type { Command } from './command.ts'
import { type ConfigurationFolder, readConfiguration } from './configuration.ts'
import type { Terminal } from './terminal.ts'

export const check: Command = async ({ given, environment, terminal }) => {
  const configuration = readConfiguration(given.positionals[0] as string, environment)
  const { files, env } = configuration
  showIgnored(configuration, terminal)
  const { problems, exactness } = checkConfiguration(files, env)
  const errors = problems.filter(({ level }) => level === 'error').length
  if (given.flag('json')) terminal.line(JSON.stringify({ problems, exactness }, null, 2))
  else {
    showProblems(problems, terminal)
    const warnings = problems.length - errors
    const verdict =
      errors === 0 ? terminal.green('The configuration is valid') : terminal.red('The configuration is not valid')
    terminal.line(
      `${verdict}: ${count(files.length, 'file')}, ${count(errors, 'error')}, ${count(warnings, 'warning')}.`,
    )
    for (const line of exactnessLines(exactness)) terminal.line(line)
  }
  return errors === 0 ? 0 : 1
}

/** Which results may depend on what happened on the way: nothing is wrong with that, but it should be known. */
function exactnessLines(exactness: Checked['exactness']): readonly string[] {
  const inexact = Object.entries(exactness).filter(([, { reasons }]) => reasons.some(({ kind }) => kind !== 'outside'))
  if (inexact.length === 0) return []
  const kinds = inexact.map(
    ([pipe, { reasons }]) => `${pipe} (${[...new Set(reasons.map(({ kind }) => kind))].join(', ')})`,
  )
  return [
    `Not exact, so that what they hold may depend on what happened on the way: ${kinds.join(', ')}.`,
    `See 'samtale explain PIPE'.`,
  ]
}

export function showProblems(problems: readonly Problem[], terminal: Terminal): void {
  for (const { level, file, component, pointer, message, hint } of problems) {
    const mark = level === 'error' ? terminal.red('error  ') : terminal.yellow('warning')
    terminal.line(`${mark} ${terminal.bold(file ?? component)} ${pointer || '/'}`)
    terminal.line(`        ${message}${hint === undefined ? '' : ` ${hint}`}`)
  }
}

/** A file that looks like configuration and is none would be missed by whoever wrote it. */
export function showIgnored({ ignored }: ConfigurationFolder, terminal: Terminal): void {
  for (const name of ignored)
    terminal.note(`${terminal.yellow('ignored')} ${name}: its name does not end in .conf.json.`)
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
