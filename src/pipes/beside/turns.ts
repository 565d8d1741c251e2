/** The runs of one pipe take turns: while one reads, makes and stores a batch, the other does nothing to the dataset. */

export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when it is one's turn; call what it gives when it is over. */
  async take(): Promise<() => void> {
    let over = () => {}
    const before = this.#last
    this.#last = new Promise((resolve) => {
      over = resolve
    })
    await before
    return over
  }

  async with<T>(work: () => Promise<T>): Promise<T> {
    const over = await this.take()
    try {
      return await work()
    } finally {
      over()
    }
  }

  /**
   * Each batch in a turn of its own, from before it is read until the next is asked for. `isOutside`: reading it takes
   * long and says nothing of this log, so only what follows is done in the turn.
   */
  async *each<T>(batches: AsyncIterable<T>, begin: () => void, isOutside: boolean): AsyncGenerator<T> {
    const iterator = batches[Symbol.asyncIterator]()
    try {
      for (;;) {
        const early = isOutside ? await iterator.next() : null
        const over = await this.take()
        try {
          begin()
          const { value, done } = early ?? (await iterator.next())
          if (done === true) return
          yield value
        } finally {
          over()
        }
      }
    } finally {
      await iterator.return?.()
    }
  }
}
