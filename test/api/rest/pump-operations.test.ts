import { describe, expect, it } from 'vitest'
import { receiver } from '../../hub/running-hub.ts'
import { eventually, openRealHub, openRealTenant, type RealHub } from '../real-hub.ts'

const reader = (pump: object = { mode: 'manual' }, more: object = {}) => ({
  _id: 'out',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'in' },
  pump,
  ...more,
})

/** A hub whose pipe `out` reads three entities of `in`. */
async function hub(pump?: object, more?: object, open = openRealTenant): Promise<RealHub> {
  const opened = await open()
  await opened.configure(receiver('in'), reader(pump, more))
  await opened.push('in', [{ _id: '1' }, { _id: '2' }, { _id: '3' }])
  return opened
}

const ids = (opened: RealHub) => opened.tenant.liveEntities('out')

/** Runs the pump and gives what its report says. */
async function run(opened: RealHub, operation = 'start') {
  const before = (await opened.pump('out'))['last-report']
  expect(await opened.operate('out', operation)).toMatchObject({ status: 200, body: { _id: 'out' } })
  await eventually(async () => {
    const runtime = await opened.pump('out')
    return !runtime['is-running'] && JSON.stringify(runtime['last-report']) !== JSON.stringify(before)
  }, true)
  return (await opened.pump('out'))['last-report']
}

const unsupported = (operation: string) => ({
  status: 400,
  body: {
    code: 'unsupported-operation',
    message: `The pump of pipe 'out' doesn't support the operation '${operation}'.`,
  },
})

