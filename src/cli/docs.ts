/** `samtale docs dtl [NAME]`: the reference of the language, from the objects that the compiler itself uses. */

import { didYouMean } from '../config/problems.ts'
import { entryText, reference, referenceText } from '../dtl/reference.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'

export const docs: Command = async ({ given, terminal }) => {
  const [what, name] = given.positionals as [string, string | undefined]
  if (what !== 'dtl') throw new UsageError(`there is no documentation of '${what}'; there is dtl.`)
  const all = reference()
  if (name === undefined) {
    terminal.line(given.flag('json') ? JSON.stringify(all, null, 2) : referenceText(all))
    return 0
  }
  const entries = [...all.transforms, ...all.functions]
  // Four names are both a transform and a function.
  const found = entries.filter((entry) => entry.name === name)
  if (found.length === 0) {
    const meant = didYouMean(
      name,
      entries.map((entry) => entry.name),
    )
    throw new UsageError(`there is no function or transform '${name}'.${meant === undefined ? '' : ` ${meant}`}`)
  }
  if (given.flag('json')) terminal.line(JSON.stringify(found, null, 2))
  else terminal.line(found.map(entryText).join('\n\n'))
  return 0
}
