import { expect, it } from 'vitest'
import { deploy } from '../../src/hub/deployment.ts'
import { createNaming } from '../../src/model/iri.ts'
import { IndexCompiler } from '../../src/pipes/dataset-writer.ts'
import { silent } from '../../src/pipes/logger.ts'
import { FoundBefore } from '../../src/pipes/lookup.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import { openedLog } from '../log/sample.ts'

it('a run that waits for an index is stopped at once', async () => {
  const { writer, log } = await openedLog()
  await writer.commit({ populated: [['d', true]] })
  const hop = ['hops', { datasets: ['d x'], where: ['eq', '_S.k', 'x.k'], return: 'x._id' }]
  const config = {
    _id: 'p',
    type: 'pipe',
    source: { type: 'embedded', entities: [{ _id: '1' }] },
    transform: { type: 'dtl', rules: { default: [['add', 'x', hop]] } },
  }
  const pipe = deploy([JSON.stringify(config)], '{}', null).pipes.get('p')?.pipe as Pipe
  const stop = new AbortController()
  const ports = {
    journal: writer,
    log,
    found: new FoundBefore(),
    indexes: new IndexCompiler(),
    logger: silent,
    now: Date.now,
    uuid: () => 'u',
    naming: createNaming({ base: 'http://h' }),
    system: () => {
      throw new Error('it has no system')
    },
    // An index that is never complete.
    assertIndex: () => new Promise<void>(() => setTimeout(() => stop.abort())),
    keepIndex: async () => {},
  }
  expect(await runPipe(pipe, ports, { kind: 'incremental' }, stop.signal)).toMatchObject({
    outcome: 'interrupted',
    read: 0,
  })
})
