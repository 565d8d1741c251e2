import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { openServer } from '../../src/api/server.ts'
import { doors } from '../../src/hub/doors.ts'
import { silent } from '../../src/pipes/logger.ts'
import { deploy, openHub, receiver } from '../hub/running-hub.ts'
import { canMount, smallDisk } from '../log/small-disk.ts'

const batch = (number: number) =>
  Array.from({ length: 100 }, (_, i) => ({ _id: `${number}-${i}`, text: noise(`${number}-${i}`) }))

/** Text that does not compress. */
function noise(seed: string): string {
  let text = ''
  for (let i = 0; text.length < 900; i++) text += Buffer.from(`${seed}${i * 7919}${Math.sin(i)}`).toString('base64')
  return text
}

it.runIf(canMount)(
  'stays up on a full disk: writes are refused, reads go on, and pumps continue once there is room',
  async () => {
    const disk = smallDisk(10)
    const { node, tenant } = await openHub({ data: join(disk.path, 'data') })
    await deploy(tenant, receiver('in'), {
      _id: 'copy',
      type: 'pipe',
      source: { type: 'dataset', dataset: 'in' },
      pump: { schedule_interval: 1 },
    })
    const server = await openServer(node, { host: '127.0.0.1', port: 0, doors, log: silent })
    onTestFinished(() => server.close())
    const push = (number: number) =>
      fetch(`${server.url}/api/receivers/in/entities`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(batch(number)),
      })
    const count = async (dataset: string): Promise<number> => {
      const response = await fetch(`${server.url}/api/datasets/${dataset}`)
      return ((await response.json()) as { runtime: Record<string, number> }).runtime['count-index-exists'] as number
    }

    let stored = 0
    let refused: Response
    for (;;) {
      refused = await push(stored)
      if (!refused.ok) break
      stored++
    }
    expect(refused.status).toBe(503)
    expect(refused.headers.get('Retry-After')).toBe('30')
    expect(await refused.json()).toMatchObject({
      code: 'storage-failed',
      detail: expect.stringMatching(/the disk of .* has \d+ [kM]B left/),
      hint: expect.stringContaining('Make room'),
    })

    // The pump has no room for its copy; its report says why.
    node.startPumps()
    await vi.waitFor(
      () =>
        expect(tenant.pumpState('copy').last).toMatchObject({
          outcome: 'failed',
          message: expect.stringContaining('left'),
        }),
      { timeout: 20_000, interval: 50 },
    )
    // Somebody must make room, and nobody must restart it.
    expect((await fetch(`${server.url}/api/health/live`)).status).toBe(200)
    expect((await fetch(`${server.url}/api/health`)).status).toBe(503)
    expect(await count('in')).toBe(100 * stored)
    const entities = await fetch(`${server.url}/api/datasets/in/entities?limit=3`)
    expect(await entities.json()).toHaveLength(3)

    disk.resize(100)
    await vi.waitFor(async () => expect(await count('copy')).toBe(100 * stored), { timeout: 20_000, interval: 100 })
    expect((await push(stored)).status).toBe(200)
    await vi.waitFor(async () => expect(await count('copy')).toBe(100 * (stored + 1)), {
      timeout: 20_000,
      interval: 100,
    })
  },
  60_000,
)
