/** Which models a pipe's entities are part of, without anybody having to say so (hub.md §23.3). */

import type { Pipe } from '../../pipes/pipe.ts'
import { categoryOf, type PipeCategory } from '../flow/network.ts'

const OF_CATEGORY: Partial<Record<PipeCategory, string>> = {
  inbound: 'Input',
  receiver: 'Input',
  outbound: 'Output',
  publisher: 'Output',
}

/** By what it does and by its name up to the first `-`; `metadata.models` goes over all of it. */
export function modelsOf(pipe: Pipe): readonly string[] {
  if (pipe.models !== null) return pipe.models
  const ofCategory = OF_CATEGORY[categoryOf(pipe)]
  const prefix = pipe.id.split('-', 1)[0] as string
  return [...new Set([...(pipe.isGlobal ? ['Global'] : []), ...(ofCategory === undefined ? [] : [ofCategory]), prefix])]
}
