/** Secrets of a tenant in the clear, in memory: what a thread is told of them, and how it uses them. */

import type { Secrets } from '../../pipes/secrets.ts'
import { masking } from '../../pipes/systems/secrets.ts'
import type { Scope } from './document.ts'

/** As it crosses to another thread. */
export interface SecretBytes {
  readonly scope: Scope
  readonly name: string
  readonly value: Uint8Array
}

export class KnownSecrets implements Secrets {
  readonly #values: ReadonlyMap<string, string>
  readonly mask: (text: string) => string

  constructor(secrets: readonly SecretBytes[] = []) {
    const text = (value: Uint8Array) => Buffer.from(value).toString('utf8')
    this.#values = new Map(secrets.map(({ scope, name, value }) => [keyOf(scope, name), text(value)]))
    this.mask = masking(this.#values.values())
  }

  /** That of the system goes before the global one (hub.md §20.7). */
  valueOf(name: string, system: string | null): string | undefined {
    return (system === null ? undefined : this.#values.get(keyOf(system, name))) ?? this.#values.get(keyOf(null, name))
  }

  /** Whether a system finds the same under each name in both. */
  isSameFor(system: string, names: readonly string[], other: Secrets): boolean {
    return names.every((name) => this.valueOf(name, system) === other.valueOf(name, system))
  }

  bytes(): readonly SecretBytes[] {
    return [...this.#values].map(([key, value]) => {
      const [scope, name] = JSON.parse(key) as [Scope, string]
      return { scope, name, value: Buffer.from(value, 'utf8') }
    })
  }
}

const keyOf = (scope: Scope, name: string): string => JSON.stringify([scope, name])
