/** A CRM: a paged JSON API that gives what changed since, and tells its subscribers when something does. */

import type { World } from '../world/records.ts'
import { type Answer, type Call, json, type Listener, listen, problem, type Routes } from './listener.ts'
import { type Clock, type Fields, type Stored, StoredShelf, startClock } from './shelf.ts'
import { Subscribers } from './subscribers.ts'

/** The API gives this many at a time, however many are asked for. */
const PAGE = 500

export function startCrm({ crm }: World, port: number): Promise<Listener> {
  const clock = startClock()
  const subscribers = new Subscribers()
  return listen(
    {
      ...routesOf('organisations', crm.organisation.values(), clock, subscribers),
      ...routesOf('persons', crm.person.values(), clock, subscribers),
      'POST /api/subscriptions': ({ body }) => {
        const { kind, url } = JSON.parse(body) as { readonly kind: string; readonly url: string }
        subscribers.add(kind, url)
        return json({ kind, url }, 201)
      },
    },
    port,
  )
}

function routesOf(
  kind: string,
  records: Iterable<{ readonly id: string; readonly fields: Fields }>,
  clock: Clock,
  subscribers: Subscribers,
): Routes {
  const shelf = new StoredShelf(records, clock)
  const one = (stored: Stored | undefined): Answer =>
    stored === undefined ? problem(404, `There is no such one among ${kind}.`) : json(shown(stored))
  const told = (answer: Answer): Answer => {
    if ((answer.status ?? 200) < 400) subscribers.tell(kind)
    return answer
  }
  return {
    [`GET /api/${kind}`]: ({ query }) => json(page(shelf, query)),
    [`GET /api/${kind}/:id`]: ({ at }) => one(shelf.get(at.id as string)),
    [`PATCH /api/${kind}/:id`]: ({ at, body }: Call) =>
      told(one(shelf.patch(at.id as string, JSON.parse(body) as Fields))),
    [`DELETE /api/${kind}/:id`]: ({ at }) =>
      told(shelf.delete(at.id as string) ? json({}) : problem(404, `There is no such one among ${kind}.`)),
  }
}

/** Ordered by change, so that the last one of a page says where the next begins. */
function page(shelf: StoredShelf, query: URLSearchParams): readonly unknown[] {
  const limit = Math.min(PAGE, Number(query.get('limit') ?? PAGE))
  return shelf
    .changedAfter(Number(query.get('since') ?? 0))
    .slice(0, limit)
    .map(shown)
}

const shown = ({ id, fields, changed, isDeleted }: Stored) => ({
  _id: id,
  _updated: changed,
  ...(isDeleted ? { _deleted: true } : {}),
  ...fields,
})
