/** Settings of `system:url` (hub.md §17.1), and what must hold between them. */

import { type Static, Type } from 'typebox'
import { errorAt, type Finding, warningAt } from '../finding.ts'
import { checkRetryStrategy, retryStrategySchema } from '../retries/strategy.ts'

export const urlConfig = Type.Object({
  type: Type.Literal('system:url'),
  url_pattern: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Where the system is. `%s` stands for the address a pipe gives; without it that address is appended.',
    }),
  ),
  base_url: Type.Optional(Type.String({ minLength: 1, description: 'Deprecated: what addresses are relative to.' })),
  verify_ssl: Type.Boolean({
    default: false,
    description: 'Refuse a system whose certificate does not prove who it is.',
  }),
  custom_ca_pem_chain: Type.Optional(
    Type.String({ description: 'Certificates to trust besides the usual ones, PEM.' }),
  ),
  authentication: Type.Optional(
    Type.Enum(['basic', 'digest', 'ntlm', 'jwt', 'tripletex'], { description: 'How to say who asks.' }),
  ),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  jwt_token: Type.Optional(
    Type.String({ description: 'Sent as a bearer token, in place of any Authorization header.' }),
  ),
  headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Sent with each request.' })),
  oauth2: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'Tokens by client credentials or refresh token.' }),
  ),
  tripletex: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Tokens of Tripletex.' })),
  proxies: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Scheme to the address of a proxy.' }),
  ),
  connect_timeout: Type.Number({ default: 60, exclusiveMinimum: 0, description: 'Seconds to connect within.' }),
  read_timeout: Type.Number({
    default: 1800,
    exclusiveMinimum: 0,
    description: 'Longest silence while an answer is awaited or read, seconds.',
  }),
  ignore_invalid_content_length_response_header: Type.Boolean({ default: false }),
  retry_strategy: Type.Optional(retryStrategySchema),
})

export type UrlConfig = Static<typeof urlConfig>

/** Settings that need or exclude one another. */
export function checkUrlConfig(config: UrlConfig): readonly Finding[] {
  return [
    ...checkPattern(config),
    ...checkAuthentication(config),
    ...checkRetryStrategy(config.retry_strategy, '/retry_strategy'),
  ]
}

function* checkPattern({ url_pattern: pattern, base_url: base }: UrlConfig): Iterable<Finding> {
  if (pattern === undefined && base === undefined) {
    yield errorAt('', 'url_pattern is missing.', 'For example "https://example.org/%s".')
  } else if (pattern !== undefined && base !== undefined) {
    yield errorAt('/base_url', 'Give url_pattern or base_url, not both.')
  } else if (base !== undefined) {
    yield warningAt('/base_url', 'base_url is deprecated.', 'Write url_pattern with %s instead.')
  } else if (pattern !== undefined && pattern.split('%s').length > 2) {
    yield errorAt('/url_pattern', 'url_pattern holds %s more than once.')
  }
}

function* checkAuthentication(config: UrlConfig): Iterable<Finding> {
  const { authentication, username, jwt_token: token } = config
  switch (authentication) {
    case undefined:
      if (username !== undefined) {
        yield warningAt('/username', 'username is not used.', 'Add "authentication": "basic", or leave it out.')
      }
      return
    case 'basic':
      if (username === undefined)
        yield errorAt('/authentication', 'Authentication "basic" needs username and password.')
      if (token !== undefined) {
        yield errorAt('/jwt_token', 'jwt_token and authentication "basic" exclude one another: both are one header.')
      }
      return
    case 'jwt':
      if (token === undefined) yield errorAt('/authentication', 'Authentication "jwt" needs jwt_token.')
      return
    default:
      yield errorAt(
        '/authentication',
        `Authentication "${authentication}" is not supported by this version.`,
        'Known are "basic" and "jwt".',
      )
  }
}
