/** Calls at a fixed rate, whatever the answers take: each is timed from when it was due, so that who waits is counted too. */

import { Pool } from 'undici'

export interface OpenLoop {
  /** Seconds from when each call was due to its last byte, sorted. */
  readonly due: readonly number[]
  /** Seconds from when it was sent: without what this process itself was late. */
  readonly sent: readonly number[]
  /** Calls a second that were made. */
  readonly rate: number
}

const CONNECTIONS = 64

export async function openLoop(
  url: string,
  paths: readonly string[],
  perSecond: number,
  seconds: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenLoop> {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 })
  const due: number[] = []
  const sent: number[] = []
  const call = async (number: number, dueAt: number): Promise<void> => {
    const sentAt = performance.now()
    const { statusCode, body } = await pool.request({
      method: 'GET',
      headers,
      path: paths[number % paths.length] as string,
    })
    await body.dump({ limit: 2 ** 30 })
    if (statusCode !== 200) throw new Error(`${paths[number % paths.length]}: ${statusCode}`)
    const now = performance.now()
    due.push((now - dueAt) / 1_000)
    sent.push((now - sentAt) / 1_000)
  }
  try {
    const startedAt = performance.now()
    const total = perSecond * seconds
    const under: Promise<void>[] = []
    for (let next = 0; next < total; ) {
      const now = performance.now()
      for (; next < total && startedAt + (next / perSecond) * 1_000 <= now; next++) {
        under.push(call(next, startedAt + (next / perSecond) * 1_000))
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const madeIn = (performance.now() - startedAt) / 1_000
    await Promise.all(under)
    const sorted = (values: number[]) => values.sort((a, b) => a - b)
    return { due: sorted(due), sent: sorted(sent), rate: total / madeIn }
  } finally {
    await pool.close()
  }
}
