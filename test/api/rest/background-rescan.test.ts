import { expect, it } from 'vitest'
import { receiver } from '../../hub/running-hub.ts'
import { eventually, openRealHub } from '../real-hub.ts'

it('a rescan in the background is started, shown, stopped, and gone on with over the API', {
  timeout: 90_000,
}, async () => {
  const { tenant, ...hub } = await openRealHub()
  const steps = [
    ['if', ['is-not-null', '_S.slow'], [['sleep!', 60]]],
    ['copy', '*'],
  ]
  const out = {
    _id: 'out',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'in' },
    transform: { type: 'dtl', rules: { default: steps } },
    batch_size: 1,
    compaction: { sink: false },
    enable_background_rescan: true,
    pump: { schedule_interval: 7200 },
  }
  await hub.configure(receiver('in'), out)
  await hub.push('in', [{ _id: '1' }, { _id: '2' }])
  hub.start()
  const live = () => tenant.liveEntities('out')
  await eventually(live, 2)
  await eventually(async () => (await hub.pump('out'))['is-running'], false)
  // The rescan hangs at what comes next, and never comes to the end by itself.
  await hub.operate('out', 'disable')
  await hub.push('in', [{ _id: '3', slow: true }])
  await hub.operate('out', 'set-last-seen-to-end')
  expect((await hub.operate('out', 'start-rescan')).status).toBe(200)
  await eventually(async () => (await hub.pump('out')).progress?.['processed-by-rescan'], 2)
  expect(await hub.operate('out', 'start-rescan')).toMatchObject({ status: 409, body: { code: 'already-running' } })
  expect(await hub.operate('out', 'reset-rescan')).toMatchObject({ status: 409 })
  expect(await hub.pump('out')).toMatchObject({ 'is-running': true, 'last-seen': '2' })
  expect((await hub.operate('out', 'stop')).body.runtime).toMatchObject({
    'is-running': false,
    'last-rescan': { outcome: 'interrupted', syncType: 'full' },
    'full-run': { processed: 2 },
  })
  // What made it hang is gone.
  await hub.push('in', [{ _id: '3' }, { _id: '4' }])
  expect((await hub.operate('out', 'start')).status).toBe(200)
  await eventually(live, 4)
  await eventually(async () => (await hub.pump('out'))['is-running'], false)
  expect((await hub.operate('out', 'start-rescan')).status).toBe(200)
  await eventually(async () => (await hub.pump('out'))['last-rescan'].outcome, 'completed')
  expect(await hub.pump('out')).toMatchObject({ 'full-run': null, 'last-seen': '4' })
})
