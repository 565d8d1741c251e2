/** Nodes → closures: what a program does for an entity, with all that can be decided decided (design: compile once). */

import type { Value } from '../model/value.ts'
import { located } from './errors.ts'
import { frameOf } from './frame.ts'
import { compilePath } from './read.ts'
import { readsOf } from './reads.ts'
import { isSecret } from './secret.ts'
import type { Argument, ArgumentNode, BlockNode, CallNode, Evaluate, Step, Tools, TransformNode } from './syntax.ts'
import { GO_ON } from './syntax.ts'
import { tracedCall, tracedTransform } from './trace.ts'

export function compileArgument(node: ArgumentNode, tools: Tools): Argument {
  switch (node.kind) {
    case 'constant': {
      const { value } = node
      return { node, evaluate: () => value, constant: value, run: nothing }
    }
    case 'path':
      return { node, evaluate: compilePath(node, tools.settings), constant: undefined, run: nothing }
    case 'call':
      return compileCall(node, tools)
    case 'block':
      return { node, evaluate: nowhere, constant: undefined, run: compileBlock(node, tools) }
    case 'hops':
      return { node, evaluate: tools.hops(node), constant: undefined, run: nothing }
    case 'rule':
      return { node, evaluate: nowhere, constant: undefined, run: nothing }
  }
}

/** A list of transforms, run in order until one ends the entity. */
export function compileBlock({ transforms }: BlockNode, tools: Tools): Step {
  const steps = transforms.map((transform) => compileTransform(transform, tools))
  return (frame) => {
    let place = 0
    try {
      for (; place < steps.length; place++) {
        const outcome = (steps[place] as Step)(frame)
        if (outcome !== GO_ON) return outcome
      }
      return GO_ON
    } catch (thrown) {
      throw located(thrown, (transforms[place] as TransformNode).pointer)
    }
  }
}

function compileTransform(node: TransformNode, tools: Tools): Step {
  const args = node.arguments.map((argument) => (argument === undefined ? undefined : compileArgument(argument, tools)))
  return tools.isTraced === true ? tracedTransform(node, args, tools) : node.definition.compile(args, tools)
}

function compileCall(node: CallNode, tools: Tools): Argument {
  const args = node.arguments.map((argument) => (argument === undefined ? undefined : compileArgument(argument, tools)))
  // Nobody is told what a secret is.
  if (tools.isTraced === true && !isSecret(node))
    return { node, evaluate: tracedCall(node, args, tools), constant: undefined, run: nothing }
  const evaluate = node.definition.compile(args, tools)
  const constant = isFoldable(node, args) ? folded(evaluate) : undefined
  return constant === undefined
    ? { node, evaluate, constant: undefined, run: nothing }
    : { node, evaluate: () => constant, constant, run: nothing }
}

/** A call that gives the same for every entity: it reads nothing, and its arguments are constant. */
function isFoldable(node: CallNode, compiled: readonly (Argument | undefined)[]): boolean {
  if (readsOf(node) !== undefined || node.parameters.some((parameter) => parameter?.kind === 'rule-id')) return false
  // What `ni` makes of a URI that no prefix covers depends on the program's past.
  if (node.definition.name === 'ni') return false
  return compiled.every((argument) => argument === undefined || argument.constant !== undefined)
}

/** Work that is done while a program is compiled; a call that takes more is left for the entities. */
const MAX_FOLDING = 100_000

/** Undefined: it fails, which is for the entity to say. */
function folded(evaluate: Evaluate): Value | undefined {
  try {
    return evaluate(frameOf(null, MAX_FOLDING))
  } catch {
    return undefined
  }
}

const nothing: Step = () => GO_ON

const nowhere: Evaluate = () => {
  throw new TypeError('This argument has no value.')
}
