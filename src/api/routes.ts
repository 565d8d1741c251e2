/** All doors, in plain sight. */

import type { Node } from '../hub/contract.ts'
import { permissionRoutes } from './access/permissions.ts'
import { roleRoutes } from './access/roles.ts'
import { tokenRoutes } from './access/tokens.ts'
import { userRoutes } from './access/users.ts'
import type { Doors } from './doors.ts'
import { graphqlRoutes } from './graphql/door.ts'
import { createKeepers } from './graphql/keeper.ts'
import type { Guard } from './limits/guard.ts'
import { exportRoutes } from './linked/export.ts'
import { ontologyRoute } from './linked/ontology.ts'
import { linkedRoutes } from './linked/routes.ts'
import type { Log } from './log.ts'
import { Passwords } from './login/passwords.ts'
import { loginRoutes } from './login/routes.ts'
import { LoginLimits } from './login-limits.ts'
import { adminRoutes } from './rest/admin.ts'
import { backupRoutes } from './rest/backups.ts'
import { componentRoutes } from './rest/components.ts'
import { configRoutes } from './rest/config.ts'
import { datasetRoutes } from './rest/datasets.ts'
import { diagnosticRoutes } from './rest/diagnostics.ts'
import { dtlRoute } from './rest/dtl.ts'
import { envRoutes } from './rest/env.ts'
import { flowRoute } from './rest/flow.ts'
import { healthRoutes } from './rest/health.ts'
import { logRoutes } from './rest/logs.ts'
import { metadataRoutes } from './rest/metadata.ts'
import { createMetrics, type Metrics } from './rest/metrics.ts'
import { networkRoutes } from './rest/network.ts'
import { nodeRoutes } from './rest/node.ts'
import { noteRoutes } from './rest/notes.ts'
import { notificationRoutes } from './rest/notifications.ts'
import { overviewRoute } from './rest/overview.ts'
import { pipeRoutes } from './rest/pipes.ts'
import { publisherRoutes } from './rest/publishers.ts'
import { receiverRoutes } from './rest/receivers.ts'
import { runnerRoutes } from './rest/runner.ts'
import { schemaRoutes } from './rest/schema.ts'
import { secretRoutes } from './rest/secrets.ts'
import { shareableLinkRoutes } from './rest/shareable-links.ts'
import { systemRoutes } from './rest/systems.ts'
import { tenantRoutes } from './rest/tenants.ts'
import type { Route } from './route.ts'
import { sparqlRoutes } from './sparql/protocol.ts'

export interface RouteOptions {
  readonly node: Node
  readonly doors: Doors
  /** Longest time a SPARQL query may take. */
  readonly queryTimeoutMs: number
  /** Whoever comes must show who they are. */
  readonly authenticates: boolean
  readonly log: Log
  readonly guard: Guard
}

export function createRoutes({ node, doors, queryTimeoutMs, authenticates, log, guard }: RouteOptions): {
  readonly routes: readonly Route[]
  readonly measure: Metrics['measure']
} {
  const metrics = createMetrics(node, guard)
  const keeperOf = createKeepers(doors)
  const passwords = new Passwords(new LoginLimits())
  return {
    measure: metrics.measure,
    routes: [
      ...nodeRoutes,
      ...adminRoutes,
      ...diagnosticRoutes,
      ...networkRoutes(guard),
      ...healthRoutes,
      overviewRoute,
      ...logRoutes,
      ...loginRoutes(authenticates, passwords),
      ...userRoutes(passwords),
      ...roleRoutes,
      ...tokenRoutes,
      ...permissionRoutes,
      metrics.route,
      ...configRoutes,
      ...envRoutes,
      ...metadataRoutes,
      ...secretRoutes,
      dtlRoute,
      ...pipeRoutes,
      ...runnerRoutes,
      ...componentRoutes,
      ...noteRoutes,
      ...schemaRoutes,
      flowRoute,
      ...systemRoutes,
      ...datasetRoutes,
      ...receiverRoutes,
      ...publisherRoutes,
      ...shareableLinkRoutes,
      ...tenantRoutes,
      ...backupRoutes,
      ...notificationRoutes,
      ...sparqlRoutes({ queryTimeoutMs }),
      ...graphqlRoutes(keeperOf, log),
      ...linkedRoutes(keeperOf),
      ...exportRoutes,
      ontologyRoute,
    ],
  }
}
