/** The turns of a pipe on its thread: many runs share one, each for a batch at a time (design: pumps and threads). */

export interface Turn {
  /** Nothing else runs on the thread until it is given back: whoever watches it knows whom it waits for. */
  take(): void
  giveBack(): void
  /** Throws when the thread has no memory for so many more bytes. */
  room(more: number): void
  /** Called between two batches; resolves when others had theirs. */
  pass(): Promise<void>
}
