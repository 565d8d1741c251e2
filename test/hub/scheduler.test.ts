import { describe, expect, it } from 'vitest'
import { type InputState, type PumpState, Scheduler } from '../../src/hub/scheduler.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import type { RunReport } from '../../src/pipes/run-report.ts'

const tick = (ms = 60) => new Promise((resolve) => setTimeout(resolve, ms))

/** A dataset pipe `name` that reads `inputs`; enough of a pipe for the scheduler. */
function pipe(
  name: string,
  inputs: readonly string[],
  pump: Partial<Pipe['pump']> = {},
  source: Partial<Pipe['source']> = {},
): Pipe {
  return {
    id: name,
    source: { type: 'dataset', inputs, signalled: inputs.length > 0, ...source },
    sink: { kind: 'dataset', type: 'dataset', dataset: name, populatedWhen: 'if-source-populated' },
    pump: {
      mode: 'scheduled',
      intervalMs: 3_600_000,
      intervalIsExplicit: false,
      rescanRunCount: null,
      runAtStartup: false,
      ...pump,
    },
    reads: [],
  } as unknown as Pipe
}

/** A log that only has lengths, and runs that are written down. */
function world(pipes: readonly Pipe[]) {
  const inputs = new Map<string, InputState>()
  const runs: string[] = []
  const outcomes = new Map<string, Partial<RunReport>>()
  let commits = 0
  let wake = () => {}
  let hold: Promise<void> | null = null
  const scheduler = new Scheduler({
    now: Date.now,
    run: async (id, rescan) => {
      runs.push(rescan ? `${id}!` : id)
      const known = pipes.find((one) => one.id === id) as Pipe
      const inputEnds = Object.fromEntries(known.source.inputs.map((input) => [input, inputs.get(input)?.end ?? 0]))
      if (hold !== null) await hold
      return { outcome: 'completed', changes: 0, inputEnds, ...outcomes.get(id) } as RunReport
    },
    stop: async () => {},
    inputs: () => inputs,
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
    save: async (_id: string, _state: PumpState) => {},
    ended: () => {},
  })
  scheduler.setPipes(true, new Map(pipes.map((one) => [one.id, one])), () => undefined)
  const grow = (dataset: string, end: number, populated = true, isTripped = false) => {
    inputs.set(dataset, { end, populated, isTripped })
    commits++
    wake()
  }
  return { scheduler, runs, outcomes, grow, holdRuns: (until: Promise<void> | null) => (hold = until) }
}

describe('the scheduler', () => {
  it('runs each pipe once at the start, and again only when its input grew', async () => {
    const { scheduler, runs, grow } = world([pipe('a', []), pipe('b', ['a'])])
    scheduler.start()
    await tick()
    expect(runs.sort()).toEqual(['a', 'b'])
    grow('a', 5)
    await tick()
    grow('other', 1)
    await tick()
    expect(runs).toEqual(['a', 'b', 'b'])
    await scheduler.close()
  })

  it('runs once more, not twice, when the input grows during a run', async () => {
    const { scheduler, runs, grow, holdRuns } = world([pipe('b', ['a'])])
    let release = () => {}
    holdRuns(new Promise((resolve) => (release = resolve)))
    scheduler.start()
    await tick()
    grow('a', 1)
    grow('a', 2)
    await tick()
    expect(runs).toEqual(['b'])
    holdRuns(null)
    release()
    await tick()
    expect(runs).toEqual(['b', 'b'])
    await scheduler.close()
  })

  it('runs a pipe that reads all on each run when what it hops to grows, but not for what it writes itself', async () => {
    const rereading = { ...pipe('b', ['a'], { rescanRunCount: 1 }), reads: ['other', 'b'] }
    const { scheduler, runs, outcomes, grow } = world([rereading, { ...pipe('c', ['a']), reads: ['other'] }])
    outcomes.set('b', { inputEnds: { a: 1, other: 1 } })
    grow('a', 1)
    grow('other', 1)
    scheduler.start()
    await tick()
    expect(runs.sort()).toEqual(['b!', 'c'])
    grow('b', 7)
    await tick()
    expect(runs).toHaveLength(2)
    outcomes.set('b', { inputEnds: { a: 1, other: 2 } })
    grow('other', 2)
    await tick()
    expect(runs).toEqual(['b!', 'c', 'b!'])
    await scheduler.close()
  })

  it('leaves a pipe alone while the circuit breaker of its dataset has tripped', async () => {
    const { scheduler, runs, outcomes, grow } = world([pipe('b', ['a'])])
    grow('a', 3)
    grow('b', 1, true, true)
    outcomes.set('b', { outcome: 'waiting' })
    scheduler.start()
    await tick()
    for (let end = 4; end < 7; end++) {
      grow('a', end)
      await tick()
    }
    // Once by its schedule, when the hub was started.
    expect(runs).toEqual(['b'])
    grow('b', 1)
    scheduler.forget('b')
    outcomes.delete('b')
    await tick()
    expect(runs).toEqual(['b', 'b'])
    await scheduler.close()
  })

  it('does not run again and again what failed', async () => {
    const { scheduler, runs, outcomes, grow } = world([pipe('b', ['a'])])
    grow('a', 3)
    outcomes.set('b', { outcome: 'failed' })
    scheduler.start()
    await tick(150)
    expect(runs).toEqual(['b'])
    grow('a', 4)
    await tick()
    expect(runs).toEqual(['b', 'b'])
    await scheduler.close()
  })

  it('runs a waiting pipe when what it waited for is populated', async () => {
    const { scheduler, runs, outcomes, grow } = world([pipe('b', ['a'])])
    outcomes.set('b', { outcome: 'waiting' })
    grow('a', 1, false)
    scheduler.start()
    await tick()
    grow('a', 2, false)
    await tick()
    expect(runs).toEqual(['b'])
    outcomes.set('b', { outcome: 'completed' })
    grow('a', 2, true)
    await tick()
    expect(runs).toEqual(['b', 'b'])
    await scheduler.close()
  })

  it('leaves pumps alone that are disabled, manual, or stopped as a whole', async () => {
    const { scheduler, runs } = world([pipe('a', []), pipe('m', [], { mode: 'manual' })])
    await scheduler.setDisabled('a', true, 'for a while')
    scheduler.start()
    await tick()
    expect(runs).toEqual([])
    expect(scheduler.state('a')).toMatchObject({ isDisabled: true, comment: 'for a while' })
    await scheduler.run('a')
    await scheduler.run('m', { rescan: true })
    expect(runs).toEqual(['a', 'm!'])
    await scheduler.close()
  })

  it('refuses a second run at once, and a run of what cannot run', async () => {
    const { scheduler } = world([
      pipe('a', []),
      pipe('off', [], { mode: 'off' }),
      pipe('r', [], {}, { type: 'http_endpoint' }),
    ])
    const first = scheduler.run('a')
    expect(() => scheduler.run('a')).toThrow(expect.objectContaining({ code: 'already-running' }))
    for (const id of ['off', 'r', 'unknown']) {
      expect(() => scheduler.run(id)).toThrow(/doesn't support the operation/)
    }
    await first
    await scheduler.close()
  })

  it('makes every n-th run a rescan', async () => {
    const { scheduler, runs } = world([pipe('a', [], { rescanRunCount: 3, mode: 'manual' })])
    for (let n = 0; n < 6; n++) await scheduler.run('a')
    expect(runs).toEqual(['a', 'a', 'a!', 'a', 'a', 'a!'])
    await scheduler.close()
  })
})
