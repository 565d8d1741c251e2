/** Reads what changed in one dataset since the last run. */

import { Type } from 'typebox'
import { compileSubset } from '../../dtl/subset.ts'
import type { DatasetView, Version } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { get } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import type { Value } from '../../model/value.ts'
import { type Batch, defineSource, type Surroundings } from '../contract.ts'
import { subsetIndex } from '../indexes.ts'
import { languageOf } from '../language.ts'
import { endOfReleased, newestReleased, ReleasedVersions } from '../released.ts'
import { SubsetFeed } from '../subset.ts'
import { BatchBounds } from './batch-bounds.ts'
import { initialSince } from './continuation.ts'
import { endOf } from './end-of.ts'

/** Versions looked at for one batch, at most: what finds little gives its thread back, and saves how far it came. */
const SPAN = 100_000

export const datasetSource = defineSource({
  type: 'dataset',
  summary: 'Entities of a dataset, in the order they changed.',
  config: Type.Object({
    type: Type.Literal('dataset'),
    dataset: Type.String({ minLength: 1, description: 'The dataset to read.' }),
    include_previous_versions: Type.Boolean({ default: false, description: 'Also emit superseded versions.' }),
    include_replaced: Type.Boolean({ default: true, description: 'false: leave out entities with `$replaced: true`.' }),
    supports_signalling: Type.Optional(
      Type.Boolean({
        description: 'Run as soon as the dataset changes; absent: unless the pump has a short schedule of its own.',
      }),
    ),
    require_populated_input: Type.Boolean({ default: false, description: 'Wait until the dataset is populated.' }),
    subset: Type.Optional(
      Type.Unsafe<Value>(
        Type.Unknown({
          description:
            'Only the entities of a subset, `["eq", expression, literal]`; one that leaves it comes as deleted.',
        }),
      ),
    ),
    completeness: Type.Optional(
      Type.Unsafe<Value>(
        Type.Unknown({
          description:
            'Hold back what was written after a completeness value: `true` for that of the dataset itself, a list of datasets for the smallest of theirs, `{"expression": …}` for a datetime.',
        }),
      ),
    ),
    initial_completeness: Type.Optional(
      Type.Array(Type.String(), { description: 'Wait until these datasets have completeness values.' }),
    ),
    initial_since_value: initialSince,
    if_source_empty: Type.Enum(['accept', 'fail'], {
      default: 'accept',
      description: 'fail: a full run that reads nothing fails.',
    }),
    comment: Type.Optional(Type.Unknown()),
  }),
  examples: [{ type: 'dataset', dataset: 'crm-person' }],
  addsNamespaces: false,
  continuation: () => ({ supportsSince: true, isSinceComparable: true, isChronological: true }),
  inputs: ({ dataset }) => [dataset],
  end: ({ dataset }, snapshot) => endOf([dataset], snapshot),
  populated: ({ dataset }, snapshot) => snapshot.dataset(dataset)?.document.populated ?? false,
  needs: ({ dataset, subset }, settings) => subsetIndex(dataset, subset, settings),
  origin: ({ dataset }) => ({ datasets: [dataset], carries: () => true }),
  open: (config, surroundings) => ({
    reread: (dataset, ids) => rereadSome(config, surroundings, dataset, ids),
    async *read(since, signal): AsyncIterable<Batch> {
      const { snapshot, batchSize, batchBytes, heldTo = null } = surroundings
      let at = since === null ? -1 : Number(since)
      // The end is fixed once, so that a run ends however fast the dataset grows.
      const all = snapshot().dataset(config.dataset)?.counts().end ?? 0
      const end = heldTo === null ? all : await endOfReleased(() => snapshot().dataset(config.dataset), at, heldTo)
      const versionsAfter = versionsOf(config, surroundings, end < all ? end : null)
      while (at < end - 1 && !signal.aborted) {
        const view = snapshot().dataset(config.dataset)
        if (view === undefined) return
        const entities: Entity[] = []
        const bounds = new BatchBounds(batchSize, batchBytes)
        let full = false
        const to = Math.min(at + SPAN, end - 1)
        for (const version of versionsAfter(view, at < 0 ? null : at, to)) {
          at = version.sequence
          const entity = entityOf(version, { internal: true })
          if (!config.include_replaced && get(entity, '$replaced') === true) continue
          entities.push(entity)
          if (bounds.add(version.body.length)) {
            full = true
            break
          }
        }
        // What follows the last version read is superseded, or not in the subset: skipped for good.
        if (!full) at = to
        yield { entities, offset: String(at) }
      }
    },
  }),
})

/** The newest version of each, deleted or not, of those that are not held back; one that is not in the subset came as deleted when it left. */
function rereadSome(
  { subset, include_replaced }: { readonly subset?: Value; readonly include_replaced: boolean },
  surroundings: Surroundings,
  dataset: string,
  ids: readonly string[],
): Entity[] {
  const { heldTo = null, snapshot } = surroundings
  const view = snapshot().dataset(dataset)
  const part = subset === undefined || subset === null ? null : compileSubset(subset, languageOf(surroundings))
  const feed = part === null ? null : new SubsetFeed(part.index, part.value, { history: false })
  return ids.flatMap((id) => {
    const version = view && newestReleased(view, id, heldTo)
    if (version === undefined || feed?.holds(version) === false) return []
    const entity = entityOf(version, { internal: true })
    return include_replaced || get(entity, '$replaced') !== true ? [entity] : []
  })
}

/**
 * What a read goes through, page after page: all of the dataset, or a subset of it. `end`: what follows is held back, and
 * is as if it were not there yet.
 */
function versionsOf(
  {
    subset,
    include_previous_versions: history,
  }: { readonly subset?: Value; readonly include_previous_versions: boolean },
  surroundings: Surroundings,
  end: number | null,
): (view: DatasetView, since: number | null, to: number) => Iterable<Version> {
  if (subset === undefined || subset === null) {
    if (end === null || history) return (view, since, to) => view.changes(since, { history, to })
    const released = new ReleasedVersions(end)
    return (view, since, to) => released.after(view, since, to)
  }
  const { index, value } = compileSubset(subset, languageOf(surroundings))
  const feed = new SubsetFeed(index, value, { history })
  return (view, since, to) => feed.after(view, since, to)
}
