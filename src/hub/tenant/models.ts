/** The models of a tenant: implied by its pipes, and uploaded to say more about them (hub.md §23.3). */

import { setImmediate } from 'node:timers/promises'
import { type Dict, dictOf, entries, newDict } from '../../model/dict.ts'
import { writeJson } from '../../model/json.ts'
import { compareText } from '../../model/order.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import type { ModelQuery } from '../contract.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import { described, descriptionsOf, effectiveType, propertiesOf } from '../models/effective-type.ts'
import { modelsOf } from '../models/membership.ts'
import { shaclOf } from '../models/shacl.ts'
import { parseUpload, readModels, TYPES, type UploadedModel, writeModels } from '../models/uploaded.ts'
import type { TenantCore } from './core.ts'
import type { TenantSchema } from './schema.ts'

/** In the log's meta table. */
const MODELS = 'models'
/** Types read before other work gets its turn. */
const SLICE = 20

/** What is known of one model. */
interface Model {
  readonly id: string
  readonly uploaded: UploadedModel | null
  /** Pipes whose entities are part of it. */
  readonly pipes: readonly Pipe[]
}

export class TenantModels {
  readonly #core: TenantCore
  readonly #schema: TenantSchema
  /** What was uploaded, as it was read last. */
  #read: { readonly text: string | undefined; readonly models: readonly UploadedModel[] } | null = null
  /** Uploads are taken one after the other. */
  #former: Promise<unknown> = Promise.resolve()

  constructor(core: TenantCore, schema: TenantSchema) {
    this.#core = core
    this.#schema = schema
  }

  /** JSON array. */
  async all(query: ModelQuery): Promise<string> {
    const documents: string[] = []
    for (const model of this.#models().values()) {
      const document = await this.#document(model, query)
      if (document !== null) documents.push(document)
    }
    return `[${documents.join(',')}]`
  }

  async one(id: string, query: ModelQuery): Promise<string> {
    return (await this.#document(this.#known(id), { ...query, withProperty: null })) as string
  }

  async type(id: string, type: string, isEffective: boolean): Promise<Dict> {
    const model = this.#known(id)
    const found = await this.#typeOf(model, type, isEffective)
    if (found !== null) return found
    throw new HubError('unknown-entity-type', `The model '${id}' has no entity type '${type}'.`)
  }

  /** As Turtle; `type` null: of all its types. */
  async shapes(id: string, type: string | null, isEffective: boolean): Promise<string> {
    const names = type === null ? this.#typeNames(this.#known(id), isEffective) : [type]
    const types: [string, Dict][] = []
    for (const name of names) types.push([name, await this.type(id, name, isEffective)])
    return shaclOf(id, types, this.#core.naming)
  }

  /** Models of the same names are replaced. Gives what is stored, as a JSON array. */
  async upload(text: string, force: boolean): Promise<string> {
    const models = await parseUpload(text, force)
    return this.#changed((stored) => {
      const names = new Set(models.map(({ id }) => id))
      return { next: [...stored.filter(({ id }) => !names.has(id)), ...models], given: writeModels(models) }
    })
  }

  /** What was uploaded is gone; what pipes imply stays. */
  async delete(id: string): Promise<void> {
    this.#known(id)
    await this.#changed((stored) => {
      const next = stored.filter((model) => model.id !== id)
      if (next.length < stored.length) return { next, given: null }
      throw new HubError('model-implied', `The model '${id}' was not uploaded: pipes imply it.`, {
        hint: 'It goes with its pipes, or when their `metadata.models` name others.',
      })
    })
  }

  #changed<T>(change: (stored: readonly UploadedModel[]) => { next: readonly UploadedModel[]; given: T }): Promise<T> {
    const changed = this.#former.then(async () => {
      const { next, given } = change(this.#uploaded())
      const text = next.length === 0 ? null : writeModels(next)
      await this.#core.writer.journal.commit({ meta: [[MODELS, text]], durable: true })
      return given
    })
    this.#former = changed.catch(() => {})
    return changed
  }

  #uploaded(): readonly UploadedModel[] {
    const text = withSnapshot(this.#core, (snapshot) => snapshot.meta(MODELS))
    const read = this.#read?.text === text && this.#read !== null ? this.#read : { text, models: readModels(text) }
    this.#read = read
    return read.models
  }

  /** In the order of their names. */
  #models(): ReadonlyMap<string, Model> {
    const uploaded = new Map(this.#uploaded().map((model) => [model.id, model]))
    const members = new Map<string, Pipe[]>()
    for (const pipe of this.#core.pipes()) {
      for (const model of modelsOf(pipe)) members.set(model, [...(members.get(model) ?? []), pipe])
    }
    const names = [...new Set([...members.keys(), ...uploaded.keys()])].sort(compareText)
    return new Map(
      names.map((id) => [id, { id, uploaded: uploaded.get(id) ?? null, pipes: members.get(id) ?? [] }] as const),
    )
  }

  #known(id: string): Model {
    const model = this.#models().get(id)
    if (model !== undefined) return model
    throw new HubError('unknown-model', `There is no model '${id}'.`)
  }

  /** Null: none of its types has the property that is asked for. */
  async #document(model: Model, { isEffective, isVerbose, withProperty }: ModelQuery): Promise<string | null> {
    const types: [string, Dict][] = []
    for (const [place, name] of this.#typeNames(model, isEffective).entries()) {
      if ((place + 1) % SLICE === 0) await setImmediate()
      const isNeeded = isVerbose || withProperty !== null
      const type = isNeeded ? await this.#typeOf(model, name, isEffective) : newDict()
      if (type === null) continue
      if (withProperty === null || propertiesOf(type).some(([property]) => property === withProperty)) {
        types.push([name, type])
      }
    }
    if (withProperty !== null && types.length === 0) return null
    const said = model.uploaded === null ? [] : entries(model.uploaded.document).filter(([name]) => name !== TYPES)
    const document = dictOf([
      ['_id', model.id],
      ['type', 'model'],
      ...said.filter(([name]) => name !== '_id' && name !== 'type'),
      ['implicit', model.pipes.length > 0],
      ['uploaded', model.uploaded !== null],
      [TYPES, isVerbose ? dictOf(types) : types.map(([name]) => name)],
    ])
    return writeJson(document, { transit: false })
  }

  /** What was uploaded by itself, or what there is of the pipes where nothing was; with `isEffective` both. */
  #typeNames({ uploaded, pipes }: Model, isEffective: boolean): readonly string[] {
    const implied = isEffective || uploaded === null ? pipes.map(({ id }) => id) : []
    return [...new Set([...implied, ...(uploaded?.types.keys() ?? [])])].sort(compareText)
  }

  async #typeOf(model: Model, name: string, isEffective: boolean): Promise<Dict | null> {
    const said = model.uploaded?.types.get(name) ?? null
    if (!isEffective && model.uploaded !== null) return said
    const pipe = model.pipes.find(({ id }) => id === name)
    const inferred = pipe === undefined ? null : await this.#schema.plainType(pipe)
    if (!isEffective) return inferred
    const both = inferred === null ? said : said === null ? inferred : effectiveType(inferred, said)
    return both && described(both, this.#descriptions())
  }

  #descriptions(): ReadonlyMap<string, readonly string[]> {
    return descriptionsOf(this.#uploaded().flatMap(({ types }) => [...types.values()]))
  }
}
