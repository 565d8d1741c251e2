/** Reads entities from a web service: the client's side of JSON Pull (rest-api.md §6). */

import { type Static, Type } from 'typebox'
import type { Entity } from '../../model/entity.ts'
import { accepted } from '../answers.ts'
import { defineSource, type Offset, type Surroundings, type Webhook } from '../contract.ts'
import { PipeError } from '../errors.ts'
import { errorAt, type Finding, refuseErrors } from '../finding.ts'
import { checkContinuation, continuationOf, continuationSettings, lastUpdated, withOffsets } from './continuation.ts'
import { ifSourceEmpty } from './empty-source.ts'
import { jsonEntities } from './json-entities.ts'
import { saidByHub } from './said-by-hub.ts'

const config = Type.Object({
  type: Type.Literal('json'),
  system: Type.String({ minLength: 1, description: 'The url system to ask.' }),
  url: Type.String({ description: 'What to ask for; how it is joined to the address of the system, the system says.' }),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Sent besides those of the system.' }),
  ),
  page_size: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        'Ask for this many at a time (`limit`), until an empty answer. Needs all three kinds of continuation.',
    }),
  ),
  subset: Type.Optional(Type.Unknown({ description: 'Sent to the other hub: which of its entities to give.' })),
  supports_signalling: Type.Optional(
    Type.Boolean({ description: 'Have the other hub tell when there is more; only a hub can.' }),
  ),
  ...continuationSettings,
  if_source_empty: ifSourceEmpty,
  comment: Type.Optional(Type.Unknown()),
})

export type JsonConfig = Static<typeof config>
type Config = JsonConfig

/** `json` (hub.md §14.8). */
export const jsonSource = defineSource({
  type: 'json',
  summary: 'A JSON array of entities at an address.',
  config,
  examples: [
    { type: 'json', system: 'crm', url: 'people' },
    {
      type: 'json',
      system: 'crm',
      url: 'people',
      supports_since: true,
      is_chronological: true,
      page_size: 1000,
      headers: { accept: 'application/json' },
    },
  ],
  addsNamespaces: true,
  continuation: continuationOf,
  inputs: () => [],
  check,
  subscribe: subscribeAt,
  open(config, surroundings) {
    refuseErrors(`Source of pipe '${surroundings.pipe}'`, check(config))
    return {
      read: (since, signal) =>
        withOffsets(jsonPages(config, surroundings, since, signal), continuationOf(config), since),
    }
  },
})

function check(config: Config): readonly Finding[] {
  const findings = [...checkContinuation(config)]
  const { supports_since, is_since_comparable, is_chronological, page_size } = config
  if (page_size !== undefined && !(supports_since && is_since_comparable && is_chronological)) {
    const hint =
      'A page begins after the last entity of the page before, so they must come in the order of their _updated.'
    findings.push(
      errorAt('/page_size', 'page_size needs supports_since, is_since_comparable and is_chronological.', hint),
    )
  }
  return findings
}

/** Asks the other hub to call when there is more after the offset (rest-api.md §5.5). */
export async function subscribeAt(
  config: Config,
  { system }: Surroundings,
  since: Offset | null,
  webhook: Webhook,
  signal: AbortSignal,
): Promise<void> {
  const query = { webhook: webhook.url, token: webhook.token, ...(since === null ? {} : { since }) }
  const headers = { accept: 'text/plain', ...config.headers }
  const port = system(config.system)
  const answer = await accepted(
    port,
    'OPTIONS',
    await port.request({ method: 'OPTIONS', url: config.url, headers, query }, signal),
  )
  await answer.text()
}

/** All that there is after the offset, page by page. */
export async function* jsonPages(
  config: Config,
  surroundings: Surroundings,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<readonly Entity[]> {
  let after = since
  for (;;) {
    let count = 0
    let last: Offset | undefined
    for await (const group of page(config, surroundings, after, signal)) {
      count += group.length
      last = lastUpdated(group) ?? last
      yield group
    }
    // A short page need not be the last: the server may have a limit of its own. An empty one is (rest-api.md §6.3).
    if (config.page_size === undefined || count === 0) return
    if (last === undefined || last === after) {
      if (last !== undefined && count < config.page_size) return
      throw stuck(config, last, count)
    }
    after = last
  }
}

async function* page(
  config: Config,
  { system, batchSize, hear }: Surroundings,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<readonly Entity[]> {
  const port = system(config.system)
  const query = {
    ...(config.supports_since && since !== null ? { since } : {}),
    ...(config.page_size === undefined ? {} : { limit: String(config.page_size) }),
    ...(config.subset === undefined ? {} : { subset: JSON.stringify(config.subset) }),
  }
  const headers = { accept: 'application/json', ...config.headers }
  const answer = await accepted(port, 'GET', await port.request({ url: config.url, headers, query }, signal))
  const said = saidByHub(answer)
  if (said !== null) await hear?.(said, since)
  if (answer.status === 204) return
  yield* jsonEntities(port, answer, batchSize)
}

function stuck(config: Config, last: Offset | undefined, count: number): PipeError {
  const why =
    last === undefined
      ? `none of the ${count} entities of a page has _updated`
      : `a full page of ${count} entities ends where it began, at _updated ${last}`
  return new PipeError(
    'no-next-page',
    `Paging through ${config.url} of system '${config.system}' cannot go on: ${why}.`,
    {
      details: { system: config.system, url: config.url, ...(last === undefined ? {} : { since: last }) },
      hint: 'Entities need a growing _updated; raise page_size or leave it out.',
    },
  )
}
