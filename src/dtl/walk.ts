/** Going over nodes, for the analyses. */

import type {
  ArgumentNode,
  CallNode,
  HopsNode,
  Node,
  PathNode,
  SpecNode,
  TemplateNode,
  TransformNode,
  Variable,
} from './syntax.ts'

export interface Visitor {
  /** What is within a call or a hops is not visited when this says {@link SKIP}. */
  readonly call?: (node: CallNode) => unknown
  readonly path?: (node: PathNode, isBound: boolean) => void
  readonly transform?: (node: TransformNode) => void
  readonly hops?: (node: HopsNode) => unknown
}

export const SKIP = Symbol('skip')

/** Visits the node and everything below it; `isBound` says that a `_` belongs to a function below the node. */
export function walk(node: ArgumentNode | undefined, visitor: Visitor, isBound = false): void {
  switch (node?.kind) {
    case 'path':
      visitor.path?.(node, isBound)
      return
    case 'call':
      if (visitor.call?.(node) === SKIP) return
      for (let place = 0; place < node.arguments.length; place++) {
        const kind = node.parameters[place]?.kind
        const binds = kind === 'function-expression' || kind === 'default-value-expression'
        walk(node.arguments[place], visitor, isBound || binds)
      }
      return
    case 'block':
      for (const transform of node.transforms) {
        visitor.transform?.(transform)
        for (const argument of transform.arguments) walk(argument, visitor, isBound)
      }
      return
    case 'hops':
      if (visitor.hops?.(node) === SKIP) return
      for (const spec of node.specs) walkSpec(spec, visitor, isBound)
      return
    default:
      return
  }
}

function walkSpec(spec: SpecNode, visitor: Visitor, isBound: boolean): void {
  for (const condition of spec.where) walk(condition, visitor, isBound)
  for (const { expression } of spec.subsets) walk(expression, visitor, isBound)
  if (spec.returns.kind === 'value') walkTemplate(spec.returns.value, visitor, isBound)
}

function walkTemplate(node: Node | TemplateNode, visitor: Visitor, isBound: boolean): void {
  if (node.kind !== 'template') walk(node, visitor, isBound)
  else for (const [, value] of node.properties) walkTemplate(value, visitor, isBound)
}

/** The variables an expression needs from outside, once each. */
export function variablesOf(node: ArgumentNode): readonly Variable[] {
  const found = new Map<string, Variable>()
  const inner = new Set<Variable>()
  walk(node, {
    hops: ({ specs }) => {
      for (const { aliases } of specs) for (const alias of aliases) inner.add(alias)
    },
    path: ({ variable }, isBound) => {
      if (!inner.has(variable) && (variable.name !== '_' || !isBound)) found.set(nameOfVariable(variable), variable)
    },
  })
  return [...found.values()]
}

/** One name for each variable of a rule. */
export const nameOfVariable = (variable: Variable): string =>
  variable.name === 'alias' ? `${variable.alias}#${variable.slot}` : variable.name
