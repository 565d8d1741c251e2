import { describe, expect, it } from 'vitest'
import { assess, type Facts, type TenantFacts } from '../../../src/hub/health/assess.ts'
import { healthOf, type Reason } from '../../../src/hub/health/reason.ts'
import { HealthWatch } from '../../../src/hub/health/watch.ts'

const GIB = 1024 ** 3

const tenant = (some: Partial<TenantFacts> = {}): TenantFacts => ({
  name: 'default',
  beats: 1,
  graph: { state: 'ready', lag: 0 },
  backupTrouble: null,
  ...some,
})
const facts = (seconds: number, some: Partial<Facts> = {}): Facts => ({
  at: seconds * 1000,
  disks: [{ what: 'data', path: '/data', freeBytes: 50 * GIB, totalBytes: 100 * GIB }],
  tenants: [tenant({ beats: seconds })],
  unopened: [],
  lostThreads: 0,
  ...some,
})
/** Every ten seconds up to a moment. */
const history = (to: number, of: (seconds: number) => Facts): Facts[] =>
  Array.from({ length: to / 10 + 1 }, (_, place) => of(place * 10))
const codes = (all: readonly Facts[]) =>
  assess(all.at(-1) as Facts, all.slice(0, -1)).map(({ code, severity }) => `${code} ${severity}`)

describe('a hub', () => {
  it('is well when all is as it should be', () => {
    expect(codes(history(60, (at) => facts(at)))).toEqual([])
    expect(healthOf([])).toMatchObject({ isLive: true, isReady: true, isWell: true })
  })

  it('says that a disk is low, and that nothing can be written when it is full', () => {
    const disk = (freeBytes: number, totalBytes = 100 * GIB) => ({
      what: 'data' as const,
      path: '/data',
      freeBytes,
      totalBytes,
    })
    expect(codes([facts(0, { disks: [disk(6 * GIB)] })])).toEqual([])
    expect(codes([facts(0, { disks: [disk(4 * GIB)] })])).toEqual(['disk-low unwell'])
    expect(codes([facts(0, { disks: [disk(4 * GIB, 4000 * GIB)] })])).toEqual(['disk-low unwell'])
    expect(codes([facts(0, { disks: [disk(1024 ** 2)] })])).toEqual(['disk-full not-ready'])
    expect(codes([facts(0, { disks: [{ ...disk(1024 ** 2), what: 'backups' }] })])).toEqual(['disk-low unwell'])
    const [reason] = assess(facts(0, { disks: [disk(4 * GIB)] }), [])
    expect(reason?.message).toBe('The disk of the data folder /data has 4.0 GiB left of 100.0 GiB.')
    expect(reason?.hint).toContain('Make room')
  })

  it('is not ready when its writer does not answer, and wants a restart when that goes on', () => {
    const stuckFrom = (seconds: number) => (at: number) =>
      facts(at, { tenants: [tenant({ beats: Math.min(at, seconds) })] })
    expect(codes(history(60, stuckFrom(50)))).toEqual([])
    expect(codes(history(60, stuckFrom(40)))).toEqual(['writer-stuck not-ready'])
    expect(codes(history(120, stuckFrom(40)))).toEqual(['writer-stuck dead'])
  })

  it('says that threads are lost again and again, and forgets it when they are not any more', () => {
    const lost = (at: number) => facts(at, { lostThreads: at < 100 ? 0 : 3 })
    expect(codes(history(90, lost))).toEqual([])
    expect(codes(history(300, lost))).toEqual(['pump-threads-lost unwell'])
    expect(codes(history(900, lost))).toEqual([])
  })

  it('tells a graph that is loaded from one that stays behind', () => {
    const graph = (state: 'ready' | 'loading', lag: number) => (at: number) =>
      facts(at, { tenants: [tenant({ beats: at, graph: { state, lag } })] })
    expect(codes(history(0, graph('loading', 0)))).toEqual(['graph-not-ready not-ready'])
    expect(codes(history(200, graph('ready', 20_000)))).toEqual([])
    expect(codes(history(300, graph('ready', 20_000)))).toEqual(['graph-behind unwell'])
    expect(codes([...history(300, graph('ready', 20_000)), graph('ready', 5)(310)])).toEqual([])
    expect(codes(history(400, (at) => facts(at, { tenants: [tenant({ beats: at, graph: null })] })))).toEqual([])
  })

  it('names backups that go wrong, and tenants that could not be opened', () => {
    const all = [
      facts(0, {
        tenants: [tenant({ backupTrouble: 'the last one failed' })],
        unopened: [{ tenant: 'b', message: 'broken' }],
      }),
    ]
    expect(codes(all)).toEqual(['tenant-not-open not-ready', 'backup-trouble unwell'])
    expect(assess(all[0] as Facts, []).map((reason) => reason.tenant)).toEqual(['b', 'default'])
  })

  it('is looked at once for all who ask within a second, and tells of what comes and goes', async () => {
    let now = 0
    let looks = 0
    let trouble: string | null = null
    const told: (readonly [string, boolean])[] = []
    const watch = new HealthWatch({
      now: () => now,
      look: async () => {
        looks++
        return facts(now / 1000, { tenants: [tenant({ backupTrouble: trouble })] })
      },
      changed: ({ code }: Reason, isThere: boolean) => told.push([code, isThere]),
    })
    const [one, other] = await Promise.all([watch.health(null), watch.health('default')])
    expect([one.isWell, other.isWell, looks]).toEqual([true, true, 1])
    trouble = 'the last one failed'
    now = 500
    expect((await watch.health(null)).isWell).toBe(true)
    now = 2_000
    expect(await watch.health(null)).toMatchObject({ isLive: true, isReady: true, isWell: false })
    expect((await watch.health('other')).isWell).toBe(true)
    trouble = null
    now = 4_000
    expect((await watch.health(null)).isWell).toBe(true)
    expect(told).toEqual([
      ['backup-trouble', true],
      ['backup-trouble', false],
    ])
  })
})
