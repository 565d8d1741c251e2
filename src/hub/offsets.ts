/** Which texts can be a place in what a pipe reads: datasets have whole numbers, and other systems whatever they like. */

import type { Pipe } from '../pipes/pipe.ts'
import { HubError } from './errors.ts'

/** Any other text would be taken for something else, in silence. Of several datasets each has its place, with commas between. */
export const mayBeOffset = ({ source: { inputs } }: Pipe, text: string): boolean =>
  inputs.length === 0 || (inputs.length === 1 ? /^-?\d+$/ : /^-?\d*(,-?\d*)*$/).test(text)

/** Throws `bad-parameter`; where the source knows no since it is not looked at (rest-api.md §6.2). */
export function assertSince(pipe: Pipe, since: string | undefined): void {
  if (since === undefined || !pipe.source.continuation.supportsSince || mayBeOffset(pipe, since)) return
  throw new HubError('bad-parameter', `'${since}' is no place in what pipe '${pipe.id}' reads.`, {
    details: { parameter: 'since' },
    hint: 'Give the _updated of the last entity, or leave since out to read from the start.',
  })
}
