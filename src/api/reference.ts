/** The description of the API, OpenAPI made from the routes, and the page that shows it at /api/reference. */

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Node } from '../hub/contract.ts'

/** Before the routes: it listens as they are added. */
export async function describeApi(app: FastifyInstance, node: Node): Promise<void> {
  await app.register(swagger, {
    openapi: {
      info: {
        title: 'Samtale',
        version: node.version,
        description:
          'The API of an open, RDF-native data hub. Each path of a tenant is also there for another tenant, below `/t/<tenant>`.',
      },
      tags: [
        { name: 'Node', description: 'The hub itself.' },
        { name: 'Configuration', description: 'What the hub does.' },
        { name: 'Pipes', description: 'Pipes and their pumps.' },
        { name: 'Systems', description: 'What pipes talk to.' },
        { name: 'Datasets', description: 'What the hub remembers.' },
        { name: 'Receivers and publishers', description: 'Entities in and out.' },
        { name: 'Graph', description: 'SPARQL, GraphQL and linked data.' },
        { name: 'Tenants', description: 'Hubs within the hub.' },
      ],
    },
  })
  // Everything the page needs is served from here.
  await app.register(swaggerUi, { routePrefix: '/api/reference', staticCSP: true })
}
