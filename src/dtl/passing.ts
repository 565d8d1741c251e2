/** What an entity becomes between its dataset and an index over what a program reads: its id, its names, programs before. */

import { copyOf, dictOf, newDict, set } from '../model/dict.ts'
import { type Entity, idOf } from '../model/entity.ts'
import type { Value } from '../model/value.ts'
import type { RunContext } from './contract.ts'
import { DtlError } from './errors.ts'
import type { IndexPassage } from './index-text.ts'
import { addNamespaces } from './namespaces.ts'
import { parseProgram } from './parse.ts'
import { Program } from './program.ts'
import { Problems } from './scope.ts'
import type { ProgramNode } from './syntax.ts'

/** What an entity becomes on its way; one that a program fails on has no keys. */
export function passing({ prefix, added, through, settings }: IndexPassage): (entity: Entity) => readonly Entity[] {
  const programs = through.map((transforms) => {
    const node = parseProgram(
      dictOf({ type: 'dtl', id_required: false, rules: dictOf({ default: transforms as Value }) }),
      new Problems(),
    )
    return new Program(node as ProgramNode, settings, undefined, () => null)
  })
  const namespaces = added === null ? null : { ...settings, namespaces: added }
  return (entity) => {
    let passed: readonly Entity[] = [prefix === '' ? entity : withId(entity, prefix)]
    if (namespaces !== null) passed = passed.map((one) => addNamespaces(one, namespaces))
    try {
      for (const program of programs) passed = passed.flatMap((one) => program.run(one, ALONE))
    } catch (error) {
      if (error instanceof DtlError) return []
      throw error
    }
    return passed
  }
}

function withId(entity: Entity, prefix: string): Entity {
  const named = copyOf(entity)
  set(named, '_id', prefix + idOf(entity))
  return named
}

/** Where an index is made there is nothing but the entity. */
const ALONE: RunContext = {
  lookup: { joined: nothingElse, entity: nothingElse },
  now: nothingElse,
  uuid: nothingElse,
  bound: newDict(),
}

function nothingElse(): never {
  throw new TypeError('An index knows one entity only.')
}
