import { describe, expect, it } from 'vitest'
import { stateOf, stateText } from '../../src/hub/pump-state.ts'
import { Scheduler } from '../../src/hub/scheduler.ts'
import type { InputState } from '../../src/hub/signals.ts'
import { mayRunBy } from '../../src/hub/task-manager.ts'
import { type Cron, parseCron } from '../../src/pipes/cron-parse.ts'
import type { CronSchedule, Pipe } from '../../src/pipes/pipe.ts'
import type { RunReport } from '../../src/pipes/run-report.ts'

const HOUR = 3_600_000

const tick = (ms = 40) => new Promise((resolve) => setTimeout(resolve, ms))

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
      cron: null,
      rescanRunCount: null,
      rescanCron: null,
      partialRescan: null,
      runAtStartup: false,
      runAtStartupIfNotPopulated: false,
      ...pump,
    },
    reads: [],
    isOfUser: true,
    rescansInBackground: false,
  } as unknown as Pipe
}

const cron = (text: string): CronSchedule => ({ text, cron: parseCron(text).cron as Cron })

interface WorldOptions {
  readonly mayRun?: (pipe: Pipe) => boolean
  readonly startedAt?: number
  readonly saved?: Map<string, string>
}

const SIGNS = { incremental: '', rescan: '!', partial: '~' }

/** A log that only has lengths, a clock that is wound by hand, and runs that are written down. */
function world(pipes: readonly Pipe[], { mayRun = () => true, startedAt = 0, saved = new Map() }: WorldOptions = {}) {
  const inputs = new Map<string, InputState>()
  const runs: string[] = []
  const outcomes = new Map<string, Partial<RunReport>>()
  let now = startedAt
  let commits = 0
  let wake = () => {}
  let hold: Promise<void> | null = null
  /** Up to when the sources of pipes let entities through. */
  const released = new Map<string, number | null>()
  const scheduler = new Scheduler({
    now: () => now,
    run: async (id, { kind, isBackground }) => {
      runs.push(id + SIGNS[kind] + (isBackground ? '&' : ''))
      const known = pipes.find((one) => one.id === id) as Pipe
      const inputEnds = Object.fromEntries(known.source.inputs.map((input) => [input, inputs.get(input)?.end ?? 0]))
      if (hold !== null) await hold
      return { outcome: 'completed', changes: 0, inputEnds, ...outcomes.get(id) } as RunReport
    },
    stop: async () => {},
    inputs: () => inputs,
    released: ({ id }) => released.get(id),
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
    save: async (states) => {
      for (const [id, state] of states) saved.set(id, stateText(state))
    },
    ended: () => {},
  })
  void scheduler.setPipes(mayRun, new Map(pipes.map((one) => [one.id, one])), (id) => stateOf(saved.get(id)))
  const grow = (dataset: string, end: number, populated = true, isTripped = false) => {
    inputs.set(dataset, { end, populated, isTripped })
    commits++
    wake()
  }
  /** The clock moves on, and the scheduler looks at it. */
  const advance = async (ms: number) => {
    now += ms
    commits++
    wake()
    await tick()
  }
  const taken = () => runs.splice(0)
  return {
    scheduler,
    runs,
    taken,
    outcomes,
    released,
    saved,
    grow,
    advance,
    holdRuns: (until: Promise<void> | null) => (hold = until),
  }
}

