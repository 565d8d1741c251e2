/** A line of the log for people: time, level, who says it, what, and the rest as name=value. */

import type { Level, Line } from '../hub/logs/line.ts'

/** How a level looks; without colours, as it is. */
export type Paint = (level: Level, text: string) => string

/** Details that say nothing to who reads the message. */
const STACKS = ['stack', 'traceback']

export function logText({ time, level, logger, message, details }: Line, paint: Paint = (_, text) => text): string {
  const stacks = STACKS.flatMap((name) => (typeof details[name] === 'string' ? [details[name]] : []))
  const rest = Object.entries(details).filter(([name, value]) => !STACKS.includes(name) && isSaying(value))
  const said = [logger.padEnd(5), message, ...rest.map(([name, value]) => `${name}=${valueText(value)}`)]
  const head = [
    new Date(time).toISOString().replace('T', ' ').slice(0, -1),
    paint(level, level.toUpperCase().padEnd(5)),
  ]
  // No text of others begins a line of its own, nor moves the cursor.
  const line = [...head, ...said.map(plain)].join(' ')
  return [line, ...stacks.map((stack) => stack.split('\n').map(indented).join('\n'))].join('\n')
}

const isSaying = (value: unknown): boolean => value !== null && value !== undefined && value !== ''

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=]*$/.test(text) ? text : JSON.stringify(text)
}

const indented = (line: string): string => `    ${plain(line)}`

const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
