/** The journal as other threads see it: requests to the writer thread, over a port for each thread (design §9: the seam). */

import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads'
import type { Commit, Journal } from './contract.ts'
import { type ErrorText, fromErrorText, LogError } from './errors.ts'
import { beats } from './feed.ts'
import type { Answer, Method, Order, Report, Request, WriterThreadData } from './journal-protocol.ts'
import { startThread } from './thread.ts'

/** A writer thread, seen from the thread that started it. */
export interface WriterThread {
  readonly journal: Journal
  /** For `openFeed`, in any thread. */
  readonly feed: SharedArrayBuffer
  /** A port for another thread, to be transferred to it and given to {@link connectJournal} there. */
  connect(): MessagePort
  /** Finishes what waits, and gives the folder back. */
  close(): Promise<void>
}

/** Looks whether the thread still lives; after so many looks in vain it counts as dead. */
const LOOK_MS = 5_000
const LOOKS = 24

/**
 * Starts the writer of a data folder. When its thread ends or hangs, `onDeath` is called: the process must end and start
 * again, because nobody can know what became of the last commit. Rejects `data-in-use`.
 */
export async function startWriter(
  path: string,
  { onDeath = endProcess }: { readonly onDeath?: (error: LogError) => void } = {},
): Promise<WriterThread> {
  const workerData: WriterThreadData = { path }
  const worker = startThread(import.meta.url, './writer-thread.ts', { workerData, name: 'writer' })
  const order = (message: Order, transfer: readonly Transferable[] = []) => worker.postMessage(message, transfer)
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let death: unknown = null
  worker.on('error', (error) => {
    death = error
  })
  const report = await new Promise<Report>((resolve) => {
    worker.once('message', resolve)
    void exited.then(() => resolve({ type: 'failed', error: endedText(path, death) }))
  })
  if (report.type === 'failed') {
    await worker.terminate()
    throw fromErrorText(report.error)
  }
  const { feed } = report
  let isClosing = false
  const die = (cause: unknown) => {
    if (isClosing) return
    isClosing = true
    clearInterval(watch)
    onDeath(fromErrorText(endedText(path, cause)))
  }
  let seen = -1
  let looks = 0
  const watch = setInterval(() => {
    const now = beats(feed)
    looks = now === seen ? looks + 1 : 0
    seen = now
    if (looks >= LOOKS) die('it does not answer')
  }, LOOK_MS)
  watch.unref()
  void exited.then(() => die(death))
  // A process that has nothing else to do may end; a call under way keeps it, by its port.
  worker.unref()
  const connect = () => {
    const { port1, port2 } = new MessageChannel()
    order({ type: 'connect', port: port2 }, [port2])
    return port1
  }
  return {
    journal: connectJournal(connect()),
    feed,
    connect,
    async close() {
      if (!isClosing) {
        isClosing = true
        clearInterval(watch)
        order({ type: 'close' })
      }
      worker.ref()
      await exited
    },
  }
}

/** A journal over a port of a writer thread. */
export function connectJournal(port: MessagePort): Journal {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: unknown): void }>()
  let last = 0
  let isEnded = false
  port.on('message', (answer: Answer) => {
    const call = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (waiting.size === 0) port.unref()
    if ('error' in answer) call?.reject(fromErrorText(answer.error))
    else call?.resolve(answer.result)
  })
  port.on('close', () => {
    isEnded = true
    for (const { reject } of waiting.values()) reject(ended())
    waiting.clear()
  })
  port.unref()
  const call = (method: Method, args: readonly unknown[], transfer: readonly Transferable[] = []): Promise<never> =>
    new Promise((resolve, reject) => {
      if (isEnded) return reject(ended())
      const id = ++last
      waiting.set(id, { resolve: resolve as (result: unknown) => void, reject })
      port.ref()
      const request: Request = { id, method, args }
      try {
        port.postMessage(request, transfer)
      } catch (error) {
        waiting.delete(id)
        reject(error)
      }
    })
  return {
    commit: (commit) => call('commit', [commit], buffersOf(commit)),
    assertDataset: (id, settings) => call('assertDataset', [id, settings]),
    deleteDataset: (id) => call('deleteDataset', [id]),
    assertIndex: (...index) => call('assertIndex', index),
    deleteIndex: (dataset, index) => call('deleteIndex', [dataset, index]),
    fillIndex: (dataset, index, entries, filled, ready) =>
      call('fillIndex', [dataset, index, entries, filled, ready], [entries]),
    remove: (removal) => call('remove', [removal]),
    beginRun: (pipe) => call('beginRun', [pipe]),
    endRun: (pipe, number) => call('endRun', [pipe, number]),
    forgetRuns: (pipe) => call('forgetRuns', [pipe]),
    beginStaging: (dataset, run, limit) => call('beginStaging', [dataset, run, limit]),
    tripStaged: (dataset, run) => call('tripStaged', [dataset, run]),
    decideStaged: (dataset, run) => call('decideStaged', [dataset, run]),
    discardStaged: (dataset) => call('discardStaged', [dataset]),
  }
}

const buffersOf = ({ writes = [] }: Commit): ArrayBuffer[] => writes.map(({ entities }) => entities)

const ended = (): LogError =>
  new LogError('writer-ended', 'The writer of the log has ended.', {
    hint: 'Start the hub again: everything that was answered is stored.',
  })

function endedText(path: string, cause: unknown): ErrorText {
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : (cause ?? 'it ended by itself')
  return {
    code: 'writer-ended',
    message: `The writer thread of ${path} died: ${why}`,
    details: { path },
    hint: 'Start the hub again: everything that was answered is stored.',
  }
}

function endProcess({ message, hint }: LogError): void {
  process.stderr.write(`${message}\n${hint}\n`)
  process.exit(70)
}
