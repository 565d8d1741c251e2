/** The circuit breaker of configuration: an upload that would delete much of what is there is taken for an accident (hub.md §13). */

import type { Deployment } from './deployment.ts'
import { HubError } from './errors.ts'

/** More than so many components, and more than this share of them. */
const MOST = 10
const SHARE = 0.1
/** Ids that the message names. */
const NAMED = 5

/** Throws `config-breaker-tripped`. What the present configuration says counts: the upload may be a torso. */
export function assertNotDecimating(present: Deployment, next: Deployment): void {
  if (!present.node.guardsConfig) return
  const kept = new Set(next.components.map(({ id }) => id))
  const deleted = present.components.map(({ id }) => id).filter((id) => !kept.has(id))
  const all = present.components.length
  if (deleted.length <= MOST || deleted.length <= SHARE * all) return
  const named = deleted.slice(0, NAMED).join(', ')
  throw new HubError(
    'config-breaker-tripped',
    `The upload would delete ${deleted.length} of ${all} components (${named} …); nothing was changed.`,
    {
      details: { deleted, components: all },
      hint: 'Send it with force=true if that is meant; global_defaults.use_config_circuit_breaker asks for this.',
    },
  )
}
