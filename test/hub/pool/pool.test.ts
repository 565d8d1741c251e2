/** Many runs on few threads: each has its turn, and a thread that is lost costs the one who lost it, and nobody else. */

import { expect, it } from 'vitest'
import type { HubTenant } from '../../../src/hub/tenant.ts'
import { deploy, live, openHub, push, receiver, stored } from '../running-hub.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ _id: `e${n}`, n }))

/** Work for each entity: so many thousand numbers are made. */
const work = (thousands: unknown) => ['add', 'sum', ['count', ['range', 0, ['*', thousands, 1_000]]]]

const pipe = (id: string, from: string, batch: number, ...rules: unknown[]) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset: from },
  batch_size: batch,
  pump: { mode: 'manual' },
  transform: { type: 'dtl', rules: { default: [['copy', '*'], ...rules] } },
})

const threadOf = (tenant: HubTenant, id: string) => JSON.parse(tenant.pump(id) as string).runtime.thread

it('lets a short pipe through while a long one runs on the same thread', async () => {
  const { tenant } = await openHub({ threads: 1 })
  await deploy(tenant, receiver('in'), pipe('long', 'in', 1, work(100)), pipe('short', 'in', 100))
  await push(tenant, 'in', numbered(2_000))
  const long = tenant.runNow('long')
  const read = () => tenant.pumpState('long').running?.read ?? 0
  await expect.poll(read).toBeGreaterThan(0)
  const before = read()
  expect(await tenant.runNow('short')).toMatchObject({ outcome: 'completed', changes: 2_000 })
  // It had its turns between batches of the other: 20 of its own, and a few before and after.
  expect(read() - before).toBeLessThan(200)
  await tenant.operate('long', 'stop', {})
  expect(await long).toMatchObject({ outcome: 'interrupted' })
}, 90_000)

it('shares long runs among its threads, and tells which has which', async () => {
  const { node, tenant } = await openHub({ threads: 2 })
  await deploy(tenant, receiver('in'), pipe('one', 'in', 5, work(100)), pipe('two', 'in', 5, work(100)))
  expect(node.threads().map(({ isStarted }) => isStarted)).toEqual([true, false])
  await push(tenant, 'in', numbered(200))
  // The first has something to do, so the second is started, for what may come.
  expect(node.threads().map(({ isStarted }) => isStarted)).toEqual([true, true])
  const runs = [tenant.runNow('one'), tenant.runNow('two')]
  const shared = () => node.threads().map((thread) => thread.runs.map((run) => run.pipe))
  await expect.poll(() => shared().toSorted(), { interval: 1 }).toEqual([['one'], ['two']])
  expect([threadOf(tenant, 'one'), threadOf(tenant, 'two')]).toEqual(shared()[0]?.[0] === 'one' ? [0, 1] : [1, 0])
  await Promise.all(['one', 'two'].map((id) => tenant.operate(id, 'stop', {})))
  for (const report of await Promise.all(runs)) expect(report).toMatchObject({ outcome: 'interrupted' })
  expect(threadOf(tenant, 'one')).toBeNull()
}, 90_000)

