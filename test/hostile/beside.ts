/** How everybody else fares meanwhile: simple calls at a steady pace, timed from when each was due. */

export interface Fared {
  readonly calls: number
  readonly failed: readonly string[]
  readonly p50Ms: number
  readonly p99Ms: number
}

const CALLS = ['/api/ping', '/api/pipes/copy', '/api/datasets/in', '/api/datasets/in/entity?entity_id=a']

/** Calls until it is stopped; a call that waits for the one before counts from its own time. */
export function beginCalling(
  url: string,
  perSecond: number,
  headers: Readonly<Record<string, string>> = {},
): { end(): Promise<Fared> } {
  const times: number[] = []
  const failed: string[] = []
  const under = new Set<Promise<void>>()
  const startedAt = performance.now()
  let calls = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond)
    for (; calls < due; calls++) {
      const dueAt = startedAt + (calls / perSecond) * 1_000
      const path = CALLS[calls % CALLS.length] as string
      const call: Promise<void> = fetch(url + path, { headers })
        .then(async (answer) => {
          await answer.arrayBuffer()
          if (answer.status !== 200) failed.push(`${path}: ${answer.status}`)
        })
        .catch((error: Error) => void failed.push(`${path}: ${error.message}`))
        .then(() => {
          times.push(performance.now() - dueAt)
          under.delete(call)
        })
      under.add(call)
    }
  }, 5)
  return {
    async end() {
      clearInterval(timer)
      await Promise.all(under)
      times.sort((a, b) => a - b)
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
      return { calls, failed, p50Ms: at(0.5), p99Ms: at(0.99) }
    },
  }
}
