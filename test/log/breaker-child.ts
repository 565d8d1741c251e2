/** A hub that writes numbered runs behind a circuit breaker for ever, prints each once it is decided, and waits to be killed. */

import { exposeStaged } from '../../src/log/expose.ts'
import { startWriter } from '../../src/log/journal.ts'
import { openLog } from '../../src/log/reader.ts'
import { BATCHES, batchOf, isTripping, outcomeOf } from './breaker-runs.ts'
import { bytes, reading, write } from './sample.ts'

const path = process.argv[2] as string
const { journal } = await startWriter(path)
await journal.assertDataset('d')
const log = openLog(path)
// A run that is there is not written again: what is equal would not count for its breaker.
const newest = reading(log, (snapshot) =>
  Math.max(Number(snapshot.offset('decided') ?? -1), Number(snapshot.offset('source:p')?.split('.')[0] ?? -1)),
)

for (let number = newest + 1; ; number++) {
  const run = { pipe: 'p', number: await journal.beginRun('p') }
  await journal.beginStaging('d', run, isTripping(number) ? 0 : 1_000_000)
  for (let batch = 0; batch < BATCHES; batch++) {
    const offset = `${number}.${batch}`
    const { writes } = await journal.commit({
      run,
      writes: [write('d', batchOf(number, batch))],
      offsets: [['source:p', offset]],
      state: [[bytes(`s${batch}`), bytes(offset)]],
    })
    if (writes[0]?.tripped) break
  }
  if (outcomeOf(number) === 'dropped') await journal.discardStaged('d')
  else await exposeStaged(journal, log, 'd', () => [], isTripping(number) ? {} : { run })
  await journal.endRun('p', run.number)
  await journal.commit({ offsets: [['decided', `${number}`]] })
  process.stdout.write(`${number}\n`)
}
