/** Reads what another hub holds, over JSON Pull: its own protocol between hubs is not public (hub.md §14.9). */

import { type Static, Type } from 'typebox'
import { defineSource } from '../contract.ts'
import { initialSince, withOffsets } from './continuation.ts'
import { ifSourceEmpty } from './empty-source.ts'
import { type JsonConfig, jsonPages, subscribeAt } from './json.ts'

const config = Type.Object({
  type: Type.Literal('binary'),
  system: Type.String({ minLength: 1, description: 'The url system that is the other hub.' }),
  url: Type.String({ description: 'What to read there, such as `datasets/person/entities`.' }),
  page_size: Type.Optional(Type.Integer({ minimum: 1, description: 'Ask for this many at a time.' })),
  subset: Type.Optional(Type.Unknown({ description: 'Which of the entities the other hub is to give.' })),
  supports_signalling: Type.Optional(Type.Boolean({ description: 'Have the other hub tell when there is more.' })),
  initial_since_value: initialSince,
  if_source_empty: ifSourceEmpty,
  comment: Type.Optional(Type.Unknown()),
})

const CONTINUATION = { supportsSince: true, isSinceComparable: true, isChronological: true }

/** `binary` (hub.md §14.9). */
export const binarySource = defineSource({
  type: 'binary',
  summary: 'A dataset of another hub.',
  config,
  examples: [
    {
      type: 'binary',
      system: 'other-hub',
      url: 'datasets/person/entities',
      page_size: 50000,
      supports_signalling: true,
    },
  ],
  addsNamespaces: true,
  continuation: () => CONTINUATION,
  inputs: () => [],
  subscribe: (config, surroundings, since, webhook, signal) =>
    subscribeAt(asJson(config), surroundings, since, webhook, signal),
  open: (config, surroundings) => ({
    read: (since, signal) => withOffsets(jsonPages(asJson(config), surroundings, since, signal), CONTINUATION, since),
  }),
})

const asJson = (given: Static<typeof config>): JsonConfig => ({
  ...given,
  type: 'json',
  supports_since: true,
  is_since_comparable: true,
  is_chronological: true,
})
