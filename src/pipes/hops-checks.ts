/** What is doubtful about the hops of a program in the pipe it stands in (dtl.md §11.2, §16). */

import type { InversePlace } from '../dtl/contract.ts'
import { type Finding, warningAt } from './finding.ts'
import type { Pipe } from './pipe.ts'

export function checkHops(pipe: Pipe): readonly Finding[] {
  const tracked = pipe.transforms.map((transform) =>
    // Turning hops round takes time that most transforms need not give.
    transform.analysis.tracked.length === 0 ? [] : transform.inverse.places.filter((place) => place.tracked),
  )
  return [
    ...tracked.flatMap((places, transform) => specsOf(places).flatMap((place) => ofSpec(pipe, place, transform))),
    ...ofOwnSink(pipe),
    ...ofChildren(pipe),
  ]
}

/** One place of each spec. */
const specsOf = (places: readonly InversePlace[]): readonly InversePlace[] => [
  ...new Map(places.map((place) => [place.pointer, place])).values(),
]

const NOT_TRACKED = 'Set "track-dependencies": false if that is meant.'

function ofSpec(pipe: Pipe, place: InversePlace, transform: number): readonly Finding[] {
  const at = `${pipe.transformPointers[transform]}${place.pointer}`
  if (pipe.source.type !== 'dataset') {
    return [
      warningAt(
        at,
        `Changes of what it joins run nothing again: the source of the pipe is of type '${pipe.source.type}', and dependencies are tracked to a dataset source only.`,
        `Put what comes before into a pipe of its own, and read its dataset. ${NOT_TRACKED}`,
      ),
    ]
  }
  if (transform > 0) {
    return [
      warningAt(
        at,
        'The hops stands behind another transform: changes are followed back with the properties that the entity has in the source dataset.',
        `Join on properties that the transforms before it leave as they are. ${NOT_TRACKED}`,
      ),
    ]
  }
  const readsSource = place.steps.some(({ to }) => to === null)
  if (!pipe.addNamespaces || !readsSource) return []
  return [
    warningAt(
      at,
      'The pipe adds namespaces to what it reads: changes are followed back with the names that the entities have in the source dataset.',
      `Switch "add_namespaces" off where the dataset has namespaces already. ${NOT_TRACKED}`,
    ),
  ]
}

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
