import { expect, it } from 'vitest'
import { deploy as deployment } from '../../src/hub/deployment.ts'
import { type Readers, readerPositions } from '../../src/hub/readers.ts'
import { openedLog, reading } from '../log/sample.ts'

const pipe = (id: string, source: object, more: object = {}) => ({ _id: id, type: 'pipe', source, ...more })

const ALL = [
  pipe('one', { type: 'dataset', dataset: 'd' }),
  pipe('all', { type: 'dataset', dataset: 'd', include_previous_versions: true }),
  pipe('merged', { type: 'merge', version: 2, datasets: ['x x', 'd d'], equality: [['eq', 'x.a', 'd.a']] }),
  pipe('other', { type: 'dataset', dataset: 'x' }),
  pipe('broken', { type: 'dataset', dataset: 'd' }, { transform: 3 }),
]

async function opened() {
  const log = await openedLog()
  const { pipes } = deployment(JSON.stringify(ALL), '{}', null)
  const positions = (more: Partial<Readers> = {}) =>
    reading(log.log, (snapshot) =>
      readerPositions(snapshot, 'd', { pipes, isRunning: () => false, projected: {}, ...more }),
    )
  const store = (offsets: Record<string, string>) => log.writer.commit({ offsets: Object.entries(offsets) })
  return { positions, store }
}

it('waits for nobody when nobody has read anything', async () => {
  const { positions } = await opened()
  expect(positions()).toEqual({ tracked: null, history: null, passed: null })
})

it('waits for the slowest of pipes, of each input of a merge, and of the graph', async () => {
  const { positions, store } = await opened()
  await store({ 'source:one': '7', 'source:other': '1', 'source:merged': '2,9' })
  expect(positions()).toEqual({ tracked: null, history: null, passed: 7 })
  expect(positions({ projected: { d: 5, x: 0 } }).passed).toBe(5)
  await store({ 'source:merged': '2,' })
  expect(positions().passed).toBe(-1)
})

it('waits for a first read that is under way, and not for one that has not begun', async () => {
  const { positions } = await opened()
  expect(positions({ isRunning: (id) => id === 'one' }).passed).toBe(-1)
})

it('keeps all versions for those who read all versions', async () => {
  const { positions, store } = await opened()
  await store({ 'source:one': '9', 'source:all': '4' })
  expect(positions()).toEqual({ tracked: null, history: 4, passed: 4 })
})

it('keeps what trackers need, whatever became of their pipes', async () => {
  const { positions, store } = await opened()
  await store({ 'tracking:gone:d': '6', 'tracking:one:d': '8', 'tracking:one:x': '1' })
  expect(positions()).toEqual({ tracked: 6, history: null, passed: 6 })
})

it('does not go on without a pipe that cannot be read', async () => {
  const { positions, store } = await opened()
  await store({ 'source:broken': '12' })
  expect(positions().passed).toBe(-1)
})
