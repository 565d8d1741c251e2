/** How much memory a pump thread has left: a program that would take the last of it is ended before the engine ends the thread, or the process. */

import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { DtlError } from '../../dtl/errors.ts'

/** What the engine needs beside: room to move what is young, to encode what was made, and to tell what went wrong. */
const USABLE = 0.75
/** What is used is not all needed: it is collected again after the thread took another share of its memory. */
const AGAIN = 0.125

const MB = 2 ** 20

export interface Heap {
  /** Bytes for what outlives a moment. */
  readonly limit: number
  /** Bytes taken, by what nobody needs any more, too. */
  used(): number
  /** Gives back all that nobody needs. */
  collect(): void
}

/** The heap of this thread; `youngMb` of its limit are for what lives for a moment. */
export function ownHeap(youngMb: number): Heap {
  return {
    limit: getHeapStatistics().heap_size_limit - youngMb * MB,
    used: () => getHeapStatistics().used_heap_size,
    collect: collector(),
  }
}

export class Room {
  readonly #heap: Heap
  readonly #usable: number
  /** Below, nothing has to be collected to know that there is room. */
  #sure: number

  constructor(heap: Heap) {
    this.#heap = heap
    this.#usable = heap.limit * USABLE
    this.#sure = this.#usable
  }

  /** Throws `too-much-memory` when there is none for so many more bytes. */
  assert(pipe: string, more: number): void {
    const used = this.#heap.used()
    if (used + more < this.#sure) return
    this.#heap.collect()
    const needed = this.#heap.used()
    if (needed + more >= this.#usable) throw tooMuch(pipe, needed + more, this.#heap.limit)
    this.#sure = Math.max(this.#usable, needed + more + this.#heap.limit * AGAIN)
  }
}

/** The engine gives a way to collect to whoever asks for it by a flag. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return collect
}

const tooMuch = (pipe: string, needed: number, limit: number): DtlError =>
  new DtlError(
    'too-much-memory',
    `Pipe '${pipe}' needed more memory than its thread has: with what it was about to make, ${Math.ceil(needed / MB)} MB of ${Math.floor(limit / MB)} MB.`,
    {
      hint: 'Give it a smaller batch_size, or make its program do less for an entity; or give the hub more memory (NODE_OPTIONS=--max-old-space-size).',
    },
  )
