/** What a system type gives the sources and sinks that use it. */

import type { Static, TObject } from 'typebox'

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
  readonly body: AsyncIterable<Uint8Array>
  text(): Promise<string>
}

/** An open connection to a system. Errors are PipeError with the address (secrets masked), the status and the start of the answer. */
export interface SystemPort {
  readonly id: string
  /** Sends one request; a status of 400 or more is an answer, not an error. Throws `system-unreachable`. */
  request(request: SystemRequest, signal: AbortSignal): Promise<SystemResponse>
  close(): Promise<void>
}

/** What opening a system may need besides its configuration. */
export interface SystemSurroundings {
  /** Folder against which relative `file:` addresses are resolved, or null where `file:` is not allowed. */
  readonly folder: string | null
}

export interface SystemType<S extends TObject = TObject> {
  readonly type: string
  readonly summary: string
  readonly config: S
  readonly examples: readonly Record<string, unknown>[]
  open(id: string, config: Static<S>, surroundings: SystemSurroundings): SystemPort
}

export const defineSystem = <S extends TObject>(system: SystemType<S>): SystemType<S> => system
