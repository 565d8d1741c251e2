/** A door as data: its path, its parameters, what it needs permission for, and what it does. The API's description comes from the same. */

import type { Static, TObject, TSchema } from 'typebox'
import type { Node, Tenant, User } from '../hub/contract.ts'
import type { Answer } from './answer.ts'
import type { GuardedDoors } from './doors.ts'
import type { Incoming } from './long-body.ts'
import type { Access, Action, Caller, Resource } from './may.ts'
import type { CallerAddress } from './network/caller-address.ts'

/** One request, read. */
export interface Call<Query = unknown> {
  readonly node: Node
  readonly tenant: Tenant
  /** Scheme and host by which the caller knows the hub. */
  readonly origin: string
  /** Path of the tenant: empty for `default`, else `/t/<tenant>`. */
  readonly prefix: string
  readonly doors: GuardedDoors
  /** Parts of the path, decoded once. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  /** All query parameters as they came. */
  readonly given: Readonly<Record<string, string | readonly string[]>>
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly method: string
  /** The path below the tenant's prefix as it came, still encoded. */
  readonly path: string
  readonly body: Uint8Array
  /** Of a route that takes long bodies: the body as it comes, in place of `body`. */
  readonly incoming: Incoming | null
  readonly contentType: string
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal
  readonly caller: Caller
  /** Who asks: for logs, and for what is done in their name. */
  readonly user: User
  /** Where the request comes from, proxies seen through. */
  readonly from: CallerAddress
  /** Names the request in logs, in the answer and in its errors. */
  readonly requestId: string
  /** Whether the caller may do this to that, beyond what the route asked for already: lists leave out what may not be seen. */
  may(access: Access, kind: Resource['kind'], id?: string): boolean
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** Below the tenant's prefix; `:name` is one segment, `*` the rest. */
  readonly path: string
  readonly summary: string
  /** Chapter of the reference. */
  readonly tag: string
  readonly action: Action
  readonly resource: Resource['kind']
  /** What it needs, where action and resource do not say it already. */
  readonly access?: Access
  /** A shareable link of the pipe opens it, too: `?jwt=`. */
  readonly isShareable?: boolean
  /** Part of the path that names the resource; `id` unless said. */
  readonly resourceParameter?: string
  /** Anybody may ask, without a token: what it answers must do no harm. */
  readonly isOpen?: boolean
  /** At the node's root only, not below `/t/<tenant>`. */
  readonly isNodeOnly?: boolean
  readonly query?: TObject
  /** What the body may be, by media type. */
  readonly accepts?: Readonly<Record<string, TSchema>>
  /** A large body is expected. */
  readonly takesBulk?: boolean
  /** A body may be longer than memory: it comes as {@link Call.incoming}. */
  readonly takesLong?: boolean
  readonly answers?: Readonly<
    Record<string, { readonly description: string; readonly schema?: TSchema; readonly type?: string }>
  >
  handle(call: Call): Promise<Answer> | Answer
}

type RouteOf<Q extends TObject> = Omit<Route, 'handle' | 'query'> & {
  readonly query: Q
  handle(call: Call<Static<Q>>): Promise<Answer> | Answer
}

/** A route whose `call.query` has the types of its schema. */
export function route<Q extends TObject>(definition: RouteOf<Q>): Route
export function route(definition: Route): Route
export function route(definition: unknown): Route {
  return definition as Route
}
