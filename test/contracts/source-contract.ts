/** What every source keeps. Each type brings a world to read from, and passes. */

import { afterEach, describe, expect, test } from 'vitest'
import { idOf } from '../../src/model/entity.ts'
import type { Batch, SourceType, Surroundings } from '../../src/pipes/contract.ts'
import { PipeError } from '../../src/pipes/errors.ts'
import { configured, readAll, surroundings } from '../pipes/surroundings.ts'
import { type ComponentType, componentContract } from './component-contract.ts'

export interface SourceWorld {
  readonly config: Readonly<Record<string, unknown>>
  readonly surroundings?: Partial<Surroundings>
  /** Adds newer entities; for sources that go on where they left. */
  grow?(ids: readonly string[]): Promise<void> | void
  /** From now on nothing comes any more, and nothing ends; for sources that wait for others. */
  stall?(): Promise<void> | void
  /** From now on the system answers with this status. */
  fail?(status: number): Promise<void> | void
  /** What the source puts before each id. */
  readonly idPrefix?: string
  /** The address that errors must name. */
  readonly address?: string
  close?(): Promise<void>
}

/** `world` makes a place that holds entities of these ids; `can` says which of its methods it has. */
export function sourceContract(
  type: SourceType,
  can: readonly ('grow' | 'stall' | 'fail')[],
  world: (ids: readonly string[]) => Promise<SourceWorld>,
): void {
  describe(`the source ${type.type}`, () => {
    const open: SourceWorld[] = []
    afterEach(async () => {
      for (const one of open.splice(0)) await one.close?.()
    })

    const opened = async (ids: readonly string[], batchSize = 7) => {
      const made = await world(ids)
      open.push(made)
      const config = configured(type.config, { type: type.type, ...made.config })
      const source = type.open(config, surroundings({}, { batchSize, ...made.surroundings }))
      return { made, source, continuation: type.continuation(config) }
    }

    componentContract(type as ComponentType)

    test('reads all there is when asked without an offset, and again when asked again', async () => {
      const { source, made } = await opened(names(0, 50))
      for (let times = 0; times < 2; times++) {
        const { entities, error } = await readAll(source.read(null, never))
        expect(error).toBeUndefined()
        expect(entities.map(idOf).sort()).toEqual(names(0, 50).map((id) => (made.idPrefix ?? '') + id))
      }
    })

    test('reads nothing from nothing', async () => {
      const { source } = await opened([])
      const { entities, error } = await readAll(source.read(null, never))
      expect([error, entities]).toEqual([undefined, []])
    })

    test('gives no more entities at a time than asked for', async () => {
      const { source } = await opened(names(0, 50))
      const { batches } = await readAll(source.read(null, never))
      expect(Math.max(...batches.map((batch) => batch.entities.length))).toBeLessThanOrEqual(7)
    })

    test('ends when its reader stops in the middle', async () => {
      const { source } = await opened(names(0, 50))
      for await (const batch of source.read(null, never)) {
        expect(batch.entities.length).toBeGreaterThan(0)
        break
      }
      expect((await readAll(source.read(null, never))).entities.length).toBe(50)
    })

    test('does nothing once it is aborted', async () => {
      const { source } = await opened(names(0, 50))
      expect((await readAll(source.read(null, AbortSignal.abort()))).entities).toEqual([])
    })

    test('can be gone on from at every offset it gives, and gives none when it does not continue', async () => {
      const { source, continuation } = await opened(names(0, 30))
      const { batches } = await readAll(source.read(null, never))
      for (const [place, { offset }] of batches.entries()) {
        if (offset === null) continue
        expect(continuation.supportsSince).toBe(true)
        const rest = await readAll(source.read(offset, never))
        expect(rest.entities.map(idOf)).toEqual(idsAfter(batches, place))
      }
    })

    if (can.includes('grow')) {
      test('goes on after its last offset with what is newer only', async () => {
        const { made, source } = await opened(names(0, 20))
        const first = await readAll(source.read(null, never))
        expect(first.offset).not.toBeNull()
        expect((await readAll(source.read(first.offset, never))).entities).toEqual([])
        await made.grow?.(names(20, 32))
        const second = await readAll(source.read(first.offset, never))
        expect(second.entities.map(idOf)).toEqual(names(20, 32))
        expect((await readAll(source.read(second.offset, never))).entities).toEqual([])
      })
    }

    if (can.includes('fail')) {
      test('tells of a failing system with a PipeError that names address and status', async () => {
        const { made, source } = await opened(names(0, 5))
        await made.fail?.(500)
        const { error } = await readAll(source.read(null, never))
        expect(error).toBeInstanceOf(PipeError)
        expect((error as PipeError).details).toMatchObject({
          address: expect.stringContaining(made.address as string),
          status: 500,
        })
        expect((error as PipeError).message).toContain(made.address)
      })
    }

    if (can.includes('stall')) {
      test('ends soon after an abort while it waits, with an error', async () => {
        const { made, source } = await opened(names(0, 50))
        await made.stall?.()
        const abort = new AbortController()
        const reading = readAll(source.read(null, abort.signal))
        setTimeout(() => abort.abort(), 100)
        const started = Date.now()
        const { error } = await reading
        expect(Date.now() - started).toBeLessThan(2000)
        // An end without an error would look like the end of the data.
        expect(error).toBeDefined()
      })
    }
  })
}

const never = new AbortController().signal

/** Ids that sort in the order of their numbers. */
const names = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, place) => `e-${String(from + place).padStart(4, '0')}`)

const idsAfter = (batches: readonly Batch[], place: number): string[] =>
  batches.slice(place + 1).flatMap((batch) => batch.entities.map(idOf))
