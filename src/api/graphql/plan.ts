/** What the GraphQL schema will hold, as plain data: made by the survey, turned into types by the schema. */

import type { StoredKey } from '../../model/dict.ts'

export type ScalarName = 'Boolean' | 'Integer' | 'Float' | 'Decimal' | 'Date' | 'DateTime' | 'String' | 'JSON'

export interface Plan {
  /** Global datasets first, in their configured order, then the others by id. */
  readonly datasets: readonly DatasetPlan[]
}

export interface DatasetPlan {
  readonly dataset: string
  readonly isGlobal: boolean
  /** The pipe that writes it. */
  readonly pipe: string | null
  /** The datasets that pipe reads. */
  readonly derivedFrom: readonly string[]
  readonly typeName: string
  /** Root fields: one entity by id, and the list. */
  readonly field: string
  readonly listField: string
  readonly properties: readonly PropertyPlan[]
  readonly inverses: readonly InversePlan[]
  /** Namespaces of the identities that its entities list in `$ids`. */
  readonly identityNamespaces: readonly string[]
}

export interface PropertyPlan {
  readonly property: string
  readonly key: StoredKey
  readonly field: string
  readonly scalar: ScalarName
  /** Kinds seen in it. */
  readonly kinds: readonly string[]
  readonly isList: boolean
  /** For namespaced identifiers: where they lead. */
  readonly relation: RelationPlan | null
}

export interface RelationPlan {
  /** Field with the identifier's text; `PropertyPlan.field` gives the entity. */
  readonly textField: string
  /** Datasets to try, in order. */
  readonly targets: readonly TargetPlan[]
  /** The one dataset it leads to, or null when it may be any entity. */
  readonly leadsTo: string | null
}

export interface TargetPlan {
  readonly dataset: string
  /** Namespaces found in the `$ids` of its entities: looked up there when no `_id` fits. */
  readonly identityNamespaces: readonly string[]
}

export interface InversePlan {
  readonly field: string
  readonly dataset: string
  readonly property: string
}
