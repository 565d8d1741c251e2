/** What the rules of a pipe may leave behind in its dataset, and which ids they may give twice. */

import type { Creation, Emission, IdForm, Place } from '../../dtl/contract.ts'
import type { Pipe, PipeSink } from '../pipe.ts'
import { at, type Inexact, type InexactKind, reason } from './reason.ts'

type DatasetSink = PipeSink & { readonly kind: 'dataset' }

export function ofEmissions(pipe: Pipe, sink: DatasetSink): readonly Inexact[] {
  const { transforms } = pipe
  return [
    ...transforms.flatMap(({ analysis: { emission } }, place) =>
      ofEmission(emission, at(pipe, place), pipe.tracesOutput),
    ),
    ...ofChain(pipe),
    ...ofNamespaces(pipe),
    ...(sink.suppressesFiltered === true && transforms.length > 0
      ? [reason('sink', '/sink/suppress_filtered', 'What is filtered is not handed on, so its old version stays.')]
      : []),
  ]
}

/** What is filtered by one transform passes the next with the id it has then. */
function ofChain(pipe: Pipe): readonly Inexact[] {
  const emissions = pipe.transforms.map(({ analysis }) => analysis.emission)
  return emissions.flatMap(({ id, creations }, place) => {
    const pointer = at(pipe, place)
    const isBehind = place > 0 && id !== 'own'
    const isAmong = emissions.length > 1 && creations.length > 0
    return [
      ...(isBehind
        ? [reason('id', pointer, 'It gives another id, and what is filtered before it keeps the one it had.')]
        : []),
      ...(isAmong
        ? [reason('shared-id', pointer, 'Several entities may get the same id where transforms follow one another.')]
        : []),
    ]
  })
}

function ofNamespaces({ addNamespaces, removeNamespaces }: Pipe): readonly Inexact[] {
  const found: Inexact[] = []
  if (addNamespaces) {
    const message = 'An id that has the namespace already and one that gets it become the same.'
    found.push(reason('shared-id', '/add_namespaces', message, 'Add namespaces where the data come in.'))
  }
  if (removeNamespaces) {
    found.push(reason('shared-id', '/remove_namespaces', 'Ids that differ in their namespace become the same.'))
  }
  return found
}

function ofEmission(emission: Emission, transform: string, isTraced: boolean): readonly Inexact[] {
  const found: Inexact[] = []
  const say = (kind: InexactKind, places: readonly Place[], text: string, hint?: string) => {
    for (const { pointer } of places) found.push(reason(kind, transform + pointer, text, hint))
  }
  if (emission.id === 'any') {
    const places = emission.idPlaces.length > 0 ? emission.idPlaces : [HERE]
    say('id', places, 'The id it gives may be another one later, or that of another entity.', OWN_ID)
  }
  if (!emission.isSteady)
    say(
      'id',
      emission.idPlaces,
      'An entity that is filtered before has another id than the one it had in the dataset.',
      'Write the id before the first filter.',
    )
  if (!isTraced) {
    say(
      'discard',
      emission.discards,
      'The old version of an entity that is discarded stays.',
      `Use "filter" instead, or ${TRACE}.`,
    )
    say('discard', emission.creations.map(asPlace), 'What it no longer creates stays.', `Set ${TRACE}.`)
  }
  say(
    'shared-id',
    shared(emission),
    'Several entities may be given this id, and the one that came last counts.',
    OWN_ID,
  )
  say(
    'deleted',
    emission.revivals,
    'It may bring a deleted entity to life, for as long as the hub remembers that it was deleted.',
  )
  say(
    'deleted',
    emission.creations.filter(({ isOfLiving }) => !isOfLiving).map(asPlace),
    'It may create something of a deleted entity, for as long as the hub remembers that it was deleted.',
    'Put ["discard", ["neq", "_S._deleted", true]] before it.',
  )
  return found
}

const TRACE = '"trace_output": true'
const OWN_ID = 'Make the id of the id of the source alone: ["concat", "a-prefix:", "_S._id"].'
const HERE: Place = { pointer: '', what: '' }
const asPlace = ({ pointer }: Creation): Place => ({ pointer, what: 'create' })

/** Creations whose ids another entity may have. */
function shared(emission: Emission): readonly Place[] {
  const { creations, id, isTargetless } = emission
  return creations
    .filter((one, place) => {
      const others = creations.filter((_, other) => other !== place).map((other) => other.id)
      if (!isTargetless) others.push(id)
      return one.id === 'any' || others.some((other) => mayMeet(one.id, other))
    })
    .map(asPlace)
}

/** Whether one source may be given by the one form what another source is given by the other. */
function mayMeet(a: IdForm, b: IdForm): boolean {
  if (typeof a === 'string' || typeof b === 'string') return true
  return a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)
}
