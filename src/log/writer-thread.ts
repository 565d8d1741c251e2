/** Entry of the writer thread: the only one that opens write transactions on a log, and no foreign code runs in it. */

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { toErrorText } from './errors.ts'
import { beat } from './feed.ts'
import type { Answer, Order, Report, Request, WriterThreadData } from './journal-protocol.ts'
import { LogWriter } from './writer.ts'

const BEAT_MS = 1_000
const READER_CHECK_MS = 60_000

const main = parentPort as MessagePort
const ports = new Set<MessagePort>()

let writer: LogWriter
try {
  const { path } = workerData as WriterThreadData
  writer = await LogWriter.open(path, {
    // The thread dies of it, and the process with the thread.
    onLost: (error) =>
      setImmediate(() => {
        throw error
      }),
  })
  const timers = [
    setInterval(() => beat(writer.feed), BEAT_MS),
    setInterval(() => writer.checkReaders(), READER_CHECK_MS),
  ]
  main.on('message', (order: Order) => {
    if (order.type === 'connect') serve(order.port)
    else void close(timers)
  })
  main.postMessage({ type: 'ready', feed: writer.feed } satisfies Report)
} catch (error) {
  main.postMessage({ type: 'failed', error: toErrorText(error) } satisfies Report)
}

function serve(port: MessagePort): void {
  ports.add(port)
  port.on('message', ({ id, method, args }: Request) => {
    const call = writer[method] as (...args: unknown[]) => Promise<unknown>
    call.apply(writer, [...args]).then(
      (result) => port.postMessage({ id, result } satisfies Answer),
      (error) => port.postMessage({ id, error: toErrorText(error) } satisfies Answer),
    )
  })
  port.on('close', () => ports.delete(port))
}

async function close(timers: readonly NodeJS.Timeout[]): Promise<void> {
  await writer.close()
  for (const timer of timers) clearInterval(timer)
  for (const port of ports) port.close()
  main.close()
}
