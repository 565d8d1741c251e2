/** The description of the API, OpenAPI made from the routes, and the page that shows it at /api/reference. */

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { Node } from '../hub/contract.ts'
import { referenceStyle } from './reference-style.ts'

const ABOUT = `The API of an open, RDF-native data hub: entities come in through **pipes**, are remembered in **datasets**, and go out
as JSON, CSV, RDF, SPARQL and GraphQL.

* Each path of a tenant is also there for another tenant, below \`/t/<tenant>\`.
* Ids in paths are percent-encoded; booleans are \`true\`, \`false\`, \`1\` or \`0\`, in any case.
* Errors are problem details (RFC 9457) with a stable \`code\` and a \`hint\` that says what to do.
* This page and all it needs come from the hub itself. [The description as JSON](json).`

/** In the order of the page. */
const TAGS = [
  { name: 'Node', description: 'The hub itself.' },
  { name: 'Configuration', description: 'What the hub does.' },
  { name: 'Pipes', description: 'Pipes and their pumps.' },
  { name: 'Pipe runner', description: 'Everything at once, for tests; in developer mode.' },
  { name: 'Systems', description: 'What pipes talk to.' },
  { name: 'Datasets', description: 'What the hub remembers.' },
  { name: 'Receivers and publishers', description: 'Entities in and out.' },
  { name: 'Graph', description: 'SPARQL, GraphQL and linked data.' },
  { name: 'Tenants', description: 'Hubs within the hub.' },
  { name: 'Backups', description: 'Copies of it, and how they are doing.' },
]

/** The mark of the page: two who talk. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 190 40" width="190" height="40">
<path fill="#0b6b61" d="M4 8a6 6 0 0 1 6-6h14a6 6 0 0 1 6 6v8a6 6 0 0 1-6 6h-8l-7 6v-6a6 6 0 0 1-5-6z"/>
<path fill="#58c4b5" d="M18 24h6a8 8 0 0 0 8-8v-2h2a6 6 0 0 1 6 6v6a6 6 0 0 1-4 5.600V37l-6-5h-6a6 6 0 0 1-6-6z"/>
<text x="50" y="28" font-family="system-ui, sans-serif" font-size="22" font-weight="600" fill="#0b8074">Samtale</text></svg>`

/** Nothing comes from elsewhere, and nothing goes there, whatever the page was made for. */
const POLICY =
  "default-src 'self'; base-uri 'self'; font-src 'self' data:; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'"

/** Before the routes: it listens as they are added. */
export async function describeApi(app: FastifyInstance, node: Node): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Samtale API', version: node.version, description: ABOUT, license: { name: 'Apache-2.0' } },
      tags: TAGS,
    },
    // The rest of a path has a name, as every other part of it.
    transform: ({ schema, url }) => ({ schema, url: url.replace(/\*$/, ':rest') }),
  })
  // Everything the page needs is served from here.
  await app.register(swaggerUi, {
    routePrefix: '/api/reference',
    staticCSP: POLICY,
    logo: { type: 'image/svg+xml', content: Buffer.from(LOGO), href: '/api/reference/' },
    theme: { title: 'Samtale API', css: [{ filename: 'samtale.css', content: referenceStyle }] },
    uiConfig: {
      docExpansion: 'none',
      deepLinking: true,
      filter: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: -1,
    },
  })
}
