/** Single pipes and systems put into a configuration and taken out of it (rest-api.md §3.6, §4.1). */

import { elementTexts } from '../../config/elements.ts'
import { parseConfiguration } from '../../config/files.ts'
import type { Problem } from '../../config/problems.ts'
import type { User } from '../contract.ts'
import { deploy } from '../deployment.ts'
import { HubError } from '../errors.ts'
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
    const { components: given, problems: unreadable } = parseConfiguration(elementTexts(array))
    // What has no id can be kept nowhere, not even by force.
    if (unreadable.length > 0) throw rejected(unreadable)
    const texts = new Map(given.map(({ id, text }) => [id, text]))
    const { components, folder } = this.#core.deployment
    const known = new Set(components.map(({ id }) => id))
    const all = [
      ...components.map(({ id, text }) => texts.get(id) ?? text),
      ...given.flatMap(({ id, text }) => (known.has(id) ? [] : [text])),
    ]
    if (!force) this.#assertNoWorse(all)
    const problems = await this.#configuration.replace(all, true, folder, user)
    return problems.filter(({ component }) => texts.has(component))
  }

  async remove(id: string, user: User | null): Promise<void> {
    const { components, folder } = this.#core.deployment
    const kept = components.filter((one) => one.id !== id).map(({ text }) => text)
    await this.#configuration.replace(kept, true, folder, user)
  }

  /** What was wrong before is nobody's fault now; what is wrong with others because of this one counts. */
  #assertNoWorse(all: readonly string[]): void {
    const before = new Set(this.#core.deployment.problems.map(asText))
    const { problems } = deploy(all, this.#core.env, this.#core.deployment.folder)
    const news = problems.filter((problem) => problem.level === 'error' && !before.has(asText(problem)))
    if (news.length > 0) throw rejected(news)
  }
}

const rejected = (problems: readonly Problem[]): HubError =>
  new HubError('config-rejected', 'The configuration has errors; nothing was changed.', { problems })

const asText = ({ component, pointer, message }: Problem): string => `${component}\u0000${pointer}\u0000${message}`
