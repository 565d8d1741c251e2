/** What an entity binds by: the values of the rules' expressions over its dataset, and how they are named in messages. */

import { compileExpression } from '../../dtl/compile.ts'
import type { DtlSettings } from '../../dtl/contract.ts'
import type { Version } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { inputOf } from '../../merge/keys.ts'
import type { CommonValue } from '../../merge/report.ts'
import { type Link, linkOf, type Slot } from '../../merge/rules.ts'
import { keyOf } from '../../model/canonical.ts'
import type { Entity } from '../../model/entity.ts'
import { parseJson, writeJson } from '../../model/json.ts'
import { pickStored, picks } from '../../model/stored-pick.ts'
import { isList, type Value } from '../../model/value.ts'

interface CompiledSide extends Slot {
  valuesOf(entity: Entity): Value
}

/** All that is read of the entities of an input. */
interface Sides {
  readonly all: CompiledSide[]
  /** Names of the properties, for reading only these; null: nobody knows which. */
  names: readonly Buffer[] | null
}

/** A value that binds many, for people. */
export interface NamedValue {
  readonly rule: string
  readonly value: string
  readonly members: number
}

export class LinkReader {
  /** By number of the input. */
  readonly #sides = new Map<number, Sides>()
  readonly #written: ReadonlyMap<string, string>

  /** `written` has the expressions as the configuration has them. */
  constructor(slots: readonly Slot[], settings: DtlSettings, written: ReadonlyMap<string, string>) {
    this.#written = written
    const read = new Map<number, readonly string[] | null>()
    for (const slot of slots) {
      const { evaluate, reads } = compileExpression(parseJson(slot.expression), settings)
      const sides = this.#sides.get(slot.input) ?? { all: [], names: null }
      sides.all.push({ ...slot, valuesOf: evaluate })
      this.#sides.set(slot.input, sides)
      const before = read.get(slot.input)
      read.set(slot.input, before === null || reads === null ? null : [...(before ?? []), ...reads])
    }
    for (const [input, sides] of this.#sides) {
      const names = read.get(input) ?? null
      // What the hub keeps about an entity does not stand in its text.
      const isPickable = names?.every((name) => name === '_id' || !name.startsWith('_')) === true
      sides.names = isPickable ? picks([...new Set(names)]) : null
    }
  }

  /** Of a version in the log, of which mostly no more is read than is needed. */
  linksOfVersion(input: number, version: Version): Link[] {
    const sides = this.#sides.get(input)
    if (sides === undefined) return []
    const picked = sides.names === null ? null : pickStored(version.body, version.form, sides.names)
    return this.linksOf(input, picked ?? entityOf(version, { internal: false }))
  }

  linksOf(input: number, entity: Entity): Link[] {
    const links: Link[] = []
    for (const side of this.#sides.get(input)?.all ?? []) {
      for (const value of listOf(side.valuesOf(entity))) {
        const link = value === null ? null : linkOf(side, keyOf(value))
        if (link !== null && !links.includes(link)) links.push(link)
      }
    }
    return links
  }

  /** A value by name: a member that has it is asked again, since the state holds only keys. */
  describe({ link, node, count }: CommonValue, entity: Entity | undefined): NamedValue {
    for (const side of this.#sides.get(inputOf(node))?.all ?? []) {
      for (const value of entity === undefined ? [] : listOf(side.valuesOf(entity))) {
        if (value === null || linkOf(side, keyOf(value)) !== link) continue
        const rule = this.#written.get(side.expression) ?? side.expression
        return { rule, value: writeJson(value), members: count }
      }
    }
    return { rule: 'unknown', value: 'unknown', members: count }
  }
}

const listOf = (value: Value): readonly Value[] => (isList(value) ? value : value === null ? [] : [value])
