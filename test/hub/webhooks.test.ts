import { describe, expect, it } from 'vitest'
import { Webhooks } from '../../src/hub/webhooks.ts'
import { silent } from '../../src/pipes/logger.ts'

const tick = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms))
const HOUR = 3_600_000

/** Datasets that only have lengths, a clock that is wound by hand, and calls that are written down. */
function world() {
  const ends = new Map<string, number>()
  const calls: string[] = []
  const statuses: number[] = []
  let now = 0
  let commits = 0
  let wake = () => {}
  let answer: Promise<void> | null = null
  const hooks = new Webhooks({
    now: () => now,
    end: (dataset) => ends.get(dataset) ?? 0,
    grownTo: () => commits,
    grown: (seen, timeoutMs) =>
      seen !== commits
        ? Promise.resolve(commits)
        : new Promise((resolve) => {
            const timer = setTimeout(() => resolve(commits), timeoutMs)
            wake = () => {
              clearTimeout(timer)
              resolve(commits)
            }
          }),
    post: async (url, token) => {
      calls.push(`${url} ${token}`)
      if (answer !== null) await answer
      return statuses.shift() ?? 200
    },
    logger: silent,
  })
  const look = async () => {
    commits++
    wake()
    await tick()
  }
  return {
    hooks,
    statuses,
    taken: () => calls.splice(0),
    hold: (until: Promise<void> | null) => (answer = until),
    grow: async (dataset: string, end: number) => {
      ends.set(dataset, end)
      await look()
    },
    advance: async (ms: number) => {
      now += ms
      await look()
    },
    ask: (since: number | null, more: object = {}) =>
      hooks.subscribe({ dataset: 'a', since, url: 'http://x/hook', token: 't', ...more }),
  }
}

describe('a webhook', () => {
  it('is called once there is something behind what was read, and once for all of it', async () => {
    const { hooks, ask, grow, advance, taken } = world()
    await grow('a', 5)
    ask(4)
    await tick()
    expect(taken()).toEqual([])
    await grow('other', 5)
    expect(taken()).toEqual([])
    await grow('a', 9)
    expect(taken()).toEqual(['http://x/hook t'])
    await advance(HOUR)
    expect(taken()).toEqual([])
    await hooks.close()
  })

  it('is called at once when it is asked for too late', async () => {
    const { hooks, ask, grow, taken } = world()
    await grow('a', 5)
    ask(2)
    await tick()
    expect(taken()).toEqual(['http://x/hook t'])
    await hooks.close()
  })

  it('hears of what comes from now on when nothing is said of what was read', async () => {
    const { hooks, ask, grow, taken } = world()
    await grow('a', 5)
    ask(null)
    await tick()
    expect(taken()).toEqual([])
    await grow('a', 6)
    expect(taken()).toHaveLength(1)
    await hooks.close()
  })

  it('is called once a second at most, and of what came meanwhile', async () => {
    const { hooks, ask, grow, advance, taken, hold } = world()
    ask(-1)
    let release = () => {}
    hold(new Promise((resolve) => (release = resolve)))
    await grow('a', 1)
    await grow('a', 2)
    expect(taken()).toHaveLength(1)
    hold(null)
    release()
    await tick()
    await advance(900)
    expect(taken()).toEqual([])
    await advance(100)
    expect(taken()).toHaveLength(1)
    await hooks.close()
  })

  it('is forgotten when nobody knows it, and called later when it fails', async () => {
    const { hooks, ask, grow, advance, taken, statuses } = world()
    ask(-1)
    ask(-1, { url: 'http://x/gone' })
    statuses.push(500, 404)
    await grow('a', 1)
    expect(taken().sort()).toEqual(['http://x/gone t', 'http://x/hook t'])
    expect(hooks.size).toBe(1)
    await advance(1_000)
    expect(taken()).toEqual([])
    await advance(1_000)
    expect(taken()).toEqual(['http://x/hook t'])
    await advance(HOUR)
    expect(taken()).toEqual([])
    await hooks.close()
  })

  it('is dropped after ten failures, or a day, unless it is asked for again', async () => {
    const { hooks, ask, grow, advance, taken, statuses } = world()
    ask(-1)
    statuses.push(...Array(10).fill(503))
    await grow('a', 1)
    for (let n = 0; n < 12; n++) await advance(HOUR / 2)
    expect(taken()).toHaveLength(10)
    expect(hooks.size).toBe(0)
    ask(0)
    await advance(23 * HOUR)
    ask(0, { token: 'newer' })
    await advance(23 * HOUR)
    await grow('a', 2)
    expect(taken()).toEqual(['http://x/hook newer'])
    await advance(2 * HOUR)
    expect(hooks.size).toBe(0)
    await hooks.close()
  })

  it('is an address of the web, and one of a thousand at most', async () => {
    const { hooks, ask } = world()
    for (const url of ['', 'x', 'ftp://x/', 'file:///etc/passwd']) {
      expect(() => ask(null, { url })).toThrow(expect.objectContaining({ code: 'bad-webhook' }))
    }
    for (let n = 0; n < 1_000; n++) ask(null, { url: `http://x/${n}` })
    expect(() => ask(null)).toThrow(expect.objectContaining({ code: 'too-many-webhooks' }))
    ask(null, { url: 'http://x/7' })
    await hooks.close()
  })
})
