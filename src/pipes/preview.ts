/** What a pipe would make of one entity (rest-api.md §4.4): its transforms run, nothing is read from its source or written to its sink. */

import type { DtlTransform, RunContext, Trace } from '../dtl/contract.ts'
import { DtlError } from '../dtl/errors.ts'
import { addNamespaces } from '../dtl/namespaces.ts'
import type { Entity } from '../model/entity.ts'
import type { Pipe } from './pipe.ts'
import type { Turn } from './turn.ts'

/** Entities that go into one transform at most: a program may make many of one. */
const MAX_ENTITIES = 10_000
/** Entities between two pauses, in which others of the thread get their turn. */
const AT_ONCE = 100

export interface Preview {
  /** After the last transform; filtered entities are among them, marked. */
  readonly result: readonly Entity[]
  /** What made it stop; the result is empty then. */
  readonly error: PreviewError | null
  /** One for each entity that went into a transform; null when none was asked for. */
  readonly trace: readonly TransformTrace[] | null
}

export interface PreviewError {
  readonly error: DtlError
  /** Below the pipe, of the transform that failed. */
  readonly pointer: string
}

export interface TransformTrace {
  /** Below the pipe; those of the steps are below this one. */
  readonly pointer: string
  readonly input: Entity
  readonly told: Trace
}

/** The entity as the source would give it goes through the namespaces of the pipe and its programs. */
export async function preview(
  pipe: Pipe,
  source: Entity,
  context: RunContext,
  { isTraced, signal, turn }: { readonly isTraced: boolean; readonly signal: AbortSignal; readonly turn?: Turn },
): Promise<Preview> {
  const trace: TransformTrace[] | null = isTraced ? [] : null
  let batch: readonly Entity[] = [pipe.addNamespaces ? addNamespaces(source, pipe.settings) : source]
  for (const [place, transform] of pipe.transforms.entries()) {
    const pointer = pipe.transformPointers[place] as string
    const made = await transformed(transform, pointer, batch, context, trace, signal, turn)
    if (made instanceof DtlError) return { result: [], error: { error: made, pointer: pointer + made.pointer }, trace }
    batch = made
  }
  return { result: batch, error: null, trace }
}

async function transformed(
  transform: DtlTransform,
  pointer: string,
  batch: readonly Entity[],
  context: RunContext,
  trace: TransformTrace[] | null,
  signal: AbortSignal,
  turn: Turn | undefined,
): Promise<readonly Entity[] | DtlError> {
  if (batch.length > MAX_ENTITIES) return tooMany(batch.length)
  const made: Entity[] = []
  for (const [place, input] of batch.entries()) {
    if (place % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve))
    signal.throwIfAborted()
    turn?.take()
    const { result, error } = trace === null ? applied(transform, input, context) : traced(input)
    turn?.giveBack()
    if (error !== null) return error
    for (const one of result) made.push(one)
  }
  return made

  function traced(input: Entity): Pick<Trace, 'result' | 'error'> {
    const told = transform.trace(input, context)
    trace?.push({ pointer, input, told })
    return told
  }
}

function applied(transform: DtlTransform, input: Entity, context: RunContext): Pick<Trace, 'result' | 'error'> {
  try {
    return { result: transform.apply(input, context), error: null }
  } catch (error) {
    if (error instanceof DtlError) return { result: [], error }
    throw error
  }
}

const tooMany = (count: number): DtlError =>
  new DtlError('too-much-work', `A preview takes ${MAX_ENTITIES} entities through a transform at most, not ${count}.`, {
    hint: 'Preview with an entity of which the transform before makes fewer.',
  })
