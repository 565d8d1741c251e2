import { expect, it } from 'vitest'
import { canWait, hashOf, pendingCount, RetryQueue } from '../../../src/pipes/retries/queue.ts'
import { entity, openedLog, reading } from '../../log/sample.ts'

it('two that keep what waits of one pipe, as a rescan beside its runs does, agree on how much that is', async () => {
  const { writer, log } = await openedLog()
  const count = () => reading(log, (snapshot) => pendingCount('p', snapshot))
  const [one, other] = reading(log, (snapshot) => [new RetryQueue('p', snapshot), new RetryQueue('p', snapshot)])
  const put = (queue: RetryQueue | undefined, id: string) => {
    const failed = entity({ _id: id })
    expect(canWait(failed)).toBe(true)
    queue?.put({ id, entity: failed, hash: hashOf(failed), attempts: 0 })
  }
  const save = async (queue: RetryQueue | undefined) => {
    const state = reading(log, (snapshot) => queue?.changes(snapshot) ?? [])
    await writer.commit({ state })
  }
  put(one, 'a')
  put(one, 'b')
  await save(one)
  put(other, 'c')
  put(other, 'a')
  await save(other)
  expect(count()).toBe(3)
  one?.remove('a')
  await save(one)
  expect(count()).toBe(2)
  other?.remove('a')
  other?.remove('c')
  await save(other)
  expect(count()).toBe(1)
  expect(reading(log, (snapshot) => new RetryQueue('p', snapshot).size)).toBe(1)
})