it('ends a run that holds its thread, names it, and lets its neighbours go on from their offsets', async () => {
  const logged: string[] = []
  const logger = { debug() {}, info() {}, warn() {}, error: (message: string) => void logged.push(message) }
  const { node, tenant } = await openHub({ threads: 1, patienceMs: 1_500, logger })
  await deploy(
    tenant,
    receiver('in'),
    receiver('sent'),
    pipe('greedy', 'in', 1_000, work(['if', ['gte', '_S.n', 150], 5_000, 0])),
    pipe('neighbour', 'in', 2, work(20)),
  )
  await push(tenant, 'in', numbered(300))
  const neighbour = tenant.runNow('neighbour')
  await expect.poll(() => tenant.pumpState('neighbour').running?.read ?? 0).toBeGreaterThan(0)
  const report = await tenant.runNow('greedy')
  expect(report).toMatchObject({ outcome: 'failed', code: 'run-lost', changes: 0 })
  expect(report.message).toBe(
    "Pipe 'greedy' held its thread for more than 1.5 seconds without finishing a batch; it was ended with its thread.",
  )
  expect(report.hint).toMatch(/batch_size/)
  expect(await neighbour).toMatchObject({ outcome: 'completed' })
  // Each once and in order: nothing was torn, lost or repeated.
  expect((await stored(tenant, 'neighbour', true)).map(({ n }) => n)).toEqual(numbered(300).map(({ n }) => n))
  expect(await live(tenant, 'greedy')).toEqual([])
  const told = await stored(tenant, 'system:pump_execution:greedy', true)
  expect(told.at(-1)).toMatchObject({ event_type: 'pump-failed', reason_why_stopped: report.message })
  expect(node.threads()).toMatchObject([{ restarts: 1, lastLoss: { tenant: 'default', pipe: 'greedy' } }])
  expect(logged.filter((line) => line.startsWith('Pump thread 0 was lost'))).toHaveLength(1)
  await push(tenant, 'sent', numbered(3))
  expect(await live(tenant, 'sent')).toHaveLength(3)
  // It is not started in a loop.
  const again = await tenant.runNow('greedy')
  expect(again).toMatchObject({ outcome: 'failed', code: 'run-paused' })
  expect(again.message).toMatch(/It is not started again before .*, unless it is asked to or configured anew/)
  expect(node.threads()).toMatchObject([{ restarts: 1 }])
  await deploy(tenant, receiver('in'), receiver('sent'), pipe('greedy', 'in', 1_000), pipe('neighbour', 'in', 2))
  expect(await tenant.runNow('greedy')).toMatchObject({ outcome: 'completed', changes: 300 })
}, 90_000)

it('takes the parts of full syncs in by one receiver each, whatever else runs', async () => {
  const { tenant } = await openHub({ threads: 3 })
  const names = ['a', 'b', 'c', 'd', 'e']
  await deploy(tenant, receiver('in'), pipe('busy', 'in', 1, work(100)), ...names.map((name) => receiver(name)))
  await push(tenant, 'in', numbered(2_000))
  const run = tenant.runNow('busy')
  await Promise.all(
    names.map(async (name) => {
      await push(tenant, name, [{ _id: 'gone' }])
      const part = (entities: object[], which: object) =>
        push(tenant, name, entities, { isFull: true, sequenceId: '7', ...which })
      await part([{ _id: 'x' }], { isFirst: true, requestId: '1' })
      await part([{ _id: 'y' }], { requestId: '2', previousRequestId: '1' })
      await part([{ _id: 'z' }], { requestId: '3', previousRequestId: '2', isLast: true })
    }),
  )
  for (const name of names) expect(await live(tenant, name)).toEqual([{ _id: 'x' }, { _id: 'y' }, { _id: 'z' }])
  await tenant.operate('busy', 'stop', {})
  expect(await run).toMatchObject({ outcome: 'interrupted' })
}, 90_000)

it('keeps a pipe that makes up namespaces on the thread that remembers them', async () => {
  const { node, tenant } = await openHub({ threads: 2 })
  const uri = (path: string) => ['ni', ['uri', ['concat', `http://${path}/`, '_S._id']]]
  await deploy(
    tenant,
    receiver('in'),
    receiver('more'),
    pipe('busy', 'more', 1, work(100)),
    pipe('named', 'in', 1, ['if', ['eq', '_S.n', 0], ['add', 'at', uri('a')], ['add', 'at', uri('b')]]),
  )
  await push(tenant, 'in', [{ _id: 'x', n: 0 }])
  await push(tenant, 'more', numbered(2_000))
  await tenant.runNow('named')
  const run = tenant.runNow('busy')
  await expect.poll(() => tenant.pumpState('busy').running?.read ?? 0, { timeout: 20_000 }).toBeGreaterThan(0)
  // Another one goes to the other thread; this one does not, busy or not.
  await push(tenant, 'in', [{ _id: 'y', n: 1 }])
  await tenant.runNow('named')
  expect(await live(tenant, 'named')).toMatchObject([{ at: '~:named-1:x' }, { at: '~:named-2:y' }])
  expect(node.threads().length).toBe(2)
  await tenant.operate('busy', 'stop', {})
  await run
}, 90_000)

it('ends in time although a run holds its thread', async () => {
  const { node, tenant } = await openHub({ threads: 2 })
  await deploy(tenant, receiver('in'), pipe('greedy', 'in', 1_000, work(5_000)))
  await push(tenant, 'in', numbered(300))
  const run = tenant.runNow('greedy')
  await new Promise((resolve) => setTimeout(resolve, 200))
  const startedAt = performance.now()
  await node.close()
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  expect(await run).toMatchObject({ outcome: 'interrupted' })
}, 90_000)
