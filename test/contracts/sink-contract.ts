/** What every sink keeps. External ones bring a place to write to. */

import { afterEach, describe, expect, test } from 'vitest'
import { dictOf } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import type { SinkType, Surroundings } from '../../src/pipes/contract.ts'
import { PipeError } from '../../src/pipes/errors.ts'
import { configured, surroundings } from '../pipes/surroundings.ts'
import { type ComponentType, componentContract } from './component-contract.ts'

export interface SinkWorld {
  readonly config: Readonly<Record<string, unknown>>
  readonly surroundings?: Partial<Surroundings>
  /** Ids that have arrived, in order; absent where nothing can arrive. */
  arrived?(): readonly string[]
  /** From now on there is no answer; for sinks that wait for one. */
  stall?(): void
  /** From now on the system answers with this status. */
  fail?(status: number): void
  /** The address that errors must name. */
  readonly address?: string
  close?(): Promise<void>
}

/** `world` makes a place to write to; only external sinks have one. `can` says which of its methods it has. */
export function sinkContract(
  type: SinkType,
  can: readonly ('stall' | 'fail')[] = [],
  world?: () => Promise<SinkWorld>,
): void {
  describe(`the sink ${type.type}`, () => {
    const open: SinkWorld[] = []
    afterEach(async () => {
      for (const one of open.splice(0)) await one.close?.()
    })

    componentContract(type as ComponentType)

    test('can be opened exactly when it is external', () => {
      expect(type.open !== undefined).toBe(type.kind === 'external')
      expect(world !== undefined).toBe(type.kind === 'external')
    })
    if (world === undefined) return

    const opened = async (full: boolean) => {
      const made = await world()
      open.push(made)
      const config = configured(type.config, { type: type.type, ...made.config })
      const sink = type.open?.(config, surroundings({}, made.surroundings), { full })
      if (sink === undefined) throw new Error('it cannot be opened')
      return { made, sink }
    }

    test.each([true, false])('writes everything once and in order (full run: %s)', async (full) => {
      const { made, sink } = await opened(full)
      await sink.write(entities(0, 25), never)
      await sink.write([], never)
      await sink.write(entities(25, 30), never)
      await sink.end?.(never, { isComplete: true })
      if (made.arrived !== undefined) expect(made.arrived()).toEqual(names(0, 30))
    })

    test('has written when it says so', async () => {
      const { made, sink } = await opened(false)
      await sink.write(entities(0, 25), never)
      if (made.arrived !== undefined) expect(made.arrived()).toEqual(names(0, 25))
    })

    if (can.includes('stall')) {
      test('ends soon after an abort, with an error', async () => {
        const { made, sink } = await opened(false)
        made.stall?.()
        const started = Date.now()
        await expect(sink.write(entities(0, 5), AbortSignal.timeout(100))).rejects.toThrow()
        expect(Date.now() - started).toBeLessThan(2000)
      })
    }

    if (can.includes('fail')) {
      test.each([400, 500])(
        'tells of a system that answers %d with a PipeError that names address and status',
        async (status) => {
          const { made, sink } = await opened(false)
          made.fail?.(status)
          const error = await sink.write(entities(0, 5), never).catch((thrown: unknown) => thrown)
          expect(error).toBeInstanceOf(PipeError)
          expect((error as PipeError).details).toMatchObject({
            address: expect.stringContaining(made.address as string),
            status,
          })
        },
      )
    }
  })
}

const never = new AbortController().signal

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, place) => `e-${from + place}`)
const entities = (from: number, to: number): Entity[] => names(from, to).map((id) => dictOf({ _id: id }))
