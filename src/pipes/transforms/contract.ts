/** What a transform type is, and what is common to those that are no programs. */

import type { Static, TObject } from 'typebox'
import { checkComponent } from '../../config/component.ts'
import { type CompiledTrigger, compileTriggerOf } from '../../dtl/compile.ts'
import type { Analysis, DtlProblem, DtlSettings, DtlTransform, Place, RuleLineage } from '../../dtl/contract.ts'
import { get } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { isDict, type Value } from '../../model/value.ts'
import type { Finding } from '../finding.ts'
import type { SystemPort } from '../systems/contract.ts'

/** A transform type compiles its configuration; problems have pointers below the transform. */
export interface TransformType {
  readonly type: string
  readonly summary: string
  compile(config: Value, settings: DtlSettings): CompiledTransform
}

export interface CompiledTransform {
  /** Null when there is an error among the problems. */
  readonly transform: PipeTransform | null
  readonly problems: readonly DtlProblem[]
}

/** A transform of a pipe: a program, or something else that makes entities of entities. */
export interface PipeTransform extends DtlTransform {
  /** It asks a system, and is given entities together. Absent: `apply` makes each by itself. */
  readonly asking?: Asking
}

/** A transform that asks a system. */
export interface Asking {
  /** The system that it asks. */
  readonly system: string
  /** Whether to ask changes anything there: then only runs do it, and no look at what a pipe would make. */
  readonly hasSideEffects: boolean
  /** What is made of the entities, in their order; those that it is not for as they are. */
  ask(entities: readonly Entity[], port: SystemPort, signal: AbortSignal): Promise<readonly Entity[]>
}

/** Whether the transform is for an entity: what an earlier one filtered travels on (dtl.md §14), and a trigger may choose. */
export type IsMeant = (entity: Entity) => boolean

const UNTRIGGERED: CompiledTrigger = { matches: () => true, problems: [] }

export interface ReadConfig<S extends TObject> {
  /** Null when there is an error among the problems. */
  readonly config: Static<S> | null
  readonly isMeant: IsMeant
  readonly problems: readonly DtlProblem[]
}

/** Reads the configuration of a transform by its schema, `trigger_on` included. */
export function readConfig<S extends TObject>(
  schema: S,
  given: Value,
  settings: DtlSettings,
  check: (config: Static<S>) => readonly Finding[] = () => [],
): ReadConfig<S> {
  const { value, problems } = checkComponent(schema, given, { component: settings.pipe, pointer: '' })
  const isValid = !problems.some(({ level }) => level === 'error')
  const trigger = isDict(given) ? compileTriggerOf(given, settings) : UNTRIGGERED
  const found = [...problems, ...(isValid ? check(value) : []), ...trigger.problems].map(
    ({ level, pointer, message, hint = '' }) => ({ level, pointer, message, hint }),
  )
  return {
    config: found.some(({ level }) => level === 'error') ? null : value,
    isMeant: (entity) => get(entity, '_filtered') !== true && trigger.matches(entity),
    problems: found,
  }
}

const HERE: Place = { pointer: '', what: '' }

/** Of a transform that adds to an entity what it holds already. */
export const PURE: Analysis = {
  indexes: [],
  datasets: [],
  tracked: [],
  deterministic: true,
  createsChildren: false,
  trips: false,
  purity: { time: [], chance: [], history: [], internal: [], lookups: [] },
  emission: {
    id: 'own',
    idPlaces: [],
    isSteady: true,
    filters: [],
    discards: [],
    isTargetless: false,
    creations: [],
    revivals: [],
  },
}

/** Of a transform whose results nobody knows beforehand; `what` is its name in messages. */
export const unknowable = (what: string): Analysis => ({
  ...PURE,
  deterministic: false,
  purity: { ...PURE.purity, time: [{ pointer: '', what }] },
  emission: { ...PURE.emission, id: 'any', idPlaces: [HERE], isSteady: false, discards: [HERE], revivals: [HERE] },
})

/** All properties as the source has them. */
export const COPIED: RuleLineage['writes'][number] = {
  pointer: '',
  by: 'copy',
  property: '*',
  isPattern: true,
  except: [],
  effect: 'write',
  isConditional: false,
  from: [{ from: 'source', dataset: null, path: '*', isPattern: true }],
}

/** What is common to transforms that take each entity by itself: the traced run is the run. */
export function plainTransform(
  analysis: Analysis,
  lineage: readonly RuleLineage[],
  apply: (entity: Entity) => readonly Entity[],
): PipeTransform {
  return {
    analysis,
    lineage,
    inverse: { places: [] },
    apply,
    trace: (source) => ({ result: apply(source), error: null, steps: [], isCut: false }),
  }
}
