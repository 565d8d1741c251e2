/** The reference of the language, made of the registries. */

import { chapters } from './functions/index.ts'
import { signaturesOf } from './signature.ts'
import type { Behaviour, Example, TransformExample } from './syntax.ts'
import { transforms } from './transforms/index.ts'

export interface FunctionEntry {
  readonly name: string
  readonly chapter: string
  /** One for each form it can be written in. */
  readonly signatures: readonly string[]
  readonly behaviour: Behaviour
  readonly summary: string
  readonly examples: readonly Example[]
}

export interface TransformEntry {
  readonly name: string
  readonly signatures: readonly string[]
  readonly summary: string
  readonly examples: readonly TransformExample[]
}

export const functionReference = (): readonly FunctionEntry[] =>
  Object.entries(chapters).flatMap(([chapter, definitions]) =>
    definitions.map((definition) => ({
      name: definition.name,
      chapter,
      signatures: signaturesOf(definition),
      behaviour: definition.behaviour,
      summary: definition.summary,
      examples: definition.examples,
    })),
  )

export const transformReference = (): readonly TransformEntry[] =>
  [...transforms.values()].map((definition) => ({
    name: definition.name,
    signatures: signaturesOf(definition),
    summary: definition.summary,
    examples: definition.examples,
  }))
