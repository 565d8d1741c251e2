import { expect, it } from 'vitest'
import { serve } from '../serve.ts'

const hub = serve()

it('starts a backup, lists it, and tells what became of it', async () => {
  const started = await hub.post('/api/backups?full=true', '')
  expect(started.status).toBe(202)
  expect(await started.json()).toEqual({ _id: '0', status: 'running', isFull: true })
  expect(await (await hub.get('/api/backups')).json()).toEqual([{ _id: '0', status: 'running', isFull: true }])
  expect(await (await hub.get('/api/backups/0')).json()).toMatchObject({ _id: '0' })
  expect((await hub.get('/api/backups/7')).status).toBe(404)
})
