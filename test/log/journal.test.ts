import { describe, expect, it, onTestFinished } from 'vitest'
import { openFeed } from '../../src/log/feed.ts'
import { connectJournal, startWriter, type WriterThread } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { bytes, folder, reading, write } from './sample.ts'

async function started(path = folder()): Promise<WriterThread> {
  const thread = await startWriter(path)
  onTestFinished(() => thread.close())
  return thread
}

describe('the writer thread', () => {
  it('commits what two threads send through ports of their own', async () => {
    const path = folder()
    const thread = await started(path)
    const other = connectJournal(thread.connect())
    await thread.journal.assertDataset('d')
    await Promise.all([
      thread.journal.commit({ writes: [write('d', [{ _id: 'a' }])], offsets: [['one', '1']] }),
      other.commit({ writes: [write('d', [{ _id: 'b' }])], state: [[bytes('k'), bytes('v')]] }),
    ])
    const log = openLog(path)
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d')
      expect([...(view?.entities() ?? [])].map(({ id }) => id)).toEqual(['a', 'b'])
      expect(snapshot.offset('one')).toBe('1')
      expect(Buffer.from(snapshot.state(bytes('k')) ?? []).toString()).toBe('v')
    })
    await log.close()
  })

  it('answers a refusal with its code, details and hint', async () => {
    const { journal } = await started()
    await expect(journal.commit({ writes: [write('nowhere', [{ _id: 'a' }])] })).rejects.toMatchObject({
      name: 'LogError',
      code: 'unknown-dataset',
      details: { dataset: 'nowhere' },
    })
  })

  it('tells the feed within 10 ms of the answer', async () => {
    const { journal, feed: buffer } = await started()
    const feed = openFeed(buffer)
    const { number } = await journal.assertDataset('d')
    for (let i = 1; i <= 20; i++) {
      const seen = feed.commits()
      const heard = feed.changed(seen, 5_000).then(() => performance.now())
      await journal.commit({ writes: [write('d', [{ _id: `${i}` }])] })
      const answeredAt = performance.now()
      expect((await heard) - answeredAt).toBeLessThan(10)
      expect(feed.end(number)).toBe(i)
    }
  })

  it('rejects what is asked of it after it was closed', async () => {
    const thread = await startWriter(folder())
    await thread.close()
    await expect(thread.journal.assertDataset('d')).rejects.toMatchObject({ code: 'writer-ended' })
  })
})
