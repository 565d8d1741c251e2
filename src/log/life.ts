/**
 * Whether a writer came to a clean end: a mark stands in the folder while one has it. After an unclean end the log is looked
 * at in a process of its own before it is opened, since LMDB has no page checksums and a broken page can end the process
 * that reads it. The look is bounded in time: houses, documents, counts, heads and tails. All of it is `samtale verify`.
 */

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChild } from './child.ts'
import { LogError } from './errors.ts'
import type { QuickMessage } from './verify/quick.ts'

const MARK = 'running'
/**
 * A start that takes longer than this is a hang. The look itself ends after half a second; but a process may start slowly
 * on a machine that has just come back with all it has to do, and calling a sound log damaged is worse than waiting.
 */
const SILENCE_MS = 180_000

/** Call it when the folder is claimed and nothing in this process has opened the log. Rejects `log-damaged`. */
export async function beginLife(path: string): Promise<void> {
  const mark = join(path, MARK)
  if (existsSync(mark)) {
    if (existsSync(join(path, 'data.mdb'))) await look(path)
    return
  }
  // On disk before anything else is: it must be there after a loss of power.
  writeFileSync(mark, `${process.pid}\n`, { flush: true })
}

export const endLife = (path: string): void => rmSync(join(path, MARK), { force: true })

async function look(path: string): Promise<void> {
  let said: QuickMessage | null = null
  const { signal, isSilent, code } = await runChild<QuickMessage>(import.meta.url, './quick-child.ts', {
    args: [path],
    silenceMs: SILENCE_MS,
    hear: (message) => {
      said = message
    },
  })
  const outcome = said as QuickMessage | null
  if (outcome?.isSound === true) return
  const why =
    outcome?.message ?? (isSilent ? 'reading it hangs' : `reading it ended a process with ${signal ?? `code ${code}`}`)
  throw new LogError('log-damaged', `The log in ${path} was not closed cleanly, and is damaged: ${why}`, {
    details: { path },
    hint: 'Run `samtale verify` to see what is damaged. Indexes and counts are repaired by `samtale verify --rebuild`; otherwise restore a backup with `samtale restore`.',
  })
}
