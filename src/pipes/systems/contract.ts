/** What a system type gives the sources and sinks that use it. */

import type { Static, TObject } from 'typebox'
import type { Finding } from '../finding.ts'
import type { RetryStrategy } from '../retries/settings.ts'
import type { Secrets } from '../secrets.ts'
import type { TargetRules } from './targets.ts'

export interface SystemRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD' | 'OPTIONS'
  /** Relative to the system's pattern, or absolute. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface SystemResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Where the answer came from, after redirects, secrets masked: for messages. */
  readonly address: string
  readonly body: AsyncIterable<Uint8Array>
  text(): Promise<string>
}

/** An open connection to a system. Errors are PipeError with the address (secrets masked), the status and the start of the answer. */
export interface SystemPort {
  readonly id: string
  /** What it says of errors to the pumps that use it. */
  readonly retryStrategy?: RetryStrategy | null
  /** Sends one request; a status of 400 or more is an answer, not an error. Throws `system-unreachable`. */
  request(request: SystemRequest, signal: AbortSignal): Promise<SystemResponse>
  /** The text without this system's secrets: for whatever goes from an answer into a message. */
  mask(text: string): string
  close(): Promise<void>
}

/** What opening a system may need besides its configuration. */
export interface SystemSurroundings {
  /** Folder against which relative `file:` addresses are resolved, or null where `file:` is not allowed. */
  readonly folder: string | null
  /** Which network addresses are open to it (design §10); absent: all but link-local ones. */
  readonly targets?: TargetRules
  /** `$SECRET(name)` in the configuration stands for these; absent: there are none. */
  readonly secrets?: Secrets
}

export interface SystemType<S extends TObject = TObject> {
  readonly type: string
  readonly summary: string
  readonly config: S
  /** Properties of the schema that this version does not do: name -> what it is; set to anything but the default they are an error. */
  readonly unsupported?: Readonly<Record<string, string>>
  readonly examples: readonly Record<string, unknown>[]
  /** What the schema cannot say: properties that need or exclude one another. With an error among them it is not opened. */
  check?(config: Static<S>): readonly Finding[]
  open(id: string, config: Static<S>, surroundings: SystemSurroundings): SystemPort
}

export const defineSystem = <S extends TObject>(system: SystemType<S>): SystemType<S> => system
