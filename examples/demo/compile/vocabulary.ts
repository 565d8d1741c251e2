/** The files that all mappings share: tables, key rules, and which kinds become one thing. */

import { didYouMean } from '../../../src/config/problems.ts'
import type { Table } from './lenses.ts'
import type { Model } from './model.ts'
import type { Part } from './part.ts'

/** Name of a rule → the model property whose shared value makes two records one thing; by class. */
export type KeyRules = ReadonlyMap<string, ReadonlyMap<string, string>>

/** A kind of thing that records of several kinds become. */
export interface Global {
  readonly id: string
  readonly class: string
  /** `system/datatype`, those whose word counts most first. */
  readonly from: readonly string[]
}

export function readTable(part: Part, model: Model): Table {
  part.object(['samtale', 'table', 'class', 'is', 'about', 'values']).at('samtale').choice(['table/1'])
  for (const [name, known] of [
    ['class', model.classes],
    ['is', model.properties],
  ] as const) {
    const said = part.at(name).text()
    if (!known.has(said)) part.at(name).problem(`The model has no '${said}'.`, didYouMean(said, known.keys()))
  }
  const entries = part
    .at('values')
    .list()
    .map((entry) => {
      entry.object(['code', 'names', 'wikidata'])
      const wikidata = entry.at('wikidata')
      const names = entry
        .at('names')
        .list()
        .map((name) => name.text())
      return { code: entry.at('code').text(), names, ...(wikidata.isThere ? { wikidata: wikidata.text() } : {}) }
    })
  return { name: part.at('table').text(), class: part.at('class').text(), is: part.at('is').text(), entries }
}

export function readKeyRules(part: Part, model: Model): KeyRules {
  part.object(['samtale', 'about', 'keys']).at('samtale').choice(['keys/1'])
  const keys = part.at('keys')
  return new Map(
    keys.names().map((className) => {
      if (!model.classes.has(className)) keys.at(className).problem(`The model has no class '${className}'.`)
      const rules = keys
        .at(className)
        .list()
        .map((rule) => {
          rule.object(['id', 'match', 'about'], ['normalise', 'strength', 'valid', 'not', 'hashed'])
          const match = rule.at('match').text()
          if (!model.properties.has(match)) {
            rule
              .at('match')
              .problem(`The model has no property '${match}'.`, didYouMean(match, model.properties.keys()))
          }
          return [rule.at('id').text(), match] as const
        })
      return [className, new Map(rules)]
    }),
  )
}

export function readGlobals(part: Part, model: Model): readonly Global[] {
  part.object(['samtale', 'about', 'globals']).at('samtale').choice(['globals/1'])
  return part
    .at('globals')
    .list()
    .map((global) => {
      global.object(['id', 'class', 'from'])
      const className = global.at('class').text()
      if (!model.classes.has(className)) {
        global.at('class').problem(`The model has no class '${className}'.`, didYouMean(className, model.classes))
      }
      const from = global.at('from').list()
      return { id: global.at('id').text(), class: className, from: from.map((name) => name.text()) }
    })
}
