/**
 * Who hears of growth without asking the disk: counters in shared memory, moved by the writer after each commit. Waiting
 * on them does not keep a process alive.
 */

import type { Feed } from './contract.ts'

/** Datasets that counters are kept for; memory that nobody touches costs nothing. */
export const MAX_DATASETS = 1 << 20
const HEAD_BYTES = 8

/** Shared memory for the counters of a log: the commits, the writer's heartbeats, and the next sequence of each dataset, by number. */
export const newFeed = (): SharedArrayBuffer => new SharedArrayBuffer(HEAD_BYTES + 8 * MAX_DATASETS)

export function openFeed(buffer: SharedArrayBuffer): Feed {
  const commits = new Int32Array(buffer, 0, 1)
  const ends = new BigInt64Array(buffer, HEAD_BYTES)
  return {
    end: (dataset) => Number(Atomics.load(ends, dataset)),
    commits: () => Atomics.load(commits, 0),
    async changed(seen, timeoutMs) {
      const wait = waitAsync(commits, 0, seen, timeoutMs)
      if (wait.async) await wait.value
      return Atomics.load(commits, 0)
    },
  }
}

/** The writer's side. */
export class FeedCounters {
  readonly #commits: Int32Array
  readonly #ends: BigInt64Array

  constructor(buffer: SharedArrayBuffer) {
    this.#commits = new Int32Array(buffer, 0, 1)
    this.#ends = new BigInt64Array(buffer, HEAD_BYTES)
  }

  setEnd(dataset: number, end: number): void {
    Atomics.store(this.#ends, dataset, BigInt(end))
  }

  /** After the ends were set. */
  committed(commits: number): void {
    Atomics.add(this.#commits, 0, commits)
    Atomics.notify(this.#commits, 0)
  }
}

/** The writer thread shows that it lives. */
export const beat = (buffer: SharedArrayBuffer): void => void Atomics.add(new Int32Array(buffer, 4, 1), 0, 1)
export const beats = (buffer: SharedArrayBuffer): number => Atomics.load(new Int32Array(buffer, 4, 1), 0)

/** ES2024, in Node from 16 on; not in the compiler's library of the version we target. */
const { waitAsync } = Atomics as unknown as {
  waitAsync(
    array: Int32Array,
    index: number,
    value: number,
    timeoutMs: number,
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> }
}
