/** Entry of a second thread for the tests of the log: it watches a log while another thread writes, or commits beside it. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import type { DatasetView, Journal, Snapshot, Version } from '../../src/log/contract.ts'
import { connectJournal } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { commitInTurn, type PlainCommit } from './client.ts'
import { digestOf, type Json, KEYS, type Property } from './plain-log.ts'

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
    return [id, view.counts().end, explained(view)] as const
  })
  return digestOf(datasets, snapshot.offsets(''))
}

/** The latest versions, which must be those that the log leads to, and those that the indexes and counts speak of. */
function explained(view: DatasetView): Version[] {
  const folded = new Map<string, Version & { readonly json: Json }>()
  let versions = 0
  for (const version of view.changes(null)) {
    versions++
    folded.set(version.id, { ...version, json: JSON.parse(Buffer.from(version.body).toString()) as Json })
  }
  const latest = [...view.entities()]
  equal('the latest versions', sequences(latest), sequences(folded.values()))
  equal('what changed last', sequences(view.changes(null, { history: false })), sequences(folded.values()))
  const deleted = latest.filter((one) => one.deleted).length
  const counts = { existing: latest.length - deleted, deleted, versions }
  const { end: _end, ...counted } = view.counts()
  equal('the counts', counted, counts)
  for (const { number, expression, state } of view.document.indexes) {
    if (state !== 'ready') continue
    for (const key of KEYS) {
      const holders = [...folded.values()].filter(({ json }) => json[expression as Property].includes(key))
      const found = view.lookup(number, Buffer.from(key), { deleted: true })
      equal(`the index ${expression}`, [...found].sort(), holders.map(({ id }) => id).sort())
    }
  }
  return latest
}

const sequences = (versions: Iterable<Version>): number[] =>
  [...versions].map(({ sequence }) => sequence).sort((a, b) => a - b)

function equal(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)]
  if (one !== other) throw new Error(`A snapshot is torn: ${what} are ${one} where the log says ${other}.`)
}
