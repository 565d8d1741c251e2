import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { LogError } from '../../src/log/errors.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { reading, write } from './sample.ts'
import { canMount, smallDisk } from './small-disk.ts'
import { verified } from './verify/harm.ts'

// Text that does not compress.
const batch = (number: number) =>
  write(
    'd',
    Array.from({ length: 200 }, (_, i) => ({ _id: `${number}-${i}`, text: noise(`${number}-${i}`) })),
  )

function noise(seed: string): string {
  let text = ''
  for (let i = 0; text.length < 900; i++) text += Buffer.from(`${seed}${i * 7919}${Math.sin(i)}`).toString('base64')
  return text
}

it.runIf(canMount)(
  'refuses writes on a full disk, names the room left, goes on reading, and writes again when there is room',
  async () => {
    const disk = smallDisk(6)
    const path = join(disk.path, 'log')
    const writer = await LogWriter.open(path)
    await writer.assertDataset('d')
    const log = openLog(path)
    let stored = 0
    let failure: LogError | undefined
    while (failure === undefined) {
      await writer.commit({ writes: [batch(stored)], offsets: [['o', `${stored}`]] }).then(
        () => stored++,
        (error) => {
          failure = error
        },
      )
    }
    expect(failure).toMatchObject({ code: 'storage-failed', details: { path, free: expect.any(Number) } })
    expect(failure.message).toMatch(/the disk of .* has \d+ [kM]B left/)
    expect(stored).toBeGreaterThan(2)
    // Several at once fail as well, each with its own answer.
    const more = await Promise.allSettled([1, 2, 3].map((i) => writer.commit({ writes: [batch(1000 + i)] })))
    expect(more.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    const counted = () => reading(log, (snapshot) => snapshot.dataset('d')?.counts().existing)
    expect(counted()).toBe(200 * stored)
    expect(reading(log, (snapshot) => snapshot.dataset('d')?.latest('0-0')?.id)).toBe('0-0')
    disk.resize(32)
    await writer.commit({ writes: [batch(stored)], offsets: [['o', `${stored}`]] })
    expect(counted()).toBe(200 * (stored + 1))
    log.close()
    await writer.close()
    expect((await verified(path)).findings).toEqual([])
  },
)
