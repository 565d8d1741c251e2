/** `samtale explain PIPE`: how a pipe finds what it joins, what is followed back, and where its properties come from. */

import { didYouMean } from '../config/problems.ts'
import type { Origin, Place, PropertyLineage } from '../dtl/contract.ts'
import type { ExplainedBack, ExplainedHops, ExplainedSpec, ExplainedStep } from '../dtl/explain.ts'
import { explainPipe, type PipeExplanation, type TransformExplanation } from '../hub/explain.ts'
import type { Exactness } from '../pipes/exactness/exactness.ts'
import { UsageError } from './arguments.ts'
import { showProblems } from './check.ts'
import type { Command } from './command.ts'
import { withDeployment } from './deployed.ts'
import type { Terminal } from './terminal.ts'

export const explain: Command = async ({ given, environment, terminal }) => {
  const id = given.positionals[0] as string
  const { pipes } = withDeployment(given, environment, (deployment) => deployment)
  const deployed = pipes.get(id)
  if (deployed === undefined) {
    const meant = didYouMean(id, pipes.keys())
    throw new UsageError(`there is no pipe '${id}'.${meant === undefined ? '' : ` ${meant}`}`)
  }
  if (deployed.pipe === null) {
    showProblems(deployed.problems, terminal)
    terminal.note(`samtale: the pipe '${id}' has errors: there is nothing to explain before they are corrected.`)
    return 1
  }
  const explanation = explainPipe(deployed.pipe, deployed.inexact)
  if (given.flag('json')) terminal.line(JSON.stringify(explanation, null, 2))
  else for (const line of linesOf(explanation, terminal)) terminal.line(line)
  return 0
}

function* linesOf(pipe: PipeExplanation, terminal: Terminal): Generator<string> {
  const { source, sink } = pipe
  yield terminal.bold(pipe.pipe)
  const from = source.datasets.length === 0 ? `a source of type '${source.type}'` : names(source.datasets)
  yield `  reads ${from} and writes ${sink.dataset === null ? `a sink of type '${sink.type}'` : `'${sink.dataset}'`}`
  yield pipe.deterministic
    ? '  gives the same whenever it runs, as long as the data are the same'
    : '  does not give the same each time it runs: see below what it depends on'
  if (pipe.reads.length > 0)
    yield `  waits until ${names(pipe.reads)} ${pipe.reads.length === 1 ? 'is' : 'are'} populated`
  for (const { dataset, expression } of pipe.indexes) yield `  needs an index of '${dataset}' on ${expression}`
  for (const [place, transform] of pipe.transforms.entries()) yield* transformLines(transform, place, terminal)
  yield ''
  yield* exactnessLines(pipe.exactness, terminal)
}

function* exactnessLines({ exact, reasons }: Exactness, terminal: Terminal): Generator<string> {
  if (exact) {
    yield terminal.bold('Exact: once all has settled, its dataset holds what a full run into an empty one would give.')
    return
  }
  yield terminal.bold('Not exact: what it holds may depend on what happened on the way.')
  for (const { kind, pointer, message, hint } of reasons) {
    yield `  ${terminal.yellow(kind)} (${pointer}): ${message}${hint === undefined ? '' : ` ${hint}`}`
  }
}

function* transformLines(transform: TransformExplanation, place: number, terminal: Terminal): Generator<string> {
  yield ''
  yield terminal.bold(`Transform ${place + 1} (${transform.pointer})`)
  for (const one of transform.hops) yield* hopsLines(one, transform.obstacle, terminal)
  yield* section(
    'computed once, when the pipe is loaded:',
    transform.folded.map(({ text }) => text),
  )
  yield* section('depends on more than the data:', impurities(transform), terminal.yellow)
  for (const { rule, writes } of transform.lineage) {
    yield* section(
      `properties of the rule '${rule}', and where they come from:`,
      writes.map((one) => propertyText(one, writes)),
    )
  }
}

function* section(title: string, lines: readonly string[], paint = (text: string) => text): Generator<string> {
  if (lines.length === 0) return
  yield `  ${title}`
  for (const line of lines) yield `    ${paint(line)}`
}

