/** A program as the compiler sees it: nodes, and the definitions of functions and transforms that the nodes name. */

import type { Value } from '../model/value.ts'
import type { DtlSettings } from './contract.ts'
import type { Frame } from './frame.ts'

/** A compiled expression. */
export type Evaluate = (frame: Frame) => Value

/** A compiled transform. */
export type Step = (frame: Frame) => Outcome

export const GO_ON = 0
export const FILTERED = 1
export const DISCARDED = 2
/** Whether the rule goes on after a transform, or ends its entity. Numbers, because every transform answers one. */
export type Outcome = typeof GO_ON | typeof FILTERED | typeof DISCARDED

interface Placed {
  /** JSON pointer below the transform object. */
  readonly pointer: string
}

export type Node = ConstantNode | PathNode | CallNode

export interface ConstantNode extends Placed {
  readonly kind: 'constant'
  readonly value: Value
}

export interface PathNode extends Placed {
  readonly kind: 'path'
  readonly variable: Variable
  /** As written, quotes taken off; namespaces are not resolved yet. */
  readonly elements: readonly string[]
}

export type Variable = { readonly name: '_S' | '_T' | '_P' | '_R' | '_B' | '_' } | AliasVariable

/** A dataset alias of a hops; its entity lies in a slot of the frame. */
export interface AliasVariable {
  readonly name: 'alias'
  readonly alias: string
  readonly dataset: string
  readonly slot: number
}

export interface CallNode extends Placed {
  readonly kind: 'call'
  readonly definition: FunctionDefinition
  /** One for each parameter, undefined where an optional one is absent; as given where parameters repeat. */
  readonly arguments: readonly (ArgumentNode | undefined)[]
  /** The parameter of each argument. */
  readonly parameters: readonly Parameter[]
}

export type ArgumentNode = Node | HopsNode | RuleNameNode | BlockNode

export interface RuleNameNode extends Placed {
  readonly kind: 'rule'
  readonly rule: string
}

export interface BlockNode extends Placed {
  readonly kind: 'block'
  readonly transforms: readonly TransformNode[]
}

export interface TransformNode extends Placed {
  readonly kind: 'transform'
  readonly definition: TransformDefinition
  readonly arguments: readonly (ArgumentNode | undefined)[]
}

/** The specs of one `hops` or `apply-hops` (dtl.md §10). */
export interface HopsNode extends Placed {
  readonly kind: 'hops'
  readonly specs: readonly SpecNode[]
}

export interface SpecNode extends Placed {
  readonly aliases: readonly AliasVariable[]
  readonly where: readonly Node[]
  readonly returns: ReturnNode
  readonly recurse: boolean
  readonly excludesRoot: boolean
  /** Null: no limit. */
  readonly maxDepth: number | null
  readonly tracked: boolean
  /** Reports how many rows it found, under this name. */
  readonly trace: string | null
  readonly subsets: readonly SubsetNode[]
}

/** A dataset narrowed to the entities whose expression has the value among its values (dtl.md §13). */
export interface SubsetNode extends Placed {
  readonly alias: AliasVariable
  /** Over the alias, whatever the text calls it. */
  readonly expression: Node
  readonly value: Value
}

export type ReturnNode =
  | { readonly kind: 'aliases'; readonly aliases: readonly AliasVariable[] }
  | { readonly kind: 'value'; readonly value: Node | TemplateNode }

/** A dict whose values are evaluated for each row (dtl.md §10.5). */
export interface TemplateNode extends Placed {
  readonly kind: 'template'
  readonly properties: readonly (readonly [name: string, value: Node | TemplateNode])[]
}

export interface RuleNode extends Placed {
  readonly id: string
  readonly block: BlockNode
  /** Aliases of all its hops. */
  readonly slots: number
}

export interface ProgramNode {
  readonly rules: ReadonlyMap<string, RuleNode>
  readonly idRequired: boolean
  readonly trigger: { readonly path: PathNode; readonly value: Value } | null
}

