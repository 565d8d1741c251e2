import { describe, expect, it, onTestFinished } from 'vitest'
import { HOUSE, writeText } from '../../src/log/documents.ts'
import { openForWriting } from '../../src/log/environment.ts'
import type { LogError } from '../../src/log/errors.ts'
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
    log.close()
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
    const delays: number[] = []
    for (let i = 1; i <= 20; i++) {
      const heard = feed.changed(feed.commits(), 5_000).then(() => performance.now())
      await journal.commit({ writes: [write('d', [{ _id: `${i}` }])] })
      const answeredAt = performance.now()
      delays.push((await heard) - answeredAt)
      expect(feed.end(number)).toBe(i)
    }
    // The best of them, since this machine may have other things to do.
    expect(Math.min(...delays)).toBeLessThan(10)
  })

  it('ends with its process when it cannot write any more', async () => {
    const path = folder()
    let onDeath: (error: LogError) => void = () => {}
    const death = new Promise<LogError>((resolve) => {
      onDeath = resolve
    })
    const thread = await startWriter(path, { onDeath: (error) => onDeath(error) })
    await thread.journal.assertDataset('d')
    const environment = openForWriting(path)
    environment.write(() => writeText(environment.tables.meta, HOUSE, JSON.stringify({ layout: 1, writer: 'another' })))
    await environment.close()
    await expect(thread.journal.assertDataset('e')).rejects.toMatchObject({ code: 'data-in-use' })
    expect(await death).toMatchObject({ code: 'writer-ended', details: { path } })
    await expect(thread.journal.assertDataset('e')).rejects.toMatchObject({ code: 'writer-ended' })
  })

  it('rejects what is asked of it after it was closed', async () => {
    const thread = await startWriter(folder())
    await thread.close()
    await expect(thread.journal.assertDataset('d')).rejects.toMatchObject({ code: 'writer-ended' })
  })
})
