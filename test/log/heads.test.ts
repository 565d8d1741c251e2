import { expect, it } from 'vitest'
import { openedLog, reading, write } from './sample.ts'

const long = 'x'.repeat(600)

it('lists the ids of a dataset with their newest versions, whatever the ids, as a walk over the entities does', async () => {
  const { writer, log } = await openedLog()
  await writer.assertDataset('e')
  const ids = ['b', 'å', `${long}1`, `${long}2`, 'a', ...Array.from({ length: 3_000 }, (_, i) => `n${i}`)]
  await writer.commit({
    writes: [
      write(
        'd',
        ids.map((_id) => ({ _id })),
      ),
      write('e', [{ _id: 'other' }]),
    ],
  })
  await writer.commit({
    writes: [
      write('d', [
        { _id: 'a', n: 2 },
        { _id: `${long}1`, _deleted: true },
      ]),
    ],
  })
  for (const options of [{}, { deleted: false }, { after: 'n17' }, { after: `${long}1`, deleted: false }]) {
    const { heads, entities } = reading(log, (snapshot) => {
      const view = snapshot.dataset('d')
      return {
        heads: [...(view?.heads(options) ?? [])],
        entities: [...(view?.entities(options) ?? [])].map(({ id, sequence, deleted }) => ({ id, sequence, deleted })),
      }
    })
    expect(heads).toEqual(entities)
    expect(heads.length).toBeGreaterThan(1)
  }
})
