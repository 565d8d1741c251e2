/** The inferred shape of a dataset: which properties its entities have, of which kinds; a fold over the log. */

import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { entries } from '../model/dict.ts'
import { kindOf, NI, type Value } from '../model/value.ts'
import type { DatasetShape, PropertyShape } from './contract.ts'

/** Versions folded before other work gets its turn. */
const SLICE = 2_000
/** NI namespaces kept for each property: beyond that it is a mixture anyway. */
const NAMESPACES = 16

interface Seen {
  readonly kinds: Set<string>
  readonly namespaces: Set<string>
  list: boolean
}

export class ShapeFold {
  readonly generation: string
  readonly #properties = new Map<string, Seen>()
  #at = -1

  constructor(generation: string) {
    this.generation = generation
  }

  /** Takes in what is new in the view. A shape only grows: what an entity no longer has stays known. */
  async follow(view: DatasetView): Promise<void> {
    let folded = 0
    for (const version of view.changes(this.#at < 0 ? null : this.#at)) {
      this.#at = version.sequence
      if (version.deleted) continue
      for (const [name, value] of entries(entityOf(version, { internal: false }))) {
        if (!name.startsWith('_')) this.#see(name, value)
      }
      if (++folded % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  shape(count: number): DatasetShape {
    const properties: PropertyShape[] = [...this.#properties].map(([name, { kinds, list, namespaces }]) => ({
      name,
      kinds: [...kinds].sort(),
      list,
      namespaces: [...namespaces].sort(),
    }))
    return { count, properties: properties.sort((a, b) => (a.name < b.name ? -1 : 1)) }
  }

  #see(name: string, value: Value): void {
    let seen = this.#properties.get(name)
    if (seen === undefined) {
      seen = { kinds: new Set(), namespaces: new Set(), list: false }
      this.#properties.set(name, seen)
    }
    if (Array.isArray(value)) {
      seen.list = true
      for (const element of value as readonly Value[]) see(seen, element)
    } else see(seen, value)
  }
}

function see(seen: Seen, value: Value): void {
  if (value === null) return
  seen.kinds.add(kindOf(value))
  if (value instanceof NI && seen.namespaces.size < NAMESPACES) {
    seen.namespaces.add(value.text.slice(0, Math.max(0, value.text.lastIndexOf(':'))))
  }
}