describe('the scheduler', () => {
  it('starts a pipe when what holds its source back lets more through', async () => {
    const { scheduler, taken, outcomes, released, grow, advance } = world([pipe('b', ['a'])])
    outcomes.set('b', { outcome: 'waiting', code: 'waits-for-completeness', heldTo: null })
    released.set('b', null)
    grow('a', 3)
    scheduler.start()
    await tick()
    expect(taken()).toEqual(['b'])
    await advance(1)
    expect(taken()).toEqual([])
    released.set('b', 10)
    outcomes.set('b', { heldTo: 10 })
    await advance(1)
    expect(taken()).toEqual(['b'])
    await advance(1)
    expect(taken()).toEqual([])
    released.set('b', 20)
    outcomes.set('b', { heldTo: 20 })
    await advance(1)
    expect(taken()).toEqual(['b'])
    await scheduler.close()
  })

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

  it('runs at the times of a cron expression, and not when the hub starts', async () => {
    const { scheduler, taken, advance } = world([pipe('a', [], { cron: cron('0 * * * *') })])
    scheduler.start()
    await tick()
    expect(taken()).toEqual([])
    expect(scheduler.nextRunAt('a')).toBe(HOUR)
    await advance(HOUR)
    expect(taken()).toEqual(['a'])
    expect(scheduler.nextRunAt('a')).toBe(2 * HOUR)
    await advance(HOUR / 2)
    expect(taken()).toEqual([])
    await advance(5 * HOUR)
    expect(taken()).toEqual(['a'])
    await scheduler.close()
  })

  it('makes up for a run that was due while the hub was down, once', async () => {
    const saved = new Map<string, string>()
    const hourly = [pipe('a', [], { cron: cron('0 * * * *') }), pipe('b', [], { intervalMs: 2 * HOUR })]
    const before = world(hourly, { saved })
    before.scheduler.start()
    await before.advance(HOUR)
    expect(before.taken()).toEqual(['b', 'a'])
    await before.scheduler.close()
    const early = world(hourly, { saved, startedAt: 1.5 * HOUR })
    early.scheduler.start()
    await tick()
    expect(early.taken()).toEqual([])
    await early.scheduler.close()
    const late = world(hourly, { saved, startedAt: 9.5 * HOUR })
    late.scheduler.start()
    await late.advance(1)
    expect(late.taken()).toEqual(['a', 'b'])
    await late.scheduler.close()
  })

  it('counts from the change when a cron expression is another one', async () => {
    const saved = new Map<string, string>()
    const before = world([pipe('a', [], { cron: cron('0 0 1 1 *') })], { saved })
    await before.scheduler.close()
    const after = world([pipe('a', [], { cron: cron('0 * * * *') })], { saved, startedAt: 9.5 * HOUR })
    after.scheduler.start()
    await tick()
    expect(after.taken()).toEqual([])
    expect(after.scheduler.nextRunAt('a')).toBe(10 * HOUR)
    await after.scheduler.close()
  })

  it('reads everything again at the times of a rescan', async () => {
    const { scheduler, taken, advance } = world([pipe('a', [], { rescanCron: cron('0 */2 * * *'), intervalMs: HOUR })])
    scheduler.start()
    await tick()
    for (let hour = 1; hour <= 5; hour++) await advance(HOUR)
    expect(taken()).toEqual(['a', 'a', 'a!', 'a', 'a!', 'a'])
    await scheduler.close()
  })

  it('goes back a part of the way on every n-th run', async () => {
    const partialRescan = { runCount: 2, delta: 10 }
    const { scheduler, runs } = world([pipe('a', [], { partialRescan, mode: 'manual' })])
    for (let n = 0; n < 4; n++) await scheduler.run('a')
    expect(runs).toEqual(['a', 'a~', 'a', 'a~'])
    await scheduler.close()
  })

  it('counts runs on after a restart', async () => {
    const saved = new Map<string, string>()
    const third = [pipe('a', [], { rescanRunCount: 3, mode: 'manual' })]
    const before = world(third, { saved })
    await before.scheduler.run('a')
    await before.scheduler.run('a')
    await before.scheduler.close()
    const after = world(third, { saved })
    await after.scheduler.run('a')
    expect(after.taken()).toEqual(['a!'])
    await after.scheduler.close()
  })

  it('runs when the hub starts what is to run then, or is not populated, whatever the schedule', async () => {
    const never = { cron: cron('0 0 1 1 *') }
    const { scheduler, taken, grow, advance } = world([
      pipe('start', [], { ...never, runAtStartup: true }),
      pipe('empty', [], { ...never, runAtStartupIfNotPopulated: true }),
      pipe('full', [], { ...never, runAtStartupIfNotPopulated: true }),
      pipe('manual', [], { runAtStartup: true, mode: 'manual' }),
      pipe('other', [], never),
    ])
    grow('full', 3)
    grow('empty', 3, false)
    scheduler.start()
    await tick()
    expect(taken().sort()).toEqual(['empty', 'start'])
    await advance(1)
    expect(taken()).toEqual([])
    await scheduler.close()
  })

  it('lets only those run by themselves that the node lets', async () => {
    const own = { ...pipe('own', []), isOfUser: false }
    const mayRun = mayRunBy({ disablesPumps: false, disablesUserPipes: true })
    const { scheduler, taken, grow } = world([pipe('a', ['x'], { runAtStartup: true }), own], { mayRun })
    grow('x', 1)
    scheduler.start()
    await tick()
    expect(taken()).toEqual(['own'])
    expect(scheduler.nextRunAt('a')).toBeNull()
    scheduler.signal('a')
    await tick()
    expect(taken()).toEqual([])
    await scheduler.run('a')
    expect(taken()).toEqual(['a'])
    await scheduler.close()
    const nobody = world([own], { mayRun: mayRunBy({ disablesPumps: true, disablesUserPipes: false }) })
    nobody.scheduler.start()
    await tick()
    expect(nobody.taken()).toEqual([])
    await nobody.scheduler.close()
  })

  it('follows a signal from outside with one run, after the one under way', async () => {
    const { scheduler, taken, holdRuns } = world([pipe('a', [])])
    scheduler.start()
    await tick()
    expect(taken()).toEqual(['a'])
    let release = () => {}
    holdRuns(new Promise((resolve) => (release = resolve)))
    scheduler.signal('a')
    await tick()
    scheduler.signal('a')
    scheduler.signal('a')
    await tick()
    expect(taken()).toEqual(['a'])
    holdRuns(null)
    release()
    await tick()
    expect(taken()).toEqual(['a'])
    await tick()
    expect(taken()).toEqual([])
    await scheduler.close()
  })

  it('runs a rescan beside incremental runs, one at a time, and goes on with it when it was interrupted', async () => {
    const beside = { ...pipe('a', ['x'], { intervalMs: HOUR }), rescansInBackground: true }
    const { scheduler, taken, outcomes, grow, advance, holdRuns } = world([beside])
    scheduler.start()
    await tick()
    expect(taken()).toEqual(['a'])
    let release = () => {}
    holdRuns(new Promise((resolve) => (release = resolve)))
    const rescan = scheduler.run('a', { rescan: true })
    expect(() => scheduler.run('a', { rescan: true })).toThrow(expect.objectContaining({ code: 'already-running' }))
    await tick()
    holdRuns(null)
    grow('x', 1)
    await tick()
    expect(taken()).toEqual(['a!&', 'a'])
    outcomes.set('a', { outcome: 'interrupted' })
    release()
    await rescan
    expect(scheduler.state('a')).toMatchObject({ owesRescan: true, rescanning: null })
    outcomes.delete('a')
    await advance(HOUR)
    expect(taken().sort()).toEqual(['a', 'a!&'])
    expect(scheduler.state('a').owesRescan).toBe(false)
    await advance(HOUR)
    expect(taken()).toEqual(['a'])
    await scheduler.close()
  })
})
