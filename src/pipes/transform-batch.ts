/** Takes a batch through a pipe's namespaces and programs, stage by stage. */

import { setTimeout } from 'node:timers/promises'
import type { DtlTransform, RunContext } from '../dtl/contract.ts'
import { addNamespaces, removeNamespaces } from '../dtl/namespaces.ts'
import { get } from '../model/dict.ts'
import { type Entity, idOf, isEntity } from '../model/entity.ts'
import { writeJson } from '../model/json.ts'
import { shown } from './answers.ts'
import { blame } from './blame.ts'
import { PipeError } from './errors.ts'
import type { Pipe } from './pipe.ts'
import type { Turn } from './turn.ts'
import { writingBytes } from './weight.ts'

export type Stage = 'source' | 'before-transforms' | 'after-transforms' | 'sink'

interface TransformOptions {
  readonly stage?: Stage
  readonly signal?: AbortSignal
  readonly turn?: Turn | undefined
}

/** What the pipe makes of the entities, up to and including the stage (rest-api.md §4.3). */
export async function transformBatch(
  pipe: Pipe,
  entities: readonly Entity[],
  context: RunContext,
  { stage = 'sink', signal, turn }: TransformOptions = {},
): Promise<readonly Entity[]> {
  if (stage === 'source') return entities
  let batch = pipe.addNamespaces ? entities.map((entity) => addNamespaces(entity, pipe.settings)) : entities
  if (stage === 'before-transforms') return batch
  for (const transform of pipe.transforms) batch = await transformed(transform, batch, context, signal, turn)
  if (stage === 'after-transforms') return batch
  // Only the dataset sink understands a filtered entity; all others never see it (dtl.md §8.2).
  if (pipe.sink.kind !== 'dataset') batch = batch.filter((entity) => !isFiltered(entity))
  const nameless = batch.find((entity) => !isEntity(entity) || idOf(entity) === '')
  if (nameless !== undefined) throw withoutId(pipe, nameless)
  return pipe.removeNamespaces ? batch.map((entity) => removeNamespaces(entity)) : batch
}

/** Bytes made between two questions whether there is memory left: to ask costs as much as to make a small entity. */
const ASK_BYTES = 2 ** 20

/** A program that asks for a pause gets it between two entities: its thread is free for other pipes meanwhile. */
async function transformed(
  transform: DtlTransform,
  batch: readonly Entity[],
  context: RunContext,
  signal: AbortSignal | undefined,
  turn: Turn | undefined,
): Promise<readonly Entity[]> {
  const all: Entity[] = []
  let seconds = 0
  let unasked = 0
  const pausing: RunContext = {
    ...context,
    pause: (more) => {
      seconds += more
    },
    ...(turn === undefined ? {} : { room: (more) => turn.room(more) }),
  }
  turn?.take()
  try {
    for (const entity of batch) {
      for (const one of made(entity)) all.push(one)
      if (seconds === 0) continue
      turn?.giveBack()
      await setTimeout(seconds * 1000, undefined, signal === undefined ? {} : { signal })
      turn?.take()
      seconds = 0
    }
    return all
  } finally {
    turn?.giveBack()
  }

  function made(entity: Entity): readonly Entity[] {
    try {
      const all = transform.apply(entity, pausing)
      if (turn !== undefined) for (const one of all) assertRoom(one, turn)
      return all
    } catch (error) {
      blame(error, entity)
      throw error
    }
  }

  function assertRoom(entity: Entity, turn: Turn): void {
    unasked += writingBytes(entity)
    if (unasked < ASK_BYTES) return
    turn.room(unasked)
    unasked = 0
  }
}

export const isFiltered = (entity: Entity): boolean => get(entity, '_filtered') === true

/** A source may give entities without an `_id` if a transform adds one; what reaches the sink is known by it. */
const withoutId = (pipe: Pipe, entity: Entity): PipeError =>
  new PipeError(
    'bad-entity',
    `An entity of pipe '${pipe.id}' ${isEntity(entity) ? 'has an empty _id' : 'has no string _id'}: ${shown(writeJson(entity))}`,
    {
      hint: 'Nothing was deleted. Is it the right address? Otherwise make the _id in a transform: ["add", "_id", …].',
    },
  )
