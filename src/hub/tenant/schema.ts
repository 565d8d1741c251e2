/** What the entities of a tenant's pipes and datasets look like, for its doors. */

import { type Dict, newDict } from '../../model/dict.ts'
import { parseJson, writeJson } from '../../model/json.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { toldByLog } from '../../pipes/schema/of-dataset.ts'
import { type Side, schemaForgotten, storedSchema } from '../../pipes/schema/pipe-schema.ts'
import { type DocumentOptions, typeDocument } from '../../pipes/schema/type-document.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import type { TenantCore } from './core.ts'

export class TenantSchema {
  readonly #core: TenantCore

  constructor(core: TenantCore) {
    this.#core = core
  }

  /** As JSON text; `{}` while nothing is known. */
  async entityType(id: string, side: Side, withSamples: boolean): Promise<string> {
    const { pipe } = this.#core.known(id)
    const { name } = this.#core.options
    const prefix = name === 'default' ? '' : `/t/${name}`
    const place = `${prefix}/api/pipes/${encodeURIComponent(id)}/entity-types/${side}`
    return writeJson(await this.#typeOf(id, pipe, side, { id: place, withSamples }), { transit: false })
  }

  /** Of what a pipe hands to its sink, without counts and samples. */
  plainType(pipe: Pipe): Promise<Dict> {
    return this.#typeOf(pipe.id, pipe, 'sink', { withStatistics: false })
  }

  /** As JSON text: a `schema_definition`, or the names of all properties. */
  async definition(
    of: { readonly pipe: string } | { readonly dataset: string },
    { sampleSize, keysOnly }: { readonly sampleSize: number; readonly keysOnly: boolean },
  ): Promise<string> {
    const { name: tenant, pool } = this.#core.options
    if ('pipe' in of) this.#core.runnable(of.pipe)
    const found = await pool.call('schemaDefinition', { tenant, ...of, sampleSize })
    if (found !== null) return JSON.stringify(keysOnly ? found.keys : found.columns)
    const { dataset = '' } = of as { readonly dataset?: string }
    throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
  }

  /** Nothing is known of the pipe any more; what it reads and writes from now on is. */
  async forget(pipe: string): Promise<void> {
    const { name: tenant, pool } = this.#core.options
    await this.#core.writer.journal.commit({ state: schemaForgotten(pipe) })
    await pool.discardSchema({ tenant, pipe })
  }

  async #typeOf(id: string, pipe: Pipe | null, side: Side, options: DocumentOptions): Promise<Dict> {
    const told = pipe !== null && this.#infers(pipe) ? toldByLog(pipe) : null
    if (told !== null) {
      const text = await this.#ofLog(told, options)
      return text === null ? newDict() : (parseJson(text, { transit: false }) as Dict)
    }
    const known = withSnapshot(this.#core, (snapshot) => storedSchema(id, snapshot))
    return known === undefined ? newDict() : typeDocument(known[side], options)
  }

  #ofLog(dataset: string, options: DocumentOptions): Promise<string | null> {
    const { name: tenant, pool } = this.#core.options
    return pool.call('datasetType', { tenant, dataset, options })
  }

  #infers({ infersTypes }: Pipe): boolean {
    return infersTypes ?? this.#core.options.infersTypes
  }
}
