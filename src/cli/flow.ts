/** `samtale flow`: what feeds what, read downstream, with what waits and what goes round in circles. */

import { type FlowDataset, type FlowMap, type FlowPipe, flowOf } from '../hub/flow/flow.ts'
import { LagMeter } from '../hub/flow/lag.ts'
import type { FlowEdge } from '../hub/flow/network.ts'
import type { Command } from './command.ts'
import { withDeployment } from './deployed.ts'
import type { Terminal } from './terminal.ts'

export const flow: Command = async ({ given, environment, terminal }) => {
  const map = withDeployment(given, environment, (deployment, snapshot) =>
    flowOf(deployment, snapshot, new LagMeter(), Date.now()),
  )
  if (given.flag('json')) terminal.line(JSON.stringify(map, null, 2))
  else for (const line of new Drawing(map, terminal).lines()) terminal.line(line)
  return 0
}

/** A tree from each beginning; what was drawn before is only named again. */
class Drawing {
  readonly #map: FlowMap
  readonly #terminal: Terminal
  readonly #pipes: ReadonlyMap<string, FlowPipe>
  readonly #datasets: ReadonlyMap<string, FlowDataset>
  readonly #from = new Map<string, readonly FlowEdge[]>()
  readonly #drawn = new Set<string>()

  constructor(map: FlowMap, terminal: Terminal) {
    this.#map = map
    this.#terminal = terminal
    this.#pipes = new Map(map.pipes.map((pipe) => [`pipe:${pipe.id}`, pipe]))
    this.#datasets = new Map(map.datasets.map((dataset) => [`dataset:${dataset.id}`, dataset]))
    for (const edge of map.edges) this.#from.set(edge.from, [...(this.#from.get(edge.from) ?? []), edge])
  }

  *lines(): Generator<string> {
    const reached = new Set(this.#map.edges.map(({ to }) => to as string))
    const all = [...this.#map.systems.map(({ id }) => `system:${id}`), ...this.#datasets.keys(), ...this.#pipes.keys()]
    // What stands in a circle alone has no beginning: whatever was not reached begins one.
    for (const begins of [(name: string) => !reached.has(name), () => true]) {
      for (const name of all) if (begins(name) && !this.#drawn.has(name)) yield* this.#tree(name, '', '', null)
    }
    for (const circle of this.#map.cycles) {
      yield `${this.#terminal.yellow('in a circle:')} ${[...circle, circle[0]].join(' -> ')}`
    }
    if (this.#map.pipes.length === 0) yield 'There are no pipes.'
  }

  *#tree(name: string, indent: string, branch: string, edge: FlowEdge | null): Generator<string> {
    const isAgain = this.#drawn.has(name)
    this.#drawn.add(name)
    const further = this.#from.get(name) ?? []
    yield `${indent}${branch}${this.#named(name, edge)}${isAgain && further.length > 0 ? ' (see above)' : ''}`
    if (isAgain) return
    const below = indent + (branch === '' ? '' : branch === LAST ? '   ' : '|  ')
    for (const [place, next] of further.entries()) {
      yield* this.#tree(next.to, below, place === further.length - 1 ? LAST : MORE, next)
    }
  }

  #named(name: string, edge: FlowEdge | null): string {
    const [kind] = name.split(':', 1) as [string]
    const id = name.slice(kind.length + 1)
    const pipe = this.#pipes.get(name)
    const notes = pipe === undefined ? datasetNotes(this.#datasets.get(name)) : this.#pipeNotes(pipe, edge)
    const shown = kind === 'pipe' ? this.#terminal.bold(id) : kind === 'system' ? `system ${id}` : id
    const how = edge === null || edge.as === 'source' || edge.as === 'sink' ? '' : `${edge.as} of `
    return `${how}${shown}${notes.length === 0 ? '' : `  ${notes.join(', ')}`}`
  }

  #pipeNotes(
    { valid, category, queue, waiting_seconds, exact, out_of_sync }: FlowPipe,
    edge: FlowEdge | null,
  ): string[] {
    const { red, yellow } = this.#terminal
    if (!valid) return [red('has errors')]
    const dataset = edge?.from.replace(/^dataset:/, '') ?? ''
    const waits = queue === null ? 0 : (queue.source[dataset] ?? 0) + (queue.hops[dataset] ?? 0)
    return [
      `${category}`,
      ...(waits > 0 ? [yellow(`${waits} waiting`)] : []),
      ...(waits > 0 && waiting_seconds !== null ? [yellow(`for ${Math.round(waiting_seconds)} s`)] : []),
      ...(exact === false && category === 'internal' ? ['not exact'] : []),
      ...(out_of_sync.length > 0 ? [yellow('out of sync')] : []),
    ]
  }
}

const MORE = '+- '
const LAST = '`- '

function datasetNotes(dataset: FlowDataset | undefined): string[] {
  if (dataset === undefined) return []
  const { entities, populated, writer } = dataset
  return [
    ...(entities === null ? [] : [`${entities.toLocaleString('en')} entities`]),
    ...(populated === false ? ['not populated'] : []),
    ...(writer === null ? ['no pipe writes it'] : []),
  ]
}
