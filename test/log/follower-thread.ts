/** Entry of a thread with followers of a log's feed: each tells when it heard of each commit, and of which end. */

import { readlinkSync } from 'node:fs'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openFeed } from '../../src/log/feed.ts'

export interface FollowerData {
  readonly feed: SharedArrayBuffer
  readonly dataset: number
  readonly followers: number
  /** Each stops when it heard of this end. */
  readonly until: number
}

export interface Heard {
  /** What followers heard: next sequence, and the milliseconds since 1970 when. */
  readonly heard: readonly (readonly [end: number, at: number])[]
}

const { feed: buffer, dataset, followers, until } = workerData as FollowerData
const main = parentPort as MessagePort

async function follow(): Promise<Heard['heard']> {
  const feed = openFeed(buffer)
  const heard: [number, number][] = []
  let seen = feed.commits()
  for (let end = feed.end(dataset); end < until; ) {
    seen = await feed.changed(seen, 60_000)
    const now = performance.timeOrigin + performance.now()
    end = feed.end(dataset)
    heard.push([end, now])
  }
  return heard
}

const following = Array.from({ length: followers }, follow)
// Waiting on the feed keeps no thread alive.
const stay = setInterval(() => {}, 1_000_000)
main.postMessage({ task: readlinkSync('/proc/thread-self') })
const heard = (await Promise.all(following)).flat()
main.postMessage({ heard } satisfies Heard)
clearInterval(stay)
