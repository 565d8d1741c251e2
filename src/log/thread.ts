/** Starts worker threads alike from the TypeScript sources and from the built program, and ends them. */

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { setEnvironmentData, Worker, type WorkerOptions } from 'node:worker_threads'
import { entryUrl, isSource } from './entry.ts'
import { closeGate, GATE, type Gate, newGate } from './gate.ts'

const gates = new WeakMap<Worker, Gate>()

/**
 * Starts the thread whose entry is `entry`, seen from the module `callerUrl` (its `import.meta.url`). `entry` is written
 * with `.ts`; next to a built caller, the built file is taken.
 */
export function startThread(callerUrl: string, entry: `${string}.ts`, options: WorkerOptions = {}): Worker {
  const gate = newGate()
  // A thread gets a copy of what is set while it is made.
  setEnvironmentData(GATE, gate)
  const worker = makeThread(callerUrl, entry, options)
  setEnvironmentData(GATE, undefined)
  gates.set(worker, gate)
  return worker
}

/** Ends a thread of {@link startThread} at any instruction, without harm to the process. Resolves when it is gone. */
export async function endThread(worker: Worker): Promise<void> {
  const gate = gates.get(worker)
  if (gate !== undefined) await closeGate(gate)
  await worker.terminate()
}

function makeThread(callerUrl: string, entry: `${string}.ts`, options: WorkerOptions): Worker {
  const url = entryUrl(callerUrl, entry)
  if (!isSource(url)) return new Worker(url, options)
  // Node 20 does not hand a loader given by --import to its threads, so the thread registers it itself.
  const loader = pathToFileURL(
    createRequire(callerUrl)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href
  const main = `import { register } from ${JSON.stringify(loader)}
register()
await import(${JSON.stringify(url.href)})`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(main)}`), options)
}
