/** What is doubtful about the hops of a program in the pipe it stands in (dtl.md §10.4, §16). */

import { type Finding, warningAt } from './finding.ts'
import type { Pipe } from './pipe.ts'

export const checkHops = (pipe: Pipe): readonly Finding[] => [...ofOwnSink(pipe), ...ofChildren(pipe)]

/** An entity that is not stored yet cannot be found, and a pipe cannot wait for itself (dtl.md §10.4). */
function ofOwnSink({ reads, sink, batchSize }: Pipe): readonly Finding[] {
  if (sink.kind !== 'dataset' || !reads.includes(sink.dataset)) return []
  const missing = [
    ...(batchSize === 1 ? [] : ['"batch_size": 1, or it does not find the entities of the same batch']),
    ...(sink.populatedWhen === 'onload' ? [] : ['"set_initial_offset": "onload" on the sink, or it waits for itself']),
  ]
  if (missing.length === 0) return []
  const message = `It hops to '${sink.dataset}', which the pipe itself writes.`
  return [warningAt('/transform', message, `It needs ${missing.join('; and ')}.`)]
}

function ofChildren({ transforms, sink, transformPointers }: Pipe): readonly Finding[] {
  if (sink.kind === 'dataset') return []
  return transforms.flatMap(({ analysis }, place) =>
    analysis.createsChildren
      ? [
          warningAt(
            transformPointers[place] as string,
            `'create-child' makes $children, which a sink of type '${sink.type}' does not look at.`,
            'Write them to a dataset, and send its children from a pipe with emit_children.',
          ),
        ]
      : [],
  )
}
