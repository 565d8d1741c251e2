/** What the doors see of a tenant's configuration and of its secrets. */

import type { Component, ConfigurationInput } from '../config/files.ts'
import type { Problem } from '../config/problems.ts'
import type { User } from './contract.ts'

/** Who changes it, and whether mistakes are taken along: broken components stay inactive. */
export interface ChangeOptions {
  readonly force: boolean
  readonly user?: User | null
}

/** What came of a change. */
export interface Uploaded {
  /** Of what was sent, and new ones of others. */
  readonly problems: readonly Problem[]
  /** Texts of what was sent, by id. */
  readonly posted: ReadonlyMap<string, string>
}

/** Components that take the place of those with their ids, or are added; and ids of those that go. */
export interface ComponentChanges {
  readonly put?: readonly string[]
  readonly remove?: readonly string[]
}

export type ChangeKind = 'config' | 'env' | 'rollback'

export interface Generation {
  readonly number: number
  /** Milliseconds since 1970; null for what was there before generations were counted. */
  readonly at: number | null
  readonly kind: ChangeKind
  readonly user: User | null
}

export interface HistoryQuery {
  /** Versions after this place; with `reverse` those before it. */
  readonly since?: number
  readonly limit?: number
  readonly reverse: boolean
}

/** A group of null is all of it. Refusals carry `problems` and `posted`. */
export interface ConfigurationDoor {
  components(group?: string | null): readonly Component[]
  /** A JSON array, each component exactly as it was given. */
  text(group?: string | null): string
  /** Replaces the group. Codes: config-rejected, config-breaker-tripped. */
  upload(input: ConfigurationInput, group: string | null, options: ChangeOptions): Promise<Uploaded>
  /** Single components: what else is wrong does not count. Codes: config-rejected, unknown-component. */
  edit(changes: ComponentChanges, options: ChangeOptions): Promise<Uploaded>
  /** `text` is that of an object, which need not say what it is. Codes: config-rejected. */
  putMetadata(text: string, options: ChangeOptions): Promise<Uploaded>
  deleteMetadata(options: ChangeOptions): Promise<void>
  /** `text` is that of an object. */
  replaceEnv(text: string, user?: User | null): Promise<void>
  mergeEnv(text: string, user?: User | null): Promise<void>
  /** Code: unknown-variable. */
  deleteVariable(name: string, user?: User | null): Promise<void>
  /** Stored versions of one component as a JSON array. */
  history(id: string, query: HistoryQuery): string
  /** Newest first, the present one among them. */
  generations(): readonly Generation[]
  /** Puts the former generation back, or that with the number. Code: unknown-generation. */
  rollback(number: number | null, user?: User | null): Promise<Uploaded>
}

/** Secrets that all systems may use (null), or those of one. Values never come back. */
export interface SecretsDoor {
  /** Code: unknown-system. */
  names(system: string | null): readonly string[]
  /** `isWhole`: others of the system go. Codes: unknown-system, bad-secret. */
  set(system: string | null, values: ReadonlyMap<string, string>, isWhole: boolean): Promise<void>
  /** Codes: unknown-system, unknown-secret. */
  delete(system: string | null, name: string): Promise<void>
}
