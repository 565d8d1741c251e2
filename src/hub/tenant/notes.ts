/** What people note of pipes, systems and datasets: any JSON object of each, which goes when the thing goes. */

import { withSnapshot } from '../datasets.ts'
import type { TenantCore } from './core.ts'

export type Noted = 'pipe' | 'system' | 'dataset'

/** Texts by kind and id. */
type Notes = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Where they are kept, in the log's meta table: all in one, for there are few. */
const NOTES = 'notes'

export class TenantNotes {
  readonly #core: TenantCore
  #last: Promise<unknown> = Promise.resolve()

  constructor(core: TenantCore) {
    this.#core = core
  }

  /** The text of a JSON object; empty where nobody has noted anything. */
  read(of: Noted, id: string): string {
    return ownOf(ownOf(this.#all(), of) ?? {}, id) ?? '{}'
  }

  save(of: Noted, id: string, text: string): Promise<void> {
    return this.#change((all) => ({ ...all, [of]: Object.fromEntries([...Object.entries(all[of] ?? {}), [id, text]]) }))
  }

  /** What is not there any more takes what was noted of it along. */
  async prune(): Promise<void> {
    const all = this.#all()
    const kept = this.#kept(all)
    if (JSON.stringify(kept) !== JSON.stringify(all)) await this.#change((present) => this.#kept(present))
  }

  #kept(all: Notes): Notes {
    const { pipes, systems } = this.#core.deployment
    return withSnapshot(this.#core, (snapshot) => {
      const isThere = (of: string, id: string) =>
        of === 'pipe' ? pipes.has(id) : of === 'system' ? systems.has(id) : snapshot.dataset(id) !== undefined
      return Object.fromEntries(
        Object.entries(all).map(([of, notes]) => [
          of,
          Object.fromEntries(Object.entries(notes).filter(([id]) => isThere(of, id))),
        ]),
      )
    })
  }

  #all(): Notes {
    return JSON.parse(withSnapshot(this.#core, (snapshot) => snapshot.meta(NOTES)) ?? '{}') as Notes
  }

  /** One change after the other: each begins with what the last one left. */
  #change(change: (all: Notes) => Notes): Promise<void> {
    const next = this.#last.then(async () => {
      const text = JSON.stringify(change(this.#all()))
      await this.#core.writer.journal.commit({ meta: [[NOTES, text]], durable: true })
    })
    this.#last = next.catch(() => {})
    return next
  }
}

/** Ids may be called `constructor`. */
const ownOf = <T>(all: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(all, name) ? all[name] : undefined
