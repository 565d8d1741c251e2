/** The reference of the language, made of the registries: as data for editors, and as Markdown. */

import { arityOf, formsOf } from './binding.ts'
import { chapters } from './functions/index.ts'
import { type SpecProperty, specProperties } from './hops-properties.ts'
import { signaturesOf } from './signature.ts'
import type {
  Behaviour,
  Example,
  FunctionDefinition,
  Parameter,
  TransformDefinition,
  TransformExample,
} from './syntax.ts'
import { transforms } from './transforms/index.ts'

interface Entry {
  readonly name: string
  readonly kind: 'function' | 'transform'
  readonly chapter: string
  /** One for each form it can be written in. */
  readonly signatures: readonly string[]
  /** The parameters of each form. */
  readonly forms: readonly (readonly Parameter[])[]
  /** Arguments at least and at most; null: any number. */
  readonly arguments: { readonly least: number; readonly most: number | null }
  readonly summary: string
}

export interface FunctionEntry extends Entry {
  readonly kind: 'function'
  /** How it treats null, one value and lists: a letter of {@link behaviours}. */
  readonly behaviour: Behaviour
  readonly examples: readonly Example[]
}

export interface TransformEntry extends Entry {
  readonly kind: 'transform'
  readonly examples: readonly TransformExample[]
}

export interface Reference {
  readonly variables: readonly Variable[]
  readonly behaviours: Readonly<Record<Behaviour, string>>
  readonly transforms: readonly TransformEntry[]
  readonly functions: readonly FunctionEntry[]
  /** Properties of a hops spec. */
  readonly hops: readonly SpecProperty[]
}

interface Variable {
  readonly name: string
  readonly summary: string
}

/** Everything an editor needs to complete, check and explain a program. */
export const reference = (): Reference => ({
  variables,
  behaviours,
  transforms: transformReference(),
  functions: functionReference(),
  hops: specProperties,
})

export const functionReference = (): readonly FunctionEntry[] =>
  Object.entries(chapters).flatMap(([chapter, definitions]) =>
    definitions.map((definition) => ({
      ...entryOf(definition),
      kind: 'function' as const,
      chapter,
      behaviour: definition.behaviour,
      examples: definition.examples,
    })),
  )

export const transformReference = (): readonly TransformEntry[] =>
  [...transforms.values()].map((definition) => ({
    ...entryOf(definition),
    kind: 'transform' as const,
    chapter: 'Transforms',
    examples: definition.examples,
  }))

function entryOf(definition: FunctionDefinition | TransformDefinition) {
  const [least, most] = arityOf(definition)
  return {
    name: definition.name,
    signatures: signaturesOf(definition),
    forms: formsOf(definition),
    arguments: { least, most: most === Number.POSITIVE_INFINITY ? null : most },
    summary: definition.summary,
  }
}

const variables: readonly Variable[] = [
  { name: '_S', summary: 'The source: the entity, or the value an applied rule is applied to.' },
  { name: '_T', summary: 'The target of the rule, with what was added so far.' },
  { name: '_P', summary: 'In an applied rule the `_S`, `_T` and `_P` of the rule that applies it.' },
  { name: '_R', summary: 'The `_S` and `_T` of the rule `default`.' },
  { name: '_B', summary: 'The parameters of the request, in pipes that answer requests.' },
  { name: '_', summary: 'The current value, within functions that are called for each value.' },
]

const behaviours: Readonly<Record<Behaviour, string>> = {
  M: 'Converts each value: null gives null, one value gives one, a list gives a list. What it does not accept is left out.',
  MD: 'Converts each value: null gives null, a list gives a list. DEFAULT takes the place of what it does not accept.',
  F: 'Looks at the first value of each argument.',
  T: 'Looks at the first value; null and the empty list give false.',
  L: 'Takes any value for a list, and gives a list.',
  A: 'Takes any value for a list, and gives one value.',
  '-': '',
}

/** The whole reference as Markdown. */
export function referenceText({ variables, transforms, functions, hops }: Reference): string {
  const titles = [...new Set(functions.map(({ chapter }) => chapter))]
  return [
    '# Data Transformation Language',
    'A program has rules; the rule `default` builds a target of each source entity. A rule is a list of transforms, a transform a list with its name and arguments. An expression is a constant, a path such as `"_S.name"`, or a function call such as `["upper", "_S.name"]`.',
    '## Variables',
    variables.map(({ name, summary }) => `- \`${name}\`: ${summary}`).join('\n'),
    '## Transforms',
    ...transforms.map(entryText),
    ...titles.flatMap((title) => [
      `## ${title}`,
      ...functions.filter(({ chapter }) => chapter === title).map(entryText),
    ]),
    '## Properties of a hops spec',
    hops
      .map(({ name, type, byDefault, summary }) => {
        return `- \`${name}\` (${type}${byDefault === null ? '' : `, default \`${byDefault}\``}): ${summary}`
      })
      .join('\n'),
  ].join('\n\n')
}

/** One function or transform as Markdown. */
export function entryText(entry: FunctionEntry | TransformEntry): string {
  const behaviour = entry.kind === 'function' ? behaviours[entry.behaviour] : ''
  return [
    `### ${entry.name}`,
    entry.signatures.map((signature) => `    ${signature}`).join('\n'),
    `${entry.summary}${behaviour === '' ? '' : `\n${behaviour}`}`,
    ...(entry.kind === 'function' ? entry.examples.map(functionExample) : entry.examples.map(transformExample)),
  ].join('\n\n')
}

function functionExample({ dtl, gives, source, rules, datasets }: Example): string {
  const given = [
    ...(source === undefined ? [] : [`of the source \`${source}\``]),
    ...(rules === undefined ? [] : [`with the rules \`${rules}\``]),
    ...(datasets === undefined ? [] : [`with the datasets \`${datasets}\``]),
  ]
  return `- \`${dtl}\` gives \`${gives}\`${given.length === 0 ? '' : ` ${given.join(' ')}`}`
}

const transformExample = ({ dtl, source, gives }: TransformExample): string =>
  `- \`${dtl}\` makes of \`${source}\` ${gives === 'null' ? 'nothing' : `\`${gives}\``}`
