/** Takes a batch through a pipe's namespaces and programs, stage by stage. */

import { setTimeout } from 'node:timers/promises'
import type { RunContext } from '../dtl/contract.ts'
import { addNamespaces, removeNamespaces } from '../dtl/namespaces.ts'
import { get } from '../model/dict.ts'
import { type Entity, idOf, isEntity } from '../model/entity.ts'
import { writeJson } from '../model/json.ts'
import { shown } from './answers.ts'
import { blame } from './blame.ts'
import { PipeError } from './errors.ts'
import type { Pipe } from './pipe.ts'
import type { SystemPort } from './systems/contract.ts'
import type { Asking, PipeTransform } from './transforms/contract.ts'
import type { Turn } from './turn.ts'
import { writingBytes } from './weight.ts'

export type Stage = 'source' | 'before-transforms' | 'after-transforms' | 'sink'

interface TransformOptions {
  readonly stage?: Stage
  readonly signal?: AbortSignal
  readonly turn?: Turn | undefined
  /** The systems that transforms ask; absent: nobody is asked, and entities pass those transforms as they are. */
  readonly system?: (id: string) => SystemPort
  /** Transforms that change something elsewhere are passed, too. */
  readonly skipsSideEffects?: boolean
}

/** What the pipe makes of the entities, up to and including the stage (rest-api.md §4.3). */
export async function transformBatch(
  pipe: Pipe,
  entities: readonly Entity[],
  context: RunContext,
  options: TransformOptions = {},
): Promise<readonly Entity[]> {
  const parts: (readonly Entity[])[] = []
  for await (const part of transformParts(pipe, entities, context, options)) parts.push(part)
  return parts.length === 1 ? (parts[0] as readonly Entity[]) : parts.flat()
}

/**
 * The same in parts that end with the entity that takes them to so many bytes: a program may make much of little. There is
 * one at least; mostly it is the only one.
 */
export async function* transformParts(
  pipe: Pipe,
  entities: readonly Entity[],
  context: RunContext,
  { bytes = Number.POSITIVE_INFINITY, ...options }: TransformOptions & { readonly bytes?: number },
): AsyncGenerator<readonly Entity[]> {
  const { stage = 'sink' } = options
  if (stage === 'source') return yield entities
  const batch = pipe.addNamespaces ? entities.map((entity) => addNamespaces(entity, pipe.settings)) : entities
  if (stage === 'before-transforms') return yield batch
  const how = { ...options, context, bytes }
  for await (const part of through(pipe.transforms, batch, how)) yield atEnd(pipe, part, stage)
}

interface How extends TransformOptions {
  readonly context: RunContext
  readonly bytes: number
}

/** Each part goes through all of the transforms before the next is made. */
async function* through(
  [first, ...rest]: readonly PipeTransform[],
  batch: readonly Entity[],
  how: How,
): AsyncGenerator<readonly Entity[]> {
  if (first === undefined) return yield batch
  const { asking } = first
  if (asking !== undefined) return yield* through(rest, await asked(asking, batch, how), how)
  for await (const part of transformed(first, batch, how)) yield* through(rest, part, how)
}

function atEnd(pipe: Pipe, made: readonly Entity[], stage: Stage): readonly Entity[] {
  if (stage === 'after-transforms') return made
  let batch = made
  // Only the dataset sink understands a filtered entity; all others never see it (dtl.md §8.2).
  if (pipe.sink.kind !== 'dataset') batch = batch.filter((entity) => !isFiltered(entity))
  const nameless = batch.find((entity) => !isEntity(entity) || idOf(entity) === '')
  if (nameless !== undefined) throw withoutId(pipe, nameless)
  return pipe.removeNamespaces ? batch.map((entity) => removeNamespaces(entity)) : batch
}

/** Bytes made between two questions whether there is memory left: to ask costs as much as to make a small entity. */
const ASK_BYTES = 2 ** 20

const NEVER = new AbortController().signal

/** The thread is free for others while the system answers. */
async function asked(
  asking: Asking,
  batch: readonly Entity[],
  { system, skipsSideEffects = false, signal = NEVER, turn }: TransformOptions,
): Promise<readonly Entity[]> {
  if (system === undefined || batch.length === 0 || (skipsSideEffects && asking.hasSideEffects)) return batch
  const made = await asking.ask(batch, system(asking.system), signal)
  turn?.room(made.reduce((sum, entity) => sum + writingBytes(entity), 0))
  return made
}

/** A program that asks for a pause gets it between two entities: its thread is free for other pipes meanwhile. */
async function* transformed(
  transform: PipeTransform,
  batch: readonly Entity[],
  { context, signal, turn, bytes: most }: How,
): AsyncGenerator<readonly Entity[]> {
  const isBounded = most < Number.POSITIVE_INFINITY
  let all: Entity[] = []
  let bytes = 0
  /** Of what was made last. */
  let weight = 0
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
      const several = made(entity)
      if (bytes + weight < most) {
        bytes += weight
        for (const one of several) all.push(one)
      } else {
        for (const one of several) {
          all.push(one)
          bytes += writingBytes(one)
          if (bytes < most) continue
          turn?.giveBack()
          yield all
          turn?.take()
          all = []
          bytes = 0
        }
      }
      if (seconds === 0) continue
      turn?.giveBack()
      await setTimeout(seconds * 1000, undefined, signal === undefined ? {} : { signal })
      turn?.take()
      seconds = 0
    }
  } finally {
    turn?.giveBack()
  }
  yield all

  function made(entity: Entity): readonly Entity[] {
    try {
      const all = transform.apply(entity, pausing)
      weight = 0
      if (turn !== undefined || isBounded) for (const one of all) weigh(one)
      return all
    } catch (error) {
      blame(error, entity)
      throw error
    }
  }

  function weigh(entity: Entity): void {
    const own = writingBytes(entity)
    weight += own
    unasked += own
    if (unasked < ASK_BYTES) return
    turn?.room(unasked)
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
