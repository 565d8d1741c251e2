/** Entry of the process that verifies a tenant's log: `verify-child PATH`. Findings and progress go to the parent. */

import { tell } from '../log/child.ts'
import type { LogError } from '../log/errors.ts'
import type { VerifyMessage } from '../log/verify/protocol.ts'
import { verifyLog } from '../log/verify/verify.ts'
import { indexKeys, readingPositions } from './log-knowledge.ts'

/** Milliseconds between two messages about how far it came. */
const PROGRESS_MS = 200

const say = (message: VerifyMessage): Promise<void> => tell(message)

try {
  let told = 0
  let place = ''
  const done = await verifyLog(process.argv[2] as string, {
    keysOf: indexKeys(),
    positionsOf: readingPositions,
    found: (finding) => void say({ type: 'finding', finding }),
    async progress(walked, at) {
      const here = JSON.stringify(at)
      if (Date.now() - told < PROGRESS_MS && here === place) return
      told = Date.now()
      place = here
      // Before the next row is touched, so that the parent knows where the process was if that is its end.
      await say({ type: 'progress', walked: { ...walked }, place: at })
    },
  })
  await say({ type: 'done', ...done })
} catch (error) {
  const { code, message, hint } = error as LogError
  await say({ type: 'refused', code, message, hint })
}
process.disconnect?.()
