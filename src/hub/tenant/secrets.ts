/** The secrets of a tenant: set, never read back, sealed in its log, and told to the threads that use them (hub.md §20.7). */

import type { SecretsDoor } from '../contract-configuration.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import { documentOf, placeOf, type Scope, SECRETS, type SecretEntry, storedSecrets } from '../secrets/document.ts'
import { missingKey } from '../secrets/keys.ts'
import { KnownSecrets, type SecretBytes } from '../secrets/known.ts'
import { openSecret, sealSecret } from '../secrets/seal.ts'
import type { TenantCore } from './core.ts'

/** Characters of a secret at most: keys and certificates are shorter. */
const LONGEST = 65_536

/** What is to be stored, and what follows once it is. */
export interface SecretsChange {
  readonly meta: readonly (readonly [name: string, value: string | null])[]
  apply(): Promise<void>
}

export class TenantSecrets implements SecretsDoor {
  readonly #core: TenantCore

  constructor(core: TenantCore) {
    this.#core = core
  }

  /** Names in order; of a system, or the global ones. Code: unknown-system. */
  names(scope: Scope): readonly string[] {
    this.#assertSystem(scope)
    return this.#core.sealed.flatMap((one) => (one.scope === scope ? [one.name] : [])).sort()
  }

  /** All that is sealed in the log is opened; what cannot be is said, and missed by who needs it. */
  async restore(): Promise<void> {
    const core = this.#core
    const sealed = withSnapshot(core, storedSecrets)
    const opened = await Promise.all(sealed.map((one) => this.#opened(one)))
    const missing = sealed.filter((one) => core.options.keys.find(one.sealed.master) === null)
    if (missing.length > 0) {
      const ids = [...new Set(missing.map((one) => one.sealed.master))]
      const error = missingKey(ids, missing.length)
      core.options.logger.error(`${error.message} ${error.hint}`, { tenant: core.options.name, event: error.code })
    }
    await this.#use(
      sealed,
      opened.flatMap((one) => one ?? []),
    )
  }

  /** Replaces those of the scope, or adds to them. Codes: unknown-system, bad-secret. */
  set(scope: Scope, values: ReadonlyMap<string, string>, isWhole: boolean): Promise<void> {
    return this.#core.exclusive.run(async () => {
      this.#assertSystem(scope)
      for (const [name, value] of values) assertSecret(name, value)
      const added = await Promise.all([...values].map(([name, value]) => this.#sealed(scope, name, value)))
      const stays = (one: SecretEntry) => one.scope !== scope || (!isWhole && !values.has(one.name))
      const bytes = [...values].map(([name, value]) => ({ scope, name, value: Buffer.from(value, 'utf8') }))
      await this.#change([...this.#core.sealed.filter(stays), ...added], bytes)
    })
  }

  /** Codes: unknown-system, unknown-secret. */
  delete(scope: Scope, name: string): Promise<void> {
    return this.#core.exclusive.run(async () => {
      this.#assertSystem(scope)
      const rest = this.#core.sealed.filter((one) => one.scope !== scope || one.name !== name)
      if (rest.length === this.#core.sealed.length) {
        throw new HubError(
          'unknown-secret',
          `There is no secret '${name}'${scope === null ? '' : ` of system '${scope}'`}.`,
        )
      }
      await this.#change(rest, [])
    })
  }

  /** Those of systems that go are not kept; null: they have none. */
  without(systems: readonly string[]): SecretsChange | null {
    const gone = new Set<Scope>(systems)
    const rest = this.#core.sealed.filter(({ scope }) => !gone.has(scope))
    return rest.length === this.#core.sealed.length ? null : this.#changeTo(rest, [])
  }

  async #change(sealed: readonly SecretEntry[], values: readonly SecretBytes[]): Promise<void> {
    const { meta, apply } = this.#changeTo(sealed, values)
    await this.#core.writer.journal.commit({ meta, durable: true })
    await apply()
    this.#core.reconsider()
  }

  #changeTo(sealed: readonly SecretEntry[], values: readonly SecretBytes[]): SecretsChange {
    const isThere = new Set(sealed.map(keyOf))
    const fresh = new Set(values.map(keyOf))
    const known = this.#core.secrets.bytes().filter((one) => isThere.has(keyOf(one)) && !fresh.has(keyOf(one)))
    return {
      meta: [[SECRETS, documentOf(sealed)]],
      apply: () => this.#use(sealed, [...known, ...values]),
    }
  }

  /** All threads know them when it resolves. */
  async #use(sealed: readonly SecretEntry[], values: readonly SecretBytes[]): Promise<void> {
    const core = this.#core
    core.sealed = sealed
    core.secrets = new KnownSecrets(values)
    await core.options.pool.setSecrets({ tenant: core.options.name, secrets: values })
  }

  async #sealed(scope: Scope, name: string, value: string): Promise<SecretEntry> {
    const { keys, name: tenant } = this.#core.options
    return { scope, name, sealed: await sealSecret(keys.forSealing(), placeOf(tenant, { scope, name }), value) }
  }

  async #opened(entry: SecretEntry): Promise<SecretBytes | null> {
    const { keys, name: tenant } = this.#core.options
    const key = keys.find(entry.sealed.master)
    if (key === null) return null
    try {
      const value = await openSecret(key, placeOf(tenant, entry), entry.sealed)
      return { scope: entry.scope, name: entry.name, value: Buffer.from(value, 'utf8') }
    } catch {
      // The hub starts all the same: whoever needs the secret says that it is missing.
      const of = entry.scope === null ? '' : ` of system '${entry.scope}'`
      const message = `The secret '${entry.name}'${of} cannot be opened: it was damaged, or sealed elsewhere. Set it again.`
      this.#core.options.logger.error(message, { tenant, event: 'secret-unreadable' })
      return null
    }
  }

  #assertSystem(scope: Scope): void {
    if (scope === null || this.#core.deployment.systems.has(scope)) return
    throw new HubError('unknown-system', `There is no system '${scope}'.`)
  }
}

const keyOf = ({ scope, name }: { readonly scope: Scope; readonly name: string }): string =>
  JSON.stringify([scope, name])

function assertSecret(name: string, value: string): void {
  if (name === '' || /[()]/.test(name)) {
    throw new HubError('bad-secret', `'${name}' cannot be the name of a secret.`, {
      hint: 'It stands in $SECRET(name), so it is not empty and holds no parentheses.',
    })
  }
  if (value.length > LONGEST) {
    throw new HubError('bad-secret', `The secret '${name}' has more than ${LONGEST} characters.`)
  }
}
