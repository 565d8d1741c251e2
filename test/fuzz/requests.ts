/** Requests made up from the description of the API: every operation, with parameters and bodies that fit, nearly fit, and do not. */

import { anything, type Dice, mutated, mutatedText, NASTY, type Schema, valueFor } from './values.ts'
import { CONFIGURATION, DOCUMENTS, ENTITIES, KNOWN, QUERIES } from './world.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly schema?: Schema
}

export interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly bodies: Readonly<Record<string, Schema>>
}

interface Description {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly Parameter[]
            readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }
          }
        >
      >
    >
  >
}

export function operationsOf({ paths }: Description): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      bodies: Object.fromEntries(
        Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) => [type, schema]),
      ),
    })),
  )
}

export interface FuzzRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
}

export function requestFor(operation: Operation, dice: Dice): FuzzRequest {
  const { parameters, bodies } = operation
  const path = operation.path.replace(/\{([^}]+)\}|\*/g, () =>
    encoded(dice.chance(0.6) ? dice.of(KNOWN) : dice.of(NASTY), dice),
  )
  const prefix = dice.chance(0.1) ? `/t/${encoded(dice.of(['default', 'acme', 'none', ...NASTY]), dice)}` : ''
  const query = parameters
    .filter((one) => one.in === 'query' && dice.chance(0.5))
    .map((one) => `${encodeURIComponent(one.name)}=${encoded(parameterText(operation, one, dice), dice)}`)
  if (dice.chance(0.1)) query.push(`${encoded(dice.of(NASTY), dice)}=${encoded(dice.of(NASTY), dice)}`)
  const types = Object.keys(bodies)
  const type =
    types.length > 0 && dice.chance(0.85)
      ? dice.of(types)
      : dice.of([
          'application/json',
          'text/plain',
          'application/x-www-form-urlencoded',
          'multipart/form-data; boundary=x',
          'application/sparql-query',
          'a/b; charset=\u00e6',
        ])
  const sends = operation.method !== 'GET' && operation.method !== 'OPTIONS'
  return {
    method: operation.method,
    path: `${prefix}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    headers: { ...(sends ? { 'content-type': type } : {}), ...(dice.chance(0.2) ? oddHeaders(dice) : {}) },
    ...(sends ? { body: bodyFor(operation, type, bodies[type] ?? {}, dice) } : {}),
  }
}

function parameterText({ path }: Operation, { name, schema = {} }: Parameter, dice: Dice): string {
  if (name === 'query') return querySample(path, dice)
  if (name === 'subset') return dice.chance(0.5) ? mutatedText('["eq","name","Åse"]', dice) : dice.of(NASTY)
  if (dice.chance(0.3)) return dice.of(NASTY)
  const value = valueFor(schema, dice)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function querySample(path: string, dice: Dice): string {
  const text = dice.of(path.includes('graphql') ? DOCUMENTS : QUERIES)
  return dice.chance(0.5) ? text : mutatedText(text, dice)
}

/** Mostly as `encodeURIComponent` would, which knows no lone surrogates; now and then raw bytes that are no text at all. */
function encoded(text: string, dice: Dice): string {
  if (dice.chance(0.03)) return dice.of(['%FF', '%C0%AF', '%ED%A0%80', '%', '%zz', '%25%32%46'])
  return encodeURIComponent(text.toWellFormed())
}

const oddHeaders = (dice: Dice): Record<string, string> => ({
  [dice.of([
    'accept',
    'x-expected-node-id',
    'x-dataset-completeness',
    'content-encoding',
    'accept-language',
    'if-none-match',
    'authorization',
    'cookie',
    'x-forwarded-for',
    'forwarded',
    'range',
  ])]: dice.of([
    '',
    '*/*',
    'text/html;q=2, application/xml;q=x',
    ',,,;;;',
    'gzip',
    'Bearer a.b.c',
    'Bearer eyJhbGciOiJub25lIn0.e30.',
    'bytes=0-',
    '127.0.0.1',
    'x'.repeat(3_000),
    '-1',
    '1e5',
  ]),
})

function bodyFor(
  { path, method }: Operation,
  type: string,
  schema: Schema,
  dice: Dice,
): string | Uint8Array<ArrayBuffer> {
  if (dice.chance(0.05)) return Uint8Array.from({ length: dice.below(200) }, () => dice.below(256))
  if (dice.chance(0.03)) return dice.of(NASTY)
  if (type.startsWith('application/sparql')) return querySample('/sparql', dice)
  const sample = sampleFor(path, method, schema, dice)
  const value = dice.chance(0.5) ? mutated(sample, dice) : sample
  if (type === 'application/x-www-form-urlencoded') return formOf(value)
  if (type.startsWith('multipart/'))
    return `--x\r\nContent-Disposition: form-data; name="operation"\r\n\r\n${dice.of(NASTY)}\r\n--x--${dice.chance(0.5) ? '\r\n' : ''}`
  const text = JSON.stringify(value) ?? ''
  return dice.chance(0.15) ? mutatedText(text, dice) : text
}

function sampleFor(path: string, method: string, schema: Schema, dice: Dice): unknown {
  if (path.endsWith('/entities')) return dice.chance(0.7) ? ENTITIES : anything(dice)
  if (path.endsWith('/config') && method !== 'DELETE')
    return dice.chance(0.5) ? CONFIGURATION : [dice.of(CONFIGURATION)]
  if (path.endsWith('/preview'))
    return { source: JSON.stringify(dice.of(ENTITIES)), 'pipe-config': JSON.stringify(mutated(CONFIGURATION[1], dice)) }
  if (path.endsWith('/graphql')) return { query: querySample('/graphql', dice), variables: anything(dice) }
  if (/\/pipes|\/systems/.test(path) && dice.chance(0.3))
    return dice.chance(0.5) ? CONFIGURATION : dice.of(CONFIGURATION)
  if (dice.chance(0.3)) return { operation: dice.of(OPERATIONS), 'last-seen': dice.of(NASTY), entity_id: 'p1' }
  return valueFor(schema, dice)
}

const OPERATIONS = [
  'start',
  'stop',
  'enable',
  'disable',
  'update-last-seen',
  'set-last-seen',
  'reset',
  'rescan',
  'start-rescan',
  'repost',
  'commit-circuit-breaker',
  'discard-retries',
  'wipe',
  'skip-to-end',
  ...NASTY.slice(0, 8),
]

function formOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const pairs = Object.entries(value).map(([name, one]): [string, string] => [
    name.toWellFormed(),
    (typeof one === 'string' ? one : (JSON.stringify(one) ?? '')).toWellFormed(),
  ])
  return new URLSearchParams(pairs).toString()
}
