/** A service that others run in a container; this hub runs none, and reaches one where it already is (hub.md §17.3). */

import { type Static, Type } from 'typebox'
import { PipeError } from '../errors.ts'
import { errorAt, type Finding, refuseErrors } from '../finding.ts'
import { checkRetryStrategy, retryStrategyOf, retryStrategySchema } from '../retries/strategy.ts'
import { defineSystem, type SystemPort } from './contract.ts'
import { UrlPort } from './url-port.ts'

const docker = Type.Object(
  {
    image: Type.String({ minLength: 1, description: 'The image of the container.' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Where the service listens in it.' }),
    environment: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    username: Type.Optional(Type.String({ description: 'Of a private registry.' })),
    password: Type.Optional(Type.String()),
    memory: Type.Number({ default: 128, description: 'MB.' }),
    cpu_quota: Type.Number({ default: 25, description: 'Percent of one core.' }),
    hosts: Type.Optional(Type.Record(Type.String(), Type.String())),
    skip_pull: Type.Boolean({ default: false }),
    pull_image_cron_expression: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    cpu_period: Type.Optional(Type.Number({ description: 'Deprecated.' })),
    cpuset_cpus: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'Deprecated.' })),
  },
  { description: 'How a hub with a container runtime would run it. This one keeps it, and needs `url`.' },
)

const config = Type.Object({
  type: Type.Literal('system:microservice'),
  docker: Type.Optional(docker),
  url: Type.Optional(
    Type.String({ pattern: '^https?://', description: 'Where the service runs already: ours; often "$ENV(…)".' }),
  ),
  use_https: Type.Boolean({ default: false, description: 'For containers; `url` says it itself.' }),
  verify_ssl: Type.Boolean({ default: false, description: 'Refuse a certificate that does not prove who it is.' }),
  authentication: Type.Optional(Type.Enum(['basic', 'digest'], { description: 'How to say who asks.' })),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  connect_timeout: Type.Number({ default: 60, exclusiveMinimum: 0, description: 'Seconds to connect within.' }),
  read_timeout: Type.Number({ default: 1800, exclusiveMinimum: 0, description: 'Longest silence, seconds.' }),
  eager_load: Type.Boolean({ default: true, description: 'For containers.' }),
  retry_strategy: Type.Optional(retryStrategySchema),
})

function* checkMicroservice({
  docker: container,
  url,
  authentication,
  username,
  retry_strategy: strategy,
}: Static<typeof config>): Iterable<Finding> {
  if (container === undefined && url === undefined) {
    yield errorAt('', "It needs 'docker', 'url', or both.", 'This hub reaches it by url.')
  }
  if (authentication === 'digest') {
    yield errorAt('/authentication', 'Authentication "digest" is not supported by this version.', 'Known is "basic".')
  }
  if (authentication === 'basic' && username === undefined) {
    yield errorAt('/authentication', 'Authentication "basic" needs username and password.')
  }
  yield* checkRetryStrategy(strategy, '/retry_strategy')
}

export const microserviceSystem = defineSystem({
  type: 'system:microservice',
  summary: 'A service of your own. This hub runs no containers: it reaches the service by `url`.',
  config,
  examples: [
    { type: 'system:microservice', docker: { image: 'example/enrich:1', port: 5000 }, url: 'http://127.0.0.1:5000' },
  ],
  check: (settings) => [...checkMicroservice(settings)],
  open(id, settings, surroundings) {
    refuseErrors(`System '${id}'`, [...checkMicroservice(settings)])
    const { url, verify_ssl, authentication, username, password, connect_timeout, read_timeout } = settings
    const { retry_strategy } = settings
    if (url === undefined) return absentService(id, retry_strategy)
    const own = {
      type: 'system:url' as const,
      base_url: url.endsWith('/') ? url : `${url}/`,
      verify_ssl,
      connect_timeout,
      read_timeout,
      ignore_invalid_content_length_response_header: false,
      ...(authentication === undefined ? {} : { authentication }),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(retry_strategy === undefined ? {} : { retry_strategy }),
    }
    return new UrlPort(id, own, surroundings)
  },
})

/** It is configured, and it is nowhere. */
function absentService(id: string, strategy: Parameters<typeof retryStrategyOf>[0]): SystemPort {
  return {
    id,
    retryStrategy: retryStrategyOf(strategy),
    mask: (text) => text,
    request: async () => {
      throw noContainers(id)
    },
    close: async () => {},
  }
}

export const noContainers = (id: string): PipeError =>
  new PipeError('no-containers', `The microservice '${id}' does not run: this hub runs no containers.`, {
    hint: 'Run it yourself, and give the system a "url" where it is.',
    details: { system: id },
  })
