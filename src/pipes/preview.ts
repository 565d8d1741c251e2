/** What a pipe would make of one entity (rest-api.md §4.4): its transforms run, nothing is read from its source or written to its sink. */

import type { RunContext, Trace } from '../dtl/contract.ts'
import { DtlError } from '../dtl/errors.ts'
import { addNamespaces } from '../dtl/namespaces.ts'
import type { Entity } from '../model/entity.ts'
import { PipeError } from './errors.ts'
import type { Pipe } from './pipe.ts'
import type { SystemPort } from './systems/contract.ts'
import type { Asking, PipeTransform } from './transforms/contract.ts'
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
  readonly error: DtlError | PipeError
  /** Below the pipe, of the transform that failed. */
  readonly pointer: string
}

export interface TransformTrace {
  /** Below the pipe; those of the steps are below this one. */
  readonly pointer: string
  readonly input: Entity
  readonly told: Trace
}

export interface PreviewOptions {
  readonly isTraced: boolean
  readonly signal: AbortSignal
  readonly turn?: Turn
  /** For transforms that ask a system and change nothing there; absent: nobody is asked. */
  readonly system?: (id: string) => SystemPort
}

/** The entity as the source would give it goes through the namespaces of the pipe and its programs. */
export async function preview(
  pipe: Pipe,
  source: Entity,
  context: RunContext,
  options: PreviewOptions,
): Promise<Preview> {
  const trace: TransformTrace[] | null = options.isTraced ? [] : null
  let batch: readonly Entity[] = [pipe.addNamespaces ? addNamespaces(source, pipe.settings) : source]
  for (const [place, transform] of pipe.transforms.entries()) {
    const pointer = pipe.transformPointers[place] as string
    const { asking } = transform
    const made =
      asking === undefined
        ? await transformed(transform, pointer, batch, context, trace, options)
        : await asked(asking, batch, options)
    if (made instanceof DtlError) return { result: [], error: { error: made, pointer: pointer + made.pointer }, trace }
    if (made instanceof PipeError) return { result: [], error: { error: made, pointer }, trace }
    batch = made
  }
  return { result: batch, error: null, trace }
}

/** Transforms with side effects are skipped: a preview changes nothing anywhere. */
async function asked(
  asking: Asking,
  batch: readonly Entity[],
  { system, signal }: PreviewOptions,
): Promise<readonly Entity[] | PipeError> {
  if (system === undefined || asking.hasSideEffects) return batch
  try {
    return await asking.ask(batch, system(asking.system), signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof PipeError) return error
    throw error
  }
}

async function transformed(
  transform: PipeTransform,
  pointer: string,
  batch: readonly Entity[],
  context: RunContext,
  trace: TransformTrace[] | null,
  { signal, turn }: PreviewOptions,
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

function applied(transform: PipeTransform, input: Entity, context: RunContext): Pick<Trace, 'result' | 'error'> {
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
