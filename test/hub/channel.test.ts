import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { Caller, serveMethods } from '../../src/hub/channel.ts'
import { HubError } from '../../src/hub/errors.ts'

interface Methods {
  calls: {
    double(value: number): Promise<number>
    fail(code: string): Promise<never>
  }
  streams: {
    count(to: number, signal: AbortSignal): AsyncIterable<number>
    breakAfter(count: number, signal: AbortSignal): AsyncIterable<number>
  }
}

const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

function channel() {
  const { port1, port2 } = new MessageChannel()
  open.push(port1, port2)
  const state = { produced: 0, isEnded: false }
  const emit = serveMethods(port2, {
    calls: {
      double: async (value: number) => value * 2,
      fail: async (code: string) => {
        throw new HubError(code, `It is ${code}.`, { hint: 'Try less.', details: { code } })
      },
    },
    streams: {
      async *count(to: number, signal: AbortSignal) {
        try {
          for (let n = 0; n < to && !signal.aborted; n++) {
            state.produced++
            yield n
          }
        } finally {
          state.isEnded = true
        }
      },
      async *breakAfter(count: number) {
        for (let n = 0; n < count; n++) yield n
        throw new HubError('broken', 'It broke.')
      },
    },
  })
  const events: unknown[] = []
  return { caller: new Caller<Methods>(port1, (event) => events.push(event)), state, events, emit }
}

const signal = () => new AbortController().signal
const turn = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('a channel between threads', () => {
  it('answers each call with its own result', async () => {
    const { caller } = channel()
    expect(await Promise.all([1, 2, 3].map((n) => caller.call('double', n)))).toEqual([2, 4, 6])
  })

  it('hands errors over with code, hint and details', async () => {
    const { caller } = channel()
    await expect(caller.call('fail', 'late')).rejects.toMatchObject({
      code: 'late',
      message: 'It is late.',
      hint: 'Try less.',
      details: { code: 'late' },
    })
  })

  it('streams in order to the end', async () => {
    const { caller } = channel()
    const seen: number[] = []
    for await (const n of caller.stream('count', 100, signal())) seen.push(n)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  it('lets a slow reader slow the writer', async () => {
    const { caller, state } = channel()
    const stream = caller.stream('count', 1_000_000, signal())
    await stream.next()
    await turn()
    expect(state.produced).toBeLessThan(20)
    await stream.return(undefined as never)
    await turn()
    expect(state.isEnded).toBe(true)
  })

  it('gives what came before an error, and then the error', async () => {
    const { caller } = channel()
    const seen: number[] = []
    const read = async () => {
      for await (const n of caller.stream('breakAfter', 3, signal())) seen.push(n)
    }
    await expect(read()).rejects.toMatchObject({ code: 'broken' })
    expect(seen).toEqual([0, 1, 2])
  })

  it('ends a stream when its reader gives up', async () => {
    const { caller, state } = channel()
    const abort = new AbortController()
    const seen: number[] = []
    for await (const n of caller.stream('count', 1_000_000, abort.signal)) {
      seen.push(n)
      if (n === 2) abort.abort()
    }
    await turn()
    expect(seen).toEqual([0, 1, 2])
    expect(state.isEnded).toBe(true)
  })

  it('fails everything that waits when the other side is gone', async () => {
    const { caller } = channel()
    const waiting = caller.call('double', 1)
    caller.fail(new HubError('gone', 'The other side is gone.'))
    await expect(waiting).rejects.toMatchObject({ code: 'gone' })
    await expect(caller.call('double', 1)).rejects.toMatchObject({ code: 'gone' })
  })

  it('passes events on', async () => {
    const { events, emit } = channel()
    emit({ type: 'log' })
    await turn()
    expect(events).toEqual([{ type: 'log' }])
  })
})
