/** Bodies of requests: bytes to text, JSON with the place of a mistake, and forms in their three spellings (rest-api.md §1.3). */

import { entries, get, newDict } from '../model/dict.ts'
import { parseJson, writeJson } from '../model/json.ts'
import { isDict, isList, type Value } from '../model/value.ts'
import { ApiError } from './errors.ts'

export interface Body {
  readonly body: Uint8Array
  readonly contentType: string
}

/** The body as text; a byte-order mark is left out. */
export function textOf({ body }: Pick<Body, 'body'>): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new ApiError('bad-body', 'The body is not UTF-8 text.', { cause })
  }
}

/** The body as JSON without loss; a mistake says its line and column. */
export const jsonOf = (body: Pick<Body, 'body'>): Value => parseJson(textOf(body), { transit: false })

/** Fields of an operation: urlencoded, multipart without files, or a JSON object. */
export async function fieldsOf({ body, contentType }: Body): Promise<Record<string, string>> {
  const type = mediaType(contentType)
  if (type === 'multipart/form-data') return multipartFields({ body, contentType })
  if (type === 'application/json') return jsonFields({ body })
  return Object.fromEntries(new URLSearchParams(textOf({ body })))
}

/** Fields that hold JSON: its text in a form; in a JSON object the value itself, or its text. Every digit is kept. */
export async function documentsOf(call: Body): Promise<Record<string, string>> {
  if (mediaType(call.contentType) !== 'application/json') return fieldsOf(call)
  const value = call.body.length === 0 ? newDict() : jsonOf(call)
  if (!isDict(value)) throw new ApiError('bad-body', 'The body must be a JSON object.')
  const given = entries(value).filter(([, field]) => field !== null)
  return Object.fromEntries(
    given.map(([name, field]) => [name, typeof field === 'string' ? field : writeJson(field, { transit: false })]),
  )
}

/** All values of one field of an operation: repeated in a form, a list of strings in a JSON object. */
export async function valuesOf(call: Body, name: string): Promise<readonly string[]> {
  const type = mediaType(call.contentType)
  if (type !== 'application/json') {
    const form = type === 'multipart/form-data' ? await multipart(call) : new URLSearchParams(textOf(call))
    return form.getAll(name).filter((value) => typeof value === 'string')
  }
  const body = call.body.length === 0 ? null : jsonOf(call)
  const value = isDict(body) ? (get(body, name) ?? []) : []
  const values = isList(value) ? value : [value]
  if (values.every((one) => typeof one === 'string')) return values as readonly string[]
  throw new ApiError('bad-body', `The field '${name}' must be a string or a list of strings.`)
}

/** The file of an upload, or the body itself when it is not multipart (rest-api.md §3.4). */
export async function uploadOf(call: Body): Promise<Uint8Array> {
  if (mediaType(call.contentType) !== 'multipart/form-data') return call.body
  const form = await multipart(call)
  const part = form.get('file') ?? [...form.values()][0]
  if (part === undefined)
    throw new ApiError('bad-body', 'The form has no part; send the configuration as the part `file`.')
  return typeof part === 'string' ? new TextEncoder().encode(part) : new Uint8Array(await part.arrayBuffer())
}

export const mediaType = (contentType: string): string => contentType.split(';', 1)[0]!.trim().toLowerCase()

async function multipartFields(call: Body): Promise<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (const [name, value] of await multipart(call)) {
    if (typeof value !== 'string')
      throw new ApiError('bad-body', `The field '${name}' is a file; this form takes none.`)
    fields[name] = value
  }
  return fields
}

async function multipart({ body, contentType }: Body): Promise<FormData> {
  try {
    return await new Response(Buffer.from(body), { headers: { 'content-type': contentType } }).formData()
  } catch (cause) {
    throw new ApiError('bad-body', 'The multipart body cannot be read.', { cause })
  }
}

function jsonFields(body: Pick<Body, 'body'>): Record<string, string> {
  if (body.body.length === 0) return {}
  const value = jsonOf(body)
  if (!isDict(value)) throw new ApiError('bad-body', 'The body must be a JSON object with the fields of the operation.')
  const fields: Record<string, string> = {}
  for (const [name, field] of entries(value)) {
    // Lists are read by valuesOf.
    if (field === null || isList(field)) continue
    if (typeof field === 'object') throw new ApiError('bad-body', `The field '${name}' must be a string.`)
    fields[name] = String(field)
  }
  return fields
}
