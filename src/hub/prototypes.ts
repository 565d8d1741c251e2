/** Patterns to write components after: an example of each type that there is, with what it is for (rest-api.md §3.6). */

import type { TObject } from 'typebox'
import { sinkTypes } from '../pipes/sinks/index.ts'
import { sourceTypes } from '../pipes/sources/index.ts'
import { systemTypes } from '../pipes/systems/index.ts'

/** Plain data: to be filled in, and put where `of` says. */
export interface Prototype {
  readonly _id: string
  readonly of: 'system' | 'source' | 'sink'
  readonly type: string
  readonly description: string
  readonly config: Readonly<Record<string, unknown>>
}

interface Described {
  readonly type: string
  readonly summary: string
  readonly config: TObject
  readonly unsupported?: Readonly<Record<string, string>>
  readonly examples: readonly Record<string, unknown>[]
}

export const systemPrototypes = (): readonly Prototype[] => prototypes('system', systemTypes)

/** Of what can read from a system, or write to one. */
export const prototypesWith = (system: string, of: 'source' | 'sink'): readonly Prototype[] =>
  prototypes(of, (of === 'source' ? sourceTypes : sinkTypes).filter(usesSystem), { system })

const usesSystem = ({ config, unsupported = {} }: Described): boolean =>
  'system' in config.properties && !('system' in unsupported)

const prototypes = (of: Prototype['of'], types: readonly Described[], more: object = {}): readonly Prototype[] =>
  types.flatMap(({ type, summary, examples }) =>
    examples.map((example, place) => ({
      _id: `${type}:${place + 1}`,
      of,
      type,
      description: summary,
      config: { ...example, ...more },
    })),
  )
