/** What the entities of a dataset look like: a fold over its log, made of what a pipe counts while it runs (pipes/schema). */

import { setImmediate } from 'node:timers/promises'
import type { DatasetView } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import type { Limits } from '../pipes/schema/bounds.ts'
import { EntityType } from '../pipes/schema/entity-type.ts'
import { KINDS, MAX_NAMESPACES, type PropertyType, type ValueType } from '../pipes/schema/value-type.ts'
import type { DatasetShape, PropertyShape } from './contract.ts'

/** Versions folded before other work gets its turn. */
const SLICE = 2_000
/** Versions of which one gives samples. */
const SAMPLED = 500
/** It is kept in memory only, and a dataset may be what many pipes brought together. */
const LIMITS: Limits = { properties: 10_000, depth: 8 }

export class ShapeFold {
  readonly generation: string
  readonly type = new EntityType(LIMITS)
  #at = -1

  constructor(generation: string) {
    this.generation = generation
  }

  /** Takes in what is new in the view. A shape only grows: what an entity no longer has stays known. */
  async follow(view: DatasetView): Promise<void> {
    for (const _ of this.slices(view)) await setImmediate()
  }

  /** The same, a slice at a time. */
  *slices(view: DatasetView): Generator<void> {
    let folded = 0
    for (const version of view.changes(this.#at < 0 ? null : this.#at)) {
      this.#at = version.sequence
      const sampling = folded % SAMPLED === 0 ? 'usual' : 'news'
      this.type.see([entityOf(version, { internal: false })], Math.floor(version.ts / 1000), { sampling })
      if (this.type.isTruncated) return
      if (++folded % SLICE === 0) yield
    }
  }

  shape(count: number): DatasetShape {
    const properties = [...this.type.root.properties.values()].map(propertyShape)
    return { count, properties: properties.sort((a, b) => (a.name < b.name ? -1 : 1)) }
  }
}

/** With lists opened. */
function propertyShape({ name, value }: PropertyType): PropertyShape {
  const { items } = value
  const list = value.counts[LIST] !== 0
  const kinds = new Set([
    ...kindsOf(value).filter((kind) => kind !== 'list'),
    ...(items === null ? [] : kindsOf(items)),
  ])
  const namespaces = new Set([...(value.namespaces ?? []), ...(items?.namespaces ?? [])])
  return { name, kinds: [...kinds].sort(), list, namespaces: [...namespaces].sort().slice(0, MAX_NAMESPACES) }
}

const LIST = KINDS.indexOf('list')

const kindsOf = ({ counts }: ValueType): readonly string[] =>
  KINDS.filter((kind, number) => kind !== 'null' && counts[number] !== 0)
