/** Where what is best done by the same thread each time is done, by what it is about. */

import type { Seat } from './seat.ts'

export interface HomesPorts {
  /** The least busy of those that are ready; this one if it is hardly busier. */
  choose(preferred: Seat | undefined): Seat
}

export class Homes {
  readonly #ports: HomesPorts
  readonly #seats = new Map<string, Seat>()
  readonly #underWay = new Map<string, number>()
  /** Those that are on their way to another seat. */
  readonly #moves = new Map<string, Promise<unknown>>()

  constructor(ports: HomesPorts) {
    this.#ports = ports
  }

  known(key: string): Seat | undefined {
    return this.#seats.get(key)
  }

  of(key: string): Seat {
    let seat = this.#seats.get(key)
    if (seat === undefined) {
      seat = this.#ports.choose(undefined)
      this.#seats.set(key, seat)
    }
    return seat
  }

  /**
   * Does it at home, which becomes another one when that has become clearly busier than others, and nothing is under way
   * there: what the former keeps in memory of it is let go first.
   */
  async within<T>(
    key: string,
    work: () => Promise<T>,
    { mayMove, letGo }: { readonly mayMove: boolean; readonly letGo: (former: Seat) => Promise<unknown> },
  ): Promise<T> {
    await this.#moves.get(key)
    const underWay = this.#underWay.get(key) ?? 0
    this.#underWay.set(key, underWay + 1)
    try {
      if (mayMove && underWay === 0) await this.#move(key, letGo)
      return await work()
    } finally {
      const left = (this.#underWay.get(key) as number) - 1
      if (left === 0) this.#underWay.delete(key)
      else this.#underWay.set(key, left)
    }
  }

  async #move(key: string, letGo: (former: Seat) => Promise<unknown>): Promise<void> {
    const former = this.#seats.get(key)
    if (former === undefined) return
    const next = this.#ports.choose(former)
    if (next === former) return
    this.#seats.set(key, next)
    // Of one that was lost meanwhile nothing is left.
    const moving = letGo(former)
      .catch(() => {})
      .finally(() => this.#moves.delete(key))
    this.#moves.set(key, moving)
    await moving
  }

  /** What was known there is gone. */
  forgetSeat(seat: Seat): void {
    for (const [key, home] of this.#seats) if (home === seat) this.#seats.delete(key)
  }

  forget(isGone: (key: string) => boolean): void {
    for (const key of this.#seats.keys()) if (isGone(key)) this.#seats.delete(key)
  }
}
