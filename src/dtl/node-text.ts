/** Expressions as people wrote them, for explanations. */

import { writeJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'
import { isList } from '../model/value.ts'
import { joinPath } from './path.ts'
import { isSecret, secretText } from './secret.ts'
import type { ArgumentNode, PathNode, ReturnNode, TemplateNode } from './syntax.ts'

/** Shown of one expression, at most. */
const LENGTH = 300

export function nodeText(node: ArgumentNode | TemplateNode): string {
  const written = writtenOf(node)
  const text = typeof written === 'string' ? written : writeJson(written)
  return text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text
}

export const returnText = (returns: ReturnNode): string =>
  returns.kind === 'aliases' ? returns.aliases.map(({ alias }) => alias).join(',') : nodeText(returns.value)

/** `_S.a.b`; a variable alone keeps its dot. */
export function pathText({ variable, elements }: PathNode): string {
  const name = variable.name === 'alias' ? variable.alias : variable.name
  return elements.length === 0 ? `${name}.` : joinPath(name, elements)
}

function writtenOf(node: ArgumentNode | TemplateNode | undefined): Value {
  switch (node?.kind) {
    case 'constant':
      return isList(node.value) ? ['literal', node.value] : node.value
    case 'path':
      return pathText(node)
    case 'call':
      if (isSecret(node)) return secretText(node)
      return [node.definition.name, ...node.arguments.flatMap((one) => (one === undefined ? [] : [writtenOf(one)]))]
    case 'rule':
      return node.rule
    case 'hops':
      return `${node.specs.flatMap(({ aliases }) => aliases.map(({ dataset }) => dataset)).join(', ')} …`
    case 'template':
      return ['dict', ...node.properties.flatMap(([name, value]) => [name, writtenOf(value)])]
    default:
      return '…'
  }
}
