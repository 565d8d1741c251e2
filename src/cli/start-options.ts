/** A file that holds pumps back from the first moment on, whatever the configuration says: for emergencies (hub.md §5.2). */

import { readFileSync } from 'node:fs'
import type { TaskManager } from '../hub/task-manager.ts'
import { UsageError } from './arguments.ts'

const SETTINGS = ['disable_pump_scheduler', 'disable_user_pipes']

/** `{"task_manager": {…}}`, as in the node metadata. */
export function readStartOptions(path: string): TaskManager {
  const parsed = parse(path)
  const given = (parsed as { readonly task_manager?: unknown } | null)?.task_manager
  const isDict = typeof given === 'object' && given !== null && !Array.isArray(given)
  const entries = isDict ? Object.entries(given) : []
  const isUnderstood = entries.every(([name, value]) => SETTINGS.includes(name) && typeof value === 'boolean')
  if (!isDict || !isUnderstood) {
    // In an emergency nothing is worse than an option that is not understood and passed over.
    throw new UsageError(`${path} is not {"task_manager": {…}} with ${SETTINGS.join(' or ')}, each true or false.`)
  }
  const is = (name: string) => entries.some(([one, value]) => one === name && value === true)
  return { disablesPumps: is('disable_pump_scheduler'), disablesUserPipes: is('disable_user_pipes') }
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UsageError(`${path} cannot be read as JSON: ${(error as Error).message}.`)
  }
}
