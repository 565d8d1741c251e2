/** Datasets out as quads, and quads in as entities of a dataset: always through the log. */

import type { Quad } from '@rdfjs/types'
import { entityOf } from '../log/stored.ts'
import type { Entity } from '../model/entity.ts'
import { entityQuads } from '../rdf/quads.ts'
import { subjectsOf } from '../rdf/subjects.ts'
import type { Tenant } from './contract.ts'
import { withSnapshot } from './datasets.ts'
import type { HubTenant } from './tenant.ts'

/** Entities read from one snapshot before it is renewed. */
const PAGE = 500

/** The live entities of a dataset, or of all that pipes write, each in its own graph, with what RDF cannot say beside it. */
export async function* datasetExport(tenant: Tenant, dataset: string | null): AsyncGenerator<Quad> {
  const naming = tenant.naming()
  const ids = dataset === null ? allDatasets(tenant) : [dataset]
  for (const id of ids) {
    for (const entity of liveEntities(tenant, id)) {
      yield* entityQuads(entity, naming, { dataset: id, sameAs: true, beside: true })
    }
  }
}

const allDatasets = (tenant: Tenant): string[] =>
  withSnapshot(tenant, (snapshot) =>
    snapshot
      .datasets()
      .map(({ id }) => id)
      .filter((id) => !id.startsWith('system:')),
  )

function* liveEntities(tenant: Tenant, dataset: string): Generator<Entity> {
  let after: string | undefined
  for (let isMore = true; isMore; ) {
    const page = withSnapshot(tenant, (snapshot) => {
      const entities: Entity[] = []
      const view = snapshot.dataset(dataset)
      if (view === undefined) return entities
      for (const version of view.entities({ deleted: false, ...(after === undefined ? {} : { after }) })) {
        entities.push(entityOf(version, { internal: false }))
        after = version.id
        if (entities.length === PAGE) break
      }
      return entities
    })
    isMore = page.length === PAGE
    yield* page
  }
}

export interface Imported {
  readonly read: number
  readonly changes: number
  /** Entities whose canonical JSON says something else than their statements, which were taken. */
  readonly disagreeing: number
}

/** Writes what the quads say into the dataset, change-tracked. `hear` is told how many entities were read. */
export async function importQuads(
  tenant: HubTenant,
  dataset: string,
  quads: AsyncIterable<Quad>,
  hear: (read: number) => void = () => {},
): Promise<Imported> {
  let read = 0
  let changes = 0
  let disagreeing = 0
  let batch: Entity[] = []
  const flush = async () => {
    changes += await tenant.write(dataset, batch)
    batch = []
    hear(read)
  }
  const onDisagreement = () => disagreeing++
  for await (const entity of subjectsOf(quads, { naming: tenant.naming(), onDisagreement })) {
    batch.push(entity)
    read++
    if (batch.length === PAGE) await flush()
  }
  if (batch.length > 0) await flush()
  return { read, changes, disagreeing }
}
