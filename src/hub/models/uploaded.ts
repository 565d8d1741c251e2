/** Models that people upload: named sets of entity types, each a JSON Schema (rest-api.md §3.7). */

import { setImmediate } from 'node:timers/promises'
import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Problem } from '../../config/problems.ts'
import { pointerStep } from '../../config/problems.ts'
import { type Dict, dictOf, entries, get } from '../../model/dict.ts'
import { parseJson, toPlain, writeJson } from '../../model/json.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { HubError } from '../errors.ts'

/** As it was uploaded. */
export interface UploadedModel {
  readonly id: string
  readonly document: Dict
  readonly types: ReadonlyMap<string, Dict>
}

export const TYPES = 'entity-types'
/** Characters of all uploaded models of a tenant. */
const MAX_TEXT = 4_000_000
const MAX_PROBLEMS = 100
/** Pieces of schemas looked at before other work gets its turn. */
const SLICE = 100

/** What is stored. */
export const readModels = (text: string | undefined): readonly UploadedModel[] =>
  text === undefined ? [] : listOf(parseJson(text, { transit: false })).map(modelOf)

export const writeModels = (models: readonly UploadedModel[]): string => {
  const text = `[${models.map(({ document }) => writeJson(document, { transit: false })).join(',')}]`
  if (text.length <= MAX_TEXT) return text
  throw new HubError('models-too-large', `All models together are larger than ${MAX_TEXT / 1e6} MB.`, {
    hint: 'Delete models that nobody needs.',
  })
}

/** One model or a list of them. With `force` schemas may have mistakes; what is no model at all is always refused. */
export async function parseUpload(text: string, force: boolean): Promise<readonly UploadedModel[]> {
  const given = listOf(parseJson(text, { transit: false }))
  const shapes = given.flatMap((model, place) => shapeProblems(model, place))
  const problems = force || shapes.length > 0 ? shapes : await schemaProblems(given.map(modelOf))
  if (problems.length === 0) return given.map(modelOf)
  throw new HubError('model-rejected', 'The models have errors; nothing was changed.', {
    problems: problems.slice(0, MAX_PROBLEMS),
    ...(shapes.length > 0 ? {} : { hint: 'With force=true schemas are taken with their mistakes.' }),
  })
}

const listOf = (value: Value): readonly Value[] => (isList(value) ? value : [value])

function shapeProblems(model: Value, place: number): readonly Problem[] {
  const id = isDict(model) ? get(model, '_id') : undefined
  const component = typeof id === 'string' ? id : String(place)
  const error = (pointer: string, message: string): readonly Problem[] => [
    { level: 'error', component, pointer, message },
  ]
  if (!isDict(model)) return error('', 'A model is a JSON object.')
  if (typeof id !== 'string' || !/^[^/\s][^/]{0,199}$/.test(id)) {
    return error('/_id', 'A model has a name, `_id`, of 200 characters at most, without a slash.')
  }
  const types = get(model, TYPES)
  if (!isDict(types)) return error(`/${TYPES}`, 'A model has `entity-types`: the name of each, and a JSON Schema.')
  return entries(types).flatMap(([name, type]) =>
    isDict(type) ? [] : error(`/${TYPES}${pointerStep(name)}`, 'An entity type is a JSON Schema: an object.'),
  )
}

const modelOf = (model: Value): UploadedModel => {
  const document = model as Dict
  const types = get(document, TYPES)
  const named = isDict(types) ? entries(types).filter((one): one is [string, Dict] => isDict(one[1])) : []
  return { id: get(document, '_id') as string, document, types: new Map(named) }
}

/** Schemas are compared with the schema of schemas, a piece at a time: no code is made of what somebody sends. */
async function schemaProblems(models: readonly UploadedModel[]): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  let looked = 0
  for (const { id, types } of models) {
    for (const [name, type] of types) {
      const ajv = validatorOf(type)
      for (const [pointer, piece] of piecesOf(type)) {
        if (++looked % SLICE === 0) await setImmediate()
        const error = mistakeIn(piece, ajv)
        if (error === null) continue
        problems.push({
          level: 'error',
          component: id,
          pointer: `/${TYPES}${pointerStep(name)}${pointer}${error.instancePath}`,
          message: `It is no JSON Schema: ${error.message ?? 'it has a mistake'}.`,
        })
        if (problems.length === MAX_PROBLEMS) return problems
      }
    }
  }
  return problems
}

/** The schema without its properties, and each of these: so that each has its own mistake told. */
function* piecesOf(type: Dict): Generator<readonly [pointer: string, piece: Value]> {
  const properties = get(type, 'properties')
  if (!isDict(properties)) {
    yield ['', type]
    return
  }
  yield ['', dictOf(entries(type).filter(([name]) => name !== 'properties'))]
  for (const [name, about] of entries(properties)) yield [`/properties${pointerStep(name)}`, about]
}

function validatorOf(type: Dict): Ajv | Ajv2020 {
  const dialect = get(type, '$schema')
  return typeof dialect === 'string' && /draft-0[4-7]/.test(dialect) ? draft7() : draft2020()
}

function mistakeIn(piece: Value, ajv: Ajv | Ajv2020): ErrorObject | null {
  // Which dialect it is of is decided; any other name would be looked for.
  const named = isDict(piece) ? dictOf(entries(piece).filter(([name]) => name !== '$schema' && name !== '$id')) : piece
  const schema = toPlain(named)
  if (typeof schema !== 'boolean' && !isDict(named)) {
    return { instancePath: '', message: 'must be an object or a boolean' } as ErrorObject
  }
  return ajv.validateSchema(schema as object) === true ? null : (ajv.errors?.[0] ?? null)
}

const OPTIONS = { strict: false, validateFormats: false } as const
let old: Ajv | null = null
let current: Ajv2020 | null = null
const draft7 = (): Ajv => (old ??= new Ajv(OPTIONS))
const draft2020 = (): Ajv2020 => (current ??= new Ajv2020(OPTIONS))
