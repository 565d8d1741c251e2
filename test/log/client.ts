/** Sends plain commits to a journal and tells how each was answered; in any thread. */

import type { Committed, Journal } from '../../src/log/contract.ts'
import type { LogError } from '../../src/log/errors.ts'
import { openLog } from '../../src/log/reader.ts'
import { type PlainWrite, packed } from './plain-log.ts'

export interface PlainCommit {
  readonly writes: readonly PlainWrite[]
  /** The next one is sent before this one is answered. */
  readonly isAhead: boolean
}

export type Outcome = Committed['writes'] | string

/** One after the other; what was packed for another set of indexes is packed again and sent last. */
export async function commitInTurn(
  journal: Journal,
  path: string,
  commits: readonly PlainCommit[],
): Promise<readonly Outcome[]> {
  const log = openLog(path)
  try {
    const answers: Promise<Outcome>[] = []
    for (const { writes, isAhead } of commits) {
      const answer = commitOnce(journal, log, writes)
      answers.push(answer)
      if (!isAhead) await answer
    }
    return await Promise.all(answers)
  } finally {
    log.close()
  }
}

async function commitOnce(
  journal: Journal,
  log: ReturnType<typeof openLog>,
  writes: readonly PlainWrite[],
): Promise<Outcome> {
  for (;;) {
    const snapshot = log.snapshot()
    const documents = writes.map(({ dataset }) => snapshot.dataset(dataset)?.document)
    snapshot.close()
    try {
      const { writes: answers } = await journal.commit({ writes: writes.map((one, i) => packed(one, documents[i])) })
      return answers
    } catch (error) {
      if ((error as LogError).code !== 'index-set-changed') return (error as LogError).code
    }
  }
}
