/** Writes to a dataset past any pipe: reposting what is there (hub.md §2.8), and entities of a request (rest-api.md §5.2). */

import type { DatasetView, Journal } from '../log/contract.ts'
import { LogError } from '../log/errors.ts'
import type { LogReader } from '../log/reader.ts'
import { entityOf } from '../log/stored.ts'
import { set } from '../model/dict.ts'
import { type Entity, idOf, isDeleted } from '../model/entity.ts'
import { DatasetWriter, type IndexCompiler } from './dataset-writer.ts'
import { PipeError } from './errors.ts'
import type { WriteRules } from './pipe.ts'
import { ReadPosition } from './position.ts'

export interface DirectPorts {
  readonly journal: Journal
  readonly log: LogReader
  readonly indexes: IndexCompiler
}

/** A version that was appended again. */
export interface Reposted {
  readonly _id: string
  readonly _deleted: boolean
  readonly _updated: number
}

/** How often reposting reads again because an entity changed meanwhile. */
const ATTEMPTS = 5

/** Appends the latest versions of these ids again, all or none, so that whoever reads the dataset reads them anew. */
export async function repost(
  ports: DirectPorts,
  dataset: string,
  ids: readonly string[],
  maxEntityBytes: number,
): Promise<readonly Reposted[]> {
  const rules = { maxEntityBytes, secondVersions: null, isLocked: true }
  for (let attempt = 1; ; attempt++) {
    try {
      return await withWriter(ports, dataset, rules, async (writer, view) => {
        const entities = [...new Set(ids)].map((id) => latestOf(view, dataset, id))
        if (entities.length === 0) return []
        const { end } = await writer.write(entities, {}, { force: true })
        const first = (end as number) - entities.length
        return entities.map((entity, place) => repostedAs(entity, first + place))
      })
    } catch (error) {
      // It names the version it read: what changed meanwhile is read again, and never put back.
      if (!(error instanceof PipeError && error.code === 'stale-entity') || attempt === ATTEMPTS) throw error
    }
  }
}

/** Gives how many versions were appended; with `force` those that are equal to what is there, too. */
export function appendEntities(
  ports: DirectPorts,
  dataset: string,
  entities: readonly Entity[],
  maxEntityBytes: number,
  force: boolean,
): Promise<number> {
  const rules = { maxEntityBytes, secondVersions: null, isLocked: false }
  return withWriter(
    ports,
    dataset,
    rules,
    async (writer) => (await writer.write(entities, { durable: true }, { force })).changes,
  )
}

async function withWriter<T>(
  { journal, log, indexes }: DirectPorts,
  dataset: string,
  rules: WriteRules,
  use: (writer: DatasetWriter, view: DatasetView) => Promise<T>,
): Promise<T> {
  const position = new ReadPosition(log.snapshot())
  try {
    const view = () => {
      const found = position.snapshot.dataset(dataset)
      if (found !== undefined) return found
      throw new LogError('unknown-dataset', `There is no dataset '${dataset}'.`, { details: { dataset } })
    }
    const refresh = () => position.moveToPresent()
    return await use(new DatasetWriter(journal, indexes, dataset, () => view().document, refresh, null, rules), view())
  } finally {
    position.close()
  }
}

/** With `_updated`, so that the write is refused when another version came meanwhile. */
function latestOf(view: DatasetView, dataset: string, id: string): Entity {
  const version = view.latest(id)
  if (version === undefined) {
    throw new PipeError('unknown-entity', `There is no entity '${id}' in the dataset '${dataset}'.`, {
      details: { dataset, entity: id },
      hint: 'Nothing was reposted.',
    })
  }
  const entity = entityOf(version, { internal: false })
  set(entity, '_updated', version.sequence)
  return entity
}

const repostedAs = (entity: Entity, sequence: number): Reposted => ({
  _id: idOf(entity),
  _deleted: isDeleted(entity),
  _updated: sequence,
})
