/** Notes on a pump thread's sheet whose turn it is. */

import { setImmediate } from 'node:timers/promises'
import type { Turn } from '../../pipes/turn.ts'
import { NOBODY, type Sheet } from '../pool/sheet.ts'
import type { PumpEvent } from '../pump-protocol.ts'
import type { Room } from './room.ts'

/** Between two beats, when the thread is free. */
const BEAT_MS = 100

export class Turns {
  readonly #sheet: Sheet
  readonly #emit: (event: PumpEvent) => void
  readonly #numbers = new Map<string, number>()
  readonly #room: Room

  constructor(sheet: Sheet, room: Room, emit: (event: PumpEvent) => void) {
    this.#sheet = sheet
    this.#room = room
    this.#emit = emit
  }

  /** Beats until the thread ends. */
  start(): void {
    setInterval(() => this.#sheet.beat(), BEAT_MS)
  }

  /** Of a pipe, for one run, request or preview of it. */
  of(tenant: string, pipe: string): Turn {
    const number = this.#numberOf(tenant, pipe)
    const sheet = this.#sheet
    return {
      take: () => sheet.hold(number),
      giveBack: () => sheet.hold(NOBODY),
      room: (more) => this.#room.assert(pipe, more),
      pass: async () => {
        sheet.turnTo(NOBODY)
        await setImmediate()
        sheet.turnTo(number)
      },
    }
  }

  /** Told before it is used: a thread that hangs tells nothing any more. */
  #numberOf(tenant: string, pipe: string): number {
    const name = JSON.stringify([tenant, pipe])
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#numbers.size + 1
    this.#numbers.set(name, number)
    this.#emit({ type: 'pipe', number, tenant, pipe })
    return number
  }
}
