/** Starts worker threads alike from the TypeScript sources and from the built program. */

import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Starts the thread whose entry is `entry`, seen from the module `callerUrl` (its `import.meta.url`). `entry` is written
 * with `.ts`; next to a built caller, the built file is taken.
 */
export function startThread(callerUrl: string, entry: `${string}.ts`, options: WorkerOptions = {}): Worker {
  if (!fileURLToPath(callerUrl).endsWith('.ts')) {
    return new Worker(new URL(entry.replace(/\.ts$/, '.js'), callerUrl), options)
  }
  // Node 20 does not hand a loader given by --import to its threads, so the thread registers it itself.
  const loader = pathToFileURL(
    createRequire(callerUrl)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href
  const main = `import { register } from ${JSON.stringify(loader)}
register()
await import(${JSON.stringify(new URL(entry, callerUrl).href)})`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(main)}`), options)
}