/** What an argument is, and so how it is read (dtl.md §3.4). */
export type ParameterKind =
  | 'value-expression'
  | 'boolean-expression'
  | 'integer-expression'
  | 'numeric-expression'
  | 'character-expression'
  /** An expression of which the first value counts, and must be a string. */
  | 'string'
  /** Evaluated for each value, with `_` bound to it. */
  | 'function-expression'
  | 'default-value-expression'
  /** The others are not evaluated. */
  | 'constant-string'
  | 'constant-integer'
  | 'constant string or dict'
  | 'wildcard-string-list'
  | 'rule-id'
  | 'hops-spec'
  | 'any'
  | 'transforms'

/** How often a parameter may be given; `+` marks members of a group that repeats, such as VALUE, THEN of `case`. */
export type Cardinality = '1' | '0|1' | '>=0' | '>=1' | '+'

export interface Parameter {
  readonly name: string
  readonly kind: ParameterKind
  readonly count: Cardinality
  /** A key or a password: it may be `$SECRET(name)`. */
  readonly takesSecret?: boolean
}

/** How a function treats null, one value and lists (dtl.md §6.2); `-` is a way of its own. */
export type Behaviour = 'M' | 'MD' | 'F' | 'T' | 'L' | 'A' | '-'

/** An expression and what it gives, as JSON; examples are run by the tests and shown by the reference. */
export interface Example {
  readonly dtl: string
  readonly gives: string
  readonly source?: string
  readonly rules?: string
  readonly datasets?: string
}

interface Definition {
  readonly name: string
  readonly parameters: readonly Parameter[]
  /** Other lists of parameters it takes, told apart by the number of arguments. */
  readonly otherForms?: readonly (readonly Parameter[])[]
  readonly summary: string
  /** What the arguments say is wrong before anything runs. */
  readonly check?: (args: readonly (ArgumentNode | undefined)[], report: Report) => void
}

export interface FunctionDefinition extends Definition {
  readonly behaviour: Behaviour
  readonly examples: readonly Example[]
  /** Reads other datasets, the clock, chance, former versions or a secret: it cannot be folded, nor be part of an index. */
  readonly reads?: 'datasets' | 'time' | 'chance' | 'versions' | 'openpgp' | 'secret'
  /** What to use instead. */
  readonly deprecated?: string
  readonly compile: (args: readonly (Argument | undefined)[], tools: Tools) => Evaluate
}

export interface TransformDefinition extends Definition {
  readonly examples: readonly TransformExample[]
  readonly compile: (args: readonly (Argument | undefined)[], tools: Tools) => Step
}

/** Transforms, a source, and the target they build of it; null: no target is emitted. */
export interface TransformExample {
  readonly dtl: string
  readonly source: string
  readonly gives: string
}

export type Report = (place: ArgumentNode, message: string, hint: string) => void

/** An argument, compiled. */
export interface Argument {
  readonly node: ArgumentNode
  readonly evaluate: Evaluate
  /** Its value when that is the same for every entity. */
  readonly constant: Value | undefined
  /** Of a `transforms` argument. */
  readonly run: Step
}

/** A rule that others apply: gives the finished target, or undefined when the value was filtered or discarded. */
export type ApplyRule = (value: Value, caller: Frame) => Value | undefined

/** What definitions may ask for while they compile. */
export interface Tools {
  readonly settings: DtlSettings
  readonly idRequired: boolean
  /** Every step is to be told to the tracer of its run. */
  readonly isTraced?: boolean
  readonly rule: (id: string) => ApplyRule
  readonly hops: (node: HopsNode) => (frame: Frame) => Value[]
  /** The namespace of a URI that no prefix covers, made up once, then remembered (dtl.md §9.14); null: there is none. */
  readonly namespaceFor: (prefix: string) => string | null
}
