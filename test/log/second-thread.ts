/** Entry of a second thread for the tests of the log: it watches a log while another thread writes, or commits beside it. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import type { DatasetView, Journal, Snapshot } from '../../src/log/contract.ts'
import { connectJournal } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { commitInTurn, type PlainCommit } from './client.ts'
import { explained } from './explained.ts'
import { digestOf, KEYS, type Property } from './plain-log.ts'

export type ToSecond =
  | { readonly type: 'watch'; readonly path: string }
  | { readonly type: 'stop' }
  | { readonly type: 'connect'; readonly path: string; readonly port: MessagePort }
  | { readonly type: 'commit'; readonly commits: readonly PlainCommit[] }

const main = parentPort as MessagePort
let isWatching = false
let client: { readonly journal: Journal; readonly path: string } | null = null

main.on('message', (order: ToSecond) => {
  if (order.type === 'watch') void tell(watch(order.path))
  else if (order.type === 'stop') isWatching = false
  else if (order.type === 'connect') client = { journal: connectJournal(order.port), path: order.path }
  else if (client !== null) void tell(commitInTurn(client.journal, client.path, order.commits))
})

async function tell(work: Promise<unknown>): Promise<void> {
  try {
    main.postMessage({ result: await work })
  } catch (error) {
    main.postMessage({ error: (error as Error).stack ?? String(error) })
  }
}

/** The states it saw until it was told to stop, each explained by its own log. */
async function watch(path: string): Promise<string[]> {
  const log = openLog(path)
  const seen: string[] = []
  isWatching = true
  main.postMessage({ result: 'watching' })
  const kept = log.snapshot()
  try {
    for (let round = 0; isWatching; round++) {
      // A snapshot that is renewed, and one that was opened just now.
      const snapshot = round % 2 === 0 ? kept : log.snapshot()
      if (snapshot === kept) kept.renew()
      const state = observe(snapshot)
      if (state !== seen.at(-1)) seen.push(state)
      await new Promise((resolve) => setImmediate(resolve))
      if (observe(snapshot) !== state) throw new Error('A snapshot showed two states.')
      if (snapshot !== kept) snapshot.close()
    }
    return seen
  } finally {
    log.close()
  }
}

function observe(snapshot: Snapshot): string {
  const datasets = snapshot.datasets().map(({ id }) => {
    const view = snapshot.dataset(id) as DatasetView
    return [id, view.counts().end, explained(view, keysOf, ALL_KEYS)] as const
  })
  return digestOf(datasets, snapshot.offsets(''))
}

const ALL_KEYS = KEYS.map((key) => Buffer.from(key))
const keysOf = (expression: string, body: string): Uint8Array[] =>
  (JSON.parse(body) as Record<Property, string[]>)[expression as Property].map((key) => Buffer.from(key))