describe('operations on a pump', { timeout: 90_000 }, () => {
  it('start it, from its offset or for everything again, with the offset kept', async () => {
    const opened = await hub()
    expect(await run(opened)).toMatchObject({ syncType: 'full', read: 3, changes: 3 })
    await opened.push('in', [{ _id: '4' }])
    expect(await run(opened)).toMatchObject({ syncType: 'incremental', read: 1 })
    expect(await run(opened, 'start-rescan')).toMatchObject({ syncType: 'full', read: 4, changes: 0 })
    expect((await opened.pump('out'))['last-seen']).toBe('3')
  })

  it('reset it with an empty last-seen, and move it with another', async () => {
    const opened = await hub()
    await run(opened)
    await opened.operate('out', 'update-last-seen', { 'last-seen': '1' })
    expect(await run(opened)).toMatchObject({ syncType: 'incremental', read: 1 })
    await opened.operate('out', 'update-last-seen', { 'last-seen': '' })
    expect((await opened.pump('out'))['last-seen']).toBeNull()
    expect(await run(opened)).toMatchObject({ syncType: 'full', read: 3 })
    expect(await opened.operate('out', 'update-last-seen')).toMatchObject({
      status: 400,
      body: { code: 'bad-request' },
    })
    expect(await opened.operate('out', 'update-last-seen', { 'last-seen': 'abc' })).toMatchObject({
      status: 400,
      body: { code: 'bad-request' },
    })
  })

  it('skip what it has not read', async () => {
    const opened = await hub()
    expect(await opened.operate('out', 'set-last-seen-to-end')).toMatchObject({
      status: 200,
      body: { runtime: { 'last-seen': '2', queues: { source: 0 } } },
    })
    expect(await run(opened)).toMatchObject({ syncType: 'incremental', read: 0 })
    expect(ids(opened)).toBe(0)
  })

  it('stop it, and do nothing when it does not run', async () => {
    const slow = {
      transform: {
        type: 'dtl',
        rules: {
          default: [
            ['sleep!', 60],
            ['copy', '*'],
          ],
        },
      },
      batch_size: 1,
    }
    const opened = await hub({ mode: 'manual' }, slow)
    expect((await opened.operate('out', 'stop')).status).toBe(200)
    expect((await opened.operate('out', 'start')).body.runtime).toMatchObject({ 'is-running': true })
    expect(await opened.operate('out', 'start')).toMatchObject({ status: 409, body: { code: 'already-running' } })
    expect(await opened.operate('out', 'start-rescan')).toMatchObject({ status: 409 })
    for (const operation of ['update-last-seen', 'set-last-seen-to-end', 'reset-rescan', 'discard-retries']) {
      expect(await opened.operate('out', operation, { 'last-seen': '' }), operation).toMatchObject({ status: 409 })
    }
    expect((await opened.operate('out', 'stop')).body.runtime).toMatchObject({
      'is-running': false,
      'last-outcome': 'interrupted',
    })
  })

  it('disable and enable it, and let it be started by hand meanwhile', async () => {
    const opened = await hub({ schedule_interval: 0.05 }, {}, openRealHub)
    await opened.operate('out', 'disable', { comment: 'holidays' })
    opened.start()
    expect(await opened.pump('out')).toMatchObject({
      'is-disabled': true,
      comment: 'holidays',
      'next-run': null,
      'last-message': 'does not run by itself: it is disabled (holidays)',
    })
    expect(await run(opened)).toMatchObject({ changes: 3 })
    await opened.push('in', [{ _id: '4' }])
    await opened.operate('out', 'enable')
    await eventually(() => ids(opened), 4)
    expect(await opened.pump('out')).toMatchObject({ 'is-disabled': false, comment: null })
  })

  it('give up a rescan that was interrupted', async () => {
    const steps = [
      ['if', ['is-not-null', '_S.slow'], [['sleep!', 60]]],
      ['copy', '*'],
    ]
    const slow = { transform: { type: 'dtl', rules: { default: steps } }, batch_size: 1 }
    const opened = await hub({ mode: 'manual' }, slow)
    await run(opened)
    await opened.push('in', [{ _id: '4', slow: true }])
    await opened.operate('out', 'set-last-seen-to-end')
    await opened.operate('out', 'start-rescan')
    await eventually(async () => (await opened.pump('out')).progress?.processed, 3)
    await opened.operate('out', 'stop')
    expect(await opened.pump('out')).toMatchObject({ 'full-run': { processed: 3 }, 'last-seen': '3' })
    expect((await opened.operate('out', 'reset-rescan')).body.runtime).toMatchObject({
      'full-run': null,
      'last-seen': '3',
    })
    expect(await run(opened)).toMatchObject({ syncType: 'incremental', read: 0 })
  })

  it('are named in its document, and others refused', async () => {
    const opened = await hub()
    const all = ['start', 'start-rescan', 'stop', 'enable', 'disable', 'update-last-seen', 'set-last-seen-to-end']
    expect((await opened.pump('out'))['supported-operations']).toEqual([
      ...all,
      'reset-rescan',
      'discard-retries',
      'discard-inferred-schema',
    ])
    expect(await opened.operate('out', 'fly')).toMatchObject(unsupported('fly'))
    expect((await opened.fetch('/pipes/nobody/pump', { method: 'POST', body: 'operation=start' })).status).toBe(404)
    expect((await opened.pump('in'))['supported-operations']).toEqual(['enable', 'disable', 'discard-inferred-schema'])
    expect((await opened.operate('in', 'start')).status).toBe(400)
  })

  it('know those of a pump that is off, or whose offset is protected', async () => {
    const opened = await hub({ mode: 'off' }, { disable_set_last_seen: true })
    expect(await opened.pump('out')).toMatchObject({
      'supported-operations': [
        'stop',
        'enable',
        'disable',
        'reset-rescan',
        'discard-retries',
        'discard-inferred-schema',
      ],
      'last-message': "does not run: its mode is 'off'",
    })
    expect(await opened.operate('out', 'start')).toMatchObject(unsupported('start'))
    for (const operation of ['update-last-seen', 'set-last-seen-to-end']) {
      const answer = await opened.operate('out', operation, { 'last-seen': '' })
      expect(answer).toMatchObject(unsupported(operation))
      expect(answer.body.hint).toBe('disable_set_last_seen is true.')
    }
  })

  it('are few when the configuration has errors, and the document says so', async () => {
    const opened = await openRealTenant()
    const broken = JSON.stringify([{ ...reader(), batch_size: -1 }])
    const headers = { 'content-type': 'application/json' }
    await opened.fetch('/config?force=true', { method: 'PUT', headers, body: broken })
    expect(await opened.pump('out')).toMatchObject({
      'is-valid-config': false,
      'supported-operations': ['enable', 'disable'],
      'last-message': expect.stringMatching(/^does not run: its configuration has errors\. .*batch_size/),
    })
    expect(await opened.operate('out', 'start')).toMatchObject(unsupported('start'))
    expect((await opened.operate('out', 'disable')).status).toBe(200)
  })

  it('start what the node does not let run by itself', async () => {
    const opened = await hub({ schedule_interval: 0.05 }, {}, openRealHub)
    const task_manager = { disable_user_pipes: true }
    await opened.configure({ _id: 'node', type: 'metadata', task_manager }, receiver('in'), reader())
    opened.start()
    expect((await opened.pump('out'))['last-message']).toMatch(/task_manager/)
    expect(await run(opened)).toMatchObject({ changes: 3 })
  })
})
