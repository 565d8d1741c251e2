/** What another hub says of the dataset it answers from, in the headers of JSON Pull (rest-api.md §6.2). */

import type { SaidOutside } from '../contract.ts'
import type { SystemResponse } from '../systems/contract.ts'

/** Null: nothing, as any server that is no hub. What is not of the form it should have counts as not said. */
export function saidByHub({ headers }: Pick<SystemResponse, 'headers'>): SaidOutside | null {
  const said = (name: string) => headers[`x-dataset-${name}`]
  const generation = said('generation')
  const completeness = wholeOf(said('completeness'))
  if (generation === undefined && completeness === null) return null
  const uuid = said('restore-uuid')
  const last = wholeOf(said('max-updated'))
  // It is left out of an empty dataset; of one whose places are no numbers nothing is known.
  const end = said('max-updated') === undefined ? 0 : last === null ? null : last + 1
  const populated = said('populated')
  const facts =
    generation === undefined
      ? null
      : {
          generation,
          end,
          populated: populated === undefined ? null : populated === 'true',
          restore:
            uuid === undefined
              ? null
              : {
                  uuid,
                  offset: wholeOf(said('restore-offset')),
                  generation: said('restore-generation') ?? null,
                },
        }
  return { facts, completeness }
}

const wholeOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null
