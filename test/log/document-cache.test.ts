import { describe, expect, it } from 'vitest'
import { DocumentCache } from '../../src/log/document-cache.ts'
import { openForReading } from '../../src/log/environment.ts'
import { openedLog, write } from './sample.ts'

describe('the documents of datasets', () => {
  it('are parsed again only when they changed', async () => {
    const { writer, path } = await openedLog()
    for (let i = 0; i < 200; i++) await writer.assertDataset(`d${i}`)
    const environment = openForReading(path)
    const cache = new DocumentCache(environment)
    const now = () => {
      const transaction = environment.read()
      const then = cache.at(transaction)
      const all = then.all()
      environment.release(transaction)
      return all
    }
    expect(now().length).toBe(201)
    const first = cache.parsed
    await writer.commit({ populated: [['d7', true]] })
    expect(
      now()
        .filter(({ populated }) => populated)
        .map(({ id }) => id),
    ).toEqual(['d7'])
    expect(cache.parsed - first).toBe(1)
    await writer.commit({ completeness: [{ dataset: 'd7', value: 1 }], writes: [write('d9', [{ _id: 'a' }])] })
    await writer.commit({ completeness: [{ dataset: 'd7', value: 2 }] })
    expect(now().find(({ id }) => id === 'd7')?.completeness).toBe(2)
    // Two changes of one dataset are one look, and entities are no change of a document.
    expect(cache.parsed - first).toBe(2)
    await writer.deleteDataset('d7')
    await writer.assertDataset('new')
    const ids = now().map(({ id }) => id)
    expect(ids.length).toBe(201)
    expect(ids).toEqual([...ids].sort())
    expect(ids).toContain('new')
    expect(ids).not.toContain('d7')
    await environment.close()
  })

  it('are those of each snapshot, whichever looks first', async () => {
    const { writer, log } = await openedLog()
    const before = log.snapshot()
    await writer.commit({ populated: [['d', true]] })
    await writer.assertDataset('new')
    const between = log.snapshot()
    await writer.deleteDataset('d')
    await writer.deleteDataset('new')
    const after = log.snapshot()
    expect(after.datasets()).toEqual([])
    const seen = (snapshot: typeof before) => snapshot.datasets().map(({ id, populated }) => [id, populated])
    expect(seen(between)).toEqual([
      ['d', true],
      ['new', false],
    ])
    expect(seen(before)).toEqual([['d', false]])
    expect(before.dataset('new')).toBeUndefined()
    expect(between.dataset('d')?.document.populated).toBe(true)
    between.renew()
    expect(seen(between)).toEqual([])
  })

  it('are those of each snapshot when an older one looks after a younger one followed', async () => {
    const { writer, log } = await openedLog()
    log.snapshot().datasets()
    const before = log.snapshot()
    await writer.commit({ populated: [['d', true]] })
    await writer.assertDataset('new')
    const after = log.snapshot()
    expect(after.datasets().length).toBe(2)
    expect(before.datasets().map(({ id, populated }) => [id, populated])).toEqual([['d', false]])
    await writer.deleteDataset('d')
    expect(log.snapshot().dataset('d')).toBeUndefined()
    expect(after.dataset('d')?.document.populated).toBe(true)
    expect(before.dataset('d')?.document.populated).toBe(false)
  })
})
