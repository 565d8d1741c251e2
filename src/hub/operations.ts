/** What may be asked of a pump, and by which pipes each is understood (rest-api.md §4.2). */

import { type Pipe, runsByPump } from '../pipes/pipe.ts'
import { HubError } from './errors.ts'

/** Each with whether a pipe that its pump runs knows it. */
const KNOWS = {
  start: (pipe) => pipe.pump.mode !== 'off',
  'start-rescan': (pipe) => pipe.pump.mode !== 'off',
  stop: () => true,
  enable: () => true,
  disable: () => true,
  'update-last-seen': (pipe) => !pipe.isOffsetProtected,
  'set-last-seen-to-end': (pipe) => !pipe.isOffsetProtected && pipe.source.end !== null,
  'reset-rescan': (pipe) => pipe.sink.kind === 'dataset',
  'reset-tracking': (pipe) => pipe.tracking !== null,
  'set-tracking-to-start': (pipe) => pipe.tracking !== null,
  'discard-retries': () => true,
  'discard-inferred-schema': () => true,
} as const satisfies Record<string, (pipe: Pipe) => boolean>

export type Operation = keyof typeof KNOWS

/** Of a pipe that does not run because of errors. */
const OF_ALL: readonly Operation[] = ['enable', 'disable']
/** Of a pipe that runs on request. */
const OF_REQUESTED: readonly Operation[] = [...OF_ALL, 'discard-inferred-schema']

export function supportedOperations(pipe: Pipe | null): readonly Operation[] {
  if (pipe === null) return OF_ALL
  if (!runsByPump(pipe)) return OF_REQUESTED
  return (Object.keys(KNOWS) as Operation[]).filter((operation) => KNOWS[operation](pipe))
}

/** Throws `unsupported-operation` when the pump does not know it. */
export function asOperation(id: string, pipe: Pipe | null, operation: string): Operation {
  const known = supportedOperations(pipe).find((one) => one === operation)
  if (known !== undefined) return known
  const hint = pipe === null ? 'Repair its configuration first.' : whyNot(pipe, operation)
  throw new HubError(
    'unsupported-operation',
    `The pump of pipe '${id}' doesn't support the operation '${operation}'.`,
    {
      ...(hint === null ? {} : { hint }),
    },
  )
}

function whyNot(pipe: Pipe, operation: string): string | null {
  if (!(operation in KNOWS)) return `It knows ${supportedOperations(pipe).join(', ')}.`
  if (!runsByPump(pipe)) return 'The pipe runs when somebody sends it entities, or asks for them.'
  if (operation.startsWith('start')) return "Its mode is 'off'."
  if (pipe.isOffsetProtected && operation.includes('last-seen')) return 'disable_set_last_seen is true.'
  return operation === 'set-last-seen-to-end' ? `Nobody knows where a source of type '${pipe.source.type}' ends.` : null
}
