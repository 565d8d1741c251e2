/** The limits of `samtale serve` as its help shows them. */

import { limitNames, limitTable } from '../api/limits/limits.ts'

/** For the help: each limit with its default. */
export function limitsHelp(): string {
  const width = Math.max(...limitNames.map((name) => name.length))
  const lines = limitNames.map(
    (name) => `  ${name.padEnd(width)}  ${limitTable[name].about} (${limitTable[name].default})`,
  )
  return ['Limits, in --limits NAME=NUMBER,… with their defaults:', ...lines].join('\n')
}
