/** What kind of work a route is, by what is known of it: each kind has limits of its own. */

import type { Route } from '../route.ts'
import type { Work } from './limits.ts'

/** Below the tenant: answers that may be as large as a dataset. */
const STREAMED = /^\/api\/(?:datasets\/:id\/entities|publishers\/|pipes\/:id\/entities|export)|^\/export/

/** Takes as long as what it waits for: pipes, or services behind the hub, which have bounds of their own. */
const LONG = /^\/api\/(?:pipes\/run-all-pipes|admin|systems\/:id\/(?:proxy|reload|status))/

export function workOf({ path, method, tag, takesBulk }: Pick<Route, 'path' | 'method' | 'tag' | 'takesBulk'>): Work {
  if (LONG.test(path)) return 'long'
  if (takesBulk) return 'bulk'
  if (method === 'GET' && STREAMED.test(path)) return 'stream'
  return tag === 'Graph' && /^\/(?:sparql|graphql)/.test(path) ? 'query' : 'simple'
}

/** Where a pipe takes in or gives out: network policies name such pipes. */
export const isEndpoint = ({ path }: Pick<Route, 'path'>): boolean =>
  /^\/api\/(?:receivers|publishers)\/:id(?:\/|$)/.test(path)
