/** The graph's thread: follows the log batch by batch, and answers queries in between. */

import { parentPort, workerData } from 'node:worker_threads'
import { openFeed } from '../log/feed.ts'
import { openLog } from '../log/reader.ts'
import { GraphError } from './errors.ts'
import { Projection } from './projection.ts'
import { type FromThread, type ThreadStart, type ToThread, toErrorText } from './protocol.ts'
import { answerQuery } from './query.ts'

const { path, feed: buffer, settings } = workerData as ThreadStart
const port = parentPort as NonNullable<typeof parentPort>
const feed = openFeed(buffer)
const log = openLog(path)
const projection = new Projection(settings)

/** Ends that somebody waits for: what the log held when they asked. */
const waiting = new Map<number, ReadonlyMap<string, number>>()
/** What the log held at start; null once the graph has it. */
let atStart: ReadonlyMap<string, number> | null = null
let isClosed = false
let wake = () => {}

const tell = (message: FromThread): void => port.postMessage(message)

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'query':
      return answer(message.id, message.query)
    case 'configure':
      guarded(null, () => projection.configure(message.settings))
      return wake()
    case 'catch-up':
      waiting.set(message.id, currentEnds())
      return wake()
    case 'close':
      isClosed = true
      return wake()
  }
})

function answer(id: number, query: Extract<ToThread, { kind: 'query' }>['query']): void {
  tell({ kind: 'started', id })
  guarded(id, () => {
    try {
      tell({ kind: 'answer', id, answer: answerQuery(projection.graph, projection.naming, query) })
    } catch (error) {
      if (!(error instanceof GraphError)) throw error
      tell({ kind: 'refusal', id, error: toErrorText(error) })
    }
  })
}

/** Whatever goes wrong in the store itself, a trap first of all, is the end of this thread. */
function guarded(id: number | null, act: () => void): void {
  try {
    act()
  } catch (error) {
    tell({ kind: 'lost', message: error instanceof Error ? (error.stack ?? error.message) : String(error), id })
    process.exit(1)
  }
}

/** Time between two looks at the log when the feed is silent. */
const IDLE_MS = 1_000
/** A quiet moment long enough to count exactly what was counted too high. */
const QUIET_MS = 200

/** A step this short leaves enough to others. */
const SHORT_MS = 20
/** How much longer than a step the rest after it is, and how long at most. */
const REST = 7
const LONGEST_REST_MS = 3_000
/** Nobody wrote for so long: they are done. */
const SILENT_MS = 100

/**
 * While others write in bulk, the graph takes no more than an eighth of a core: they are why there is anything to show, and
 * it catches up at full speed when they are done or somebody waits. Messages end the rest.
 */
async function rest(tookMs: number): Promise<void> {
  if (tookMs < SHORT_MS) return
  const until = performance.now() + Math.min(REST * tookMs, LONGEST_REST_MS)
  let isWoken = false
  while (!isWoken && performance.now() < until) {
    const seen = feed.commits()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      wake = () => {
        isWoken = true
        resolve()
      }
      timer = setTimeout(resolve, SILENT_MS)
    })
    clearTimeout(timer)
    if (feed.commits() === seen) return
  }
}

async function follow(): Promise<void> {
  atStart = currentEnds()
  while (!isClosed) {
    const seen = feed.commits()
    const startedAt = performance.now()
    let isMore = false
    guarded(null, () => {
      isMore = step()
    })
    settle()
    const isHurried = atStart !== null || waiting.size > 0
    if (!isHurried && feed.commits() !== seen) await rest(performance.now() - startedAt)
    if (isMore) {
      // Lets messages in.
      await new Promise((resolve) => setImmediate(resolve))
      continue
    }
    if (projection.graph.isExact) await changed(seen, IDLE_MS)
    else if (!(await changed(seen, QUIET_MS))) {
      projection.graph.count()
      settle()
    }
  }
  await log.close()
  port.close()
}

function step(): boolean {
  const snapshot = log.snapshot()
  try {
    return projection.step(snapshot)
  } finally {
    snapshot.close()
  }
}

function currentEnds(): ReadonlyMap<string, number> {
  const snapshot = log.snapshot()
  try {
    return projection.ends(snapshot)
  } finally {
    snapshot.close()
  }
}

/** Tells how far the graph is, and those who wait for it. */
function settle(): void {
  if (atStart !== null && projection.hasReached(atStart)) {
    atStart = null
    projection.graph.count()
  }
  const { quads, removed } = projection.graph
  tell({
    kind: 'progress',
    progress: { isReady: atStart === null, quads, removed, datasets: projection.progress() },
  })
  for (const [id, ends] of waiting) {
    if (!projection.hasReached(ends)) continue
    waiting.delete(id)
    tell({ kind: 'caught-up', id })
  }
}

/** Resolves to true when the log has grown or a message wants attention, to false after the time. */
async function changed(seen: number, timeoutMs: number): Promise<boolean> {
  const woken = new Promise<boolean>((resolve) => {
    wake = () => resolve(true)
  })
  const grown = feed.changed(seen, timeoutMs).then((commits) => commits !== seen)
  return Promise.race([woken, grown])
}

await follow()
