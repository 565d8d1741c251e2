/** Has a web service make entities of entities: a JSON array is posted, a JSON array comes back (hub.md §16.2). */

import { type Static, Type } from 'typebox'
import { type Entity, idOf, isEntity } from '../../model/entity.ts'
import { writeJson } from '../../model/json.ts'
import { accepted } from '../answers.ts'
import { blame } from '../blame.ts'
import { PipeError } from '../errors.ts'
import { jsonEntities } from '../sources/json-entities.ts'
import type { SystemPort } from '../systems/contract.ts'
import { type Asking, type IsMeant, plainTransform, readConfig, type TransformType, unknowable } from './contract.ts'

const config = Type.Object({
  type: Type.Literal('http'),
  system: Type.String({ minLength: 1, description: 'The system to ask.' }),
  url: Type.String({ description: 'Where to post; how it is joined to the address of the system, the system says.' }),
  batch_size: Type.Integer({ default: 100, minimum: 1, description: 'Entities in one request at most.' }),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Sent besides those of the system.' }),
  ),
  side_effects: Type.Boolean({
    default: true,
    description: 'Whether to ask changes anything there: then previews, and whoever looks at a pipe, do not.',
  }),
  trigger_on: Type.Optional(Type.Unknown({ description: 'Which entities it is for; the others pass.' })),
  comment: Type.Optional(Type.Unknown()),
})

type Config = Static<typeof config>

export const httpTransform: TransformType = {
  type: 'http',
  summary: 'A web service is sent entities, and answers with those that they become.',
  compile(given, settings) {
    const { config: read, isMeant, problems } = readConfig(config, given, settings)
    if (read === null) return { transform: null, problems }
    const made = { by: 'http', property: null, isPattern: false, except: [], effect: 'write', isConditional: false }
    const from = [{ from: 'source' as const, dataset: null, path: '', isPattern: false }]
    const lineage = [
      { rule: 'default', reads: from, writes: [{ pointer: '', ...made, effect: 'write' as const, from }] },
    ]
    // Where nobody is to be asked, entities pass.
    const passing = plainTransform(unknowable('http'), lineage, (entity) => [entity])
    return { transform: { ...passing, asking: askingOf(read, isMeant) }, problems }
  },
}

const askingOf = (config: Config, isMeant: IsMeant): Asking => ({
  system: config.system,
  hasSideEffects: config.side_effects,
  async ask(entities, port, signal) {
    const made: Entity[] = []
    let batch: Entity[] = []
    const send = async () => {
      if (batch.length > 0) for (const one of await answerTo(config, batch, port, signal)) made.push(one)
      batch = []
    }
    for (const entity of entities) {
      if (isMeant(entity)) batch.push(entity)
      else made.push(entity)
      if (batch.length === config.batch_size) await send()
    }
    await send()
    return made
  },
})

async function answerTo(
  { url, headers }: Config,
  batch: readonly Entity[],
  port: SystemPort,
  signal: AbortSignal,
): Promise<readonly Entity[]> {
  const body = `[${batch.map((entity) => writeJson(entity)).join(',')}]`
  const given = { accept: 'application/json', 'content-type': 'application/json', ...headers }
  try {
    const answer = await accepted(
      port,
      'POST',
      await port.request({ method: 'POST', url, headers: given, body }, signal),
    )
    const made: Entity[] = []
    // An answer without a body is an empty list.
    if (answer.status === 204) return made
    for await (const group of jsonEntities(port, answer, Number.POSITIVE_INFINITY)) {
      for (const entity of group) made.push(entity)
    }
    return made
  } catch (error) {
    signal.throwIfAborted()
    throw about(batch, error)
  }
}

/** The entities that it failed with: the one, or between which ones the one is. */
function about(batch: readonly Entity[], error: unknown): unknown {
  if (!(error instanceof PipeError)) return error
  const ids = batch.map((entity) => (isEntity(entity) ? idOf(entity) : '(no _id)'))
  const [first = ''] = ids
  const which = batch.length === 1 ? `entity '${first}'` : `${batch.length} entities from '${first}' to '${ids.at(-1)}'`
  const named = new PipeError(error.code, `The http transform failed for ${which}: ${error.message}`, {
    details: { ...error.details, ...(batch.length === 1 ? { entity: first } : { entities: ids }) },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  })
  if (batch.length === 1) blame(named, batch[0] as Entity)
  return named
}
