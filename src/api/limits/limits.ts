/** What one caller, and all together, may ask of the hub at most: each limit with its default, as data for the command line and the API. */

export interface LimitDescription {
  readonly default: number
  readonly about: string
}

const KIB = 1024
const MIB = 1024 * KIB

/** Ordinary requests, questions to the graph, bodies of entities and configuration, answers that are streamed, and what waits for others. */
export const kindsOfWork = ['simple', 'query', 'bulk', 'stream', 'long'] as const
export type Work = (typeof kindsOfWork)[number]

export const limitTable = {
  connections: { default: 10_000, about: 'connections open at once' },
  'connections-per-address': {
    default: 1_000,
    about: 'connections from one address; this machine and trusted proxies are not counted',
  },
  'header-bytes': { default: 32 * KIB, about: 'bytes of a request before its body' },
  'header-count': { default: 100, about: 'headers of a request' },
  'url-bytes': { default: 16 * KIB, about: 'bytes of an address with its parameters' },
  'body-bytes': { default: MIB, about: 'bytes of an ordinary body' },
  'bulk-bytes': { default: 64 * MIB, about: 'bytes of entities or of a configuration in one request' },
  'body-memory': { default: 512 * MIB, about: 'bytes of all bodies that are taken in at once; more wait' },
  'inflate-ratio': { default: 250, about: 'times that a compressed body may become as long as it came' },
  'header-seconds': { default: 20, about: 'seconds until a request and its headers are there' },
  'body-seconds': { default: 3_600, about: 'seconds until all of a request is there' },
  'idle-seconds': { default: 75, about: 'seconds that a connection may rest between two requests' },
  'stall-seconds': { default: 30, about: 'seconds over which a slow sender or reader is measured' },
  'least-rate': { default: 512, about: 'bytes a second that must move over that time, or the connection is cut' },
  'wait-seconds': { default: 15, about: 'seconds that a request waits for its turn' },
  'simple-at-once': { default: 1_000, about: 'ordinary requests at once' },
  'simple-waiting': { default: 2_000, about: 'ordinary requests that wait' },
  'simple-seconds': { default: 120, about: 'seconds until an ordinary request is answered' },
  'query-at-once': { default: 64, about: 'SPARQL and GraphQL requests at once' },
  'query-waiting': { default: 500, about: 'such requests that wait' },
  'query-seconds': { default: 60, about: 'seconds until such a request is answered' },
  'bulk-at-once': { default: 64, about: 'requests with entities or configuration at once' },
  'bulk-waiting': { default: 1_000, about: 'such requests that wait' },
  'bulk-seconds': { default: 3_600, about: 'seconds until such a request is answered' },
  'stream-at-once': { default: 200, about: 'answers that are streamed at once' },
  'stream-waiting': { default: 500, about: 'such requests that wait' },
  'stream-seconds': { default: 300, about: 'seconds until such an answer begins' },
  'long-at-once': { default: 20, about: 'runs of all pipes, restarts and requests to services behind the hub at once' },
  'long-waiting': { default: 50, about: 'such requests that wait' },
  'long-seconds': { default: 7_200, about: 'seconds until such a request is answered' },
} as const satisfies Readonly<Record<string, LimitDescription>>

export type LimitName = keyof typeof limitTable
export type Limits = Readonly<Record<LimitName, number>>

export const limitNames = Object.keys(limitTable) as LimitName[]

export const defaultLimits: Limits = Object.fromEntries(
  limitNames.map((name) => [name, limitTable[name].default]),
) as Limits

export const limitOf = (limits: Limits, work: Work, what: 'at-once' | 'waiting' | 'seconds'): number =>
  limits[`${work}-${what}`]