function* hopsLines({ rule, pointer, specs }: ExplainedHops, obstacle: string | null, terminal: Terminal) {
  yield `  hops in the rule '${rule}' (${pointer})`
  for (const [place, spec] of specs.entries()) {
    if (specs.length > 1) yield `    spec ${place + 1}${place === 0 ? '' : ', for each result of the one before'}`
    yield* specLines(spec, obstacle, terminal)
  }
}

function* specLines(spec: ExplainedSpec, obstacle: string | null, terminal: Terminal): Generator<string> {
  for (const { text } of spec.before) yield `    first: only where ${text}`
  for (const [place, step] of spec.steps.entries()) yield `    ${place + 1}. ${stepText(step)}`
  for (const line of spec.scans) yield `    ${terminal.yellow('without an index:')} ${line}`
  yield `    gives ${spec.returns} for each row found`
  if (spec.recursion !== null) yield `    ${recursionText(spec.recursion)}`
  if (spec.trace !== null) yield `    reports the most rows found for one entity as "${spec.trace}"`
  if (!spec.tracked) {
    yield '    not tracked: "track-dependencies" is false, so no change of what it joins is followed back'
    return
  }
  if (obstacle !== null) {
    yield `    ${terminal.yellow('not tracked')} ${obstacle}`
    return
  }
  for (const back of spec.back) yield `    ${backText(back, terminal)}`
}

function stepText({ alias, dataset, lookups, after }: ExplainedStep): string {
  const ways = lookups.map(({ key, index }) => `${key} in the index on ${index.expression}`)
  const when = after.length === 0 ? 'once for each source' : `for each ${names(after)}`
  return `'${alias}' of dataset '${dataset}': looks up ${ways.join(', or ')}, ${when}`
}

function recursionText({ maxDepth, excludesRoot }: NonNullable<ExplainedSpec['recursion']>): string {
  const depth = maxDepth === null ? 'until nothing new is found' : `at most ${maxDepth} levels deep`
  return `goes on from what it found, ${depth}; ${excludesRoot ? 'without' : 'with'} the entity it started from`
}

function backText({ alias, dataset, chain, obstacle }: ExplainedBack, terminal: Terminal): string {
  if (obstacle !== null) return `${terminal.yellow('not tracked')} '${alias}': ${obstacle}`
  const steps = chain.map(({ dataset, lookups }) => {
    const ways = lookups.map(({ key, index }) => `its ${key} in an index on ${index}`)
    return `${dataset === null ? 'the source' : `'${dataset}'`} by ${ways.join(', or ')}`
  })
  return `a change of '${dataset}' can be followed back to ${steps.join(', from there to ')}`
}

function impurities({ purity }: TransformExplanation): string[] {
  const say = (places: readonly Place[], text: (what: string) => string) =>
    places.map(({ what, pointer }) => `${text(what)} (${pointer})`)
  return [
    ...say(purity.time, (what) => `the time: '${what}'`),
    ...say(purity.chance, (what) => `chance: '${what}'`),
    ...say(purity.history, (what) => `history: '${what}'`),
    ...say(purity.internal, (what) => `a field that the hub keeps: '${what}'`),
    ...say(purity.lookups, (what) => `the dataset '${what}', of which no change is followed`),
  ]
}

function propertyText(one: PropertyLineage, all: readonly PropertyLineage[]): string {
  const { property, effect, isConditional, except, from, by, pointer } = one
  const name = property ?? '(a name that is computed)'
  if (effect === 'remove') return `${name} is removed`
  const but = except.length === 0 ? '' : ` but ${except.join(', ')}`
  const isParent = all.some((other) => other.pointer === pointer && other.property?.startsWith(`${property}.`))
  const none = isParent ? 'its properties, which follow' : 'no property'
  const origins = from.length === 0 ? none : from.map(originText).join(', ')
  return `${name}${but} <- ${origins} (${by}${isConditional ? ', sometimes' : ''})`
}

function originText({ from, dataset, path }: Origin): string {
  const start = from === 'source' ? '_S' : from === 'request' ? '_B' : `${dataset}:`
  return from === 'dataset' ? `${start} ${path === '' ? 'the entity' : path}` : `${start}.${path}`
}

const names = (list: readonly string[]): string => list.map((one) => `'${one}'`).join(', ')
