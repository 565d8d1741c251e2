/** Single pipes and systems put into a configuration and taken out of it (rest-api.md §3.6, §4.1). */

import { elementTexts } from '../../config/elements.ts'
import type { Problem } from '../../config/problems.ts'
import type { User } from '../contract.ts'
import type { TenantConfiguration } from './configuration.ts'
import type { TenantCore } from './core.ts'

export class TenantComponents {
  readonly #core: TenantCore
  readonly #configuration: TenantConfiguration

  constructor(core: TenantCore, configuration: TenantConfiguration) {
    this.#core = core
    this.#configuration = configuration
  }

  /** The component as it was given. */
  text(id: string): string | undefined {
    return this.#core.deployment.components.find((one) => one.id === id)?.text
  }

  /** Adds components, or puts them in the place of those with their ids. Gives what is wrong with them. */
  async put(array: string, force: boolean, user: User | null): Promise<readonly Problem[]> {
    const { problems } = await this.#configuration.edit({ put: elementTexts(array) }, { force, user })
    return problems
  }

  async remove(id: string, user: User | null): Promise<void> {
    await this.#configuration.edit({ remove: [id] }, { force: true, user })
  }
}
