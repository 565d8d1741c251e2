/** The order in which pipes run when all are to run once. */

import type { Pipe } from '../pipes/pipe.ts'

/**
 * Pipes by level: each stands above those that write what it reads; those of one level need not wait for one another. In a
 * circle of pipes any order is as good as another.
 */
export function levelsOf(pipes: readonly Pipe[]): Pipe[][] {
  const writers = new Map(
    pipes.flatMap((pipe) => (pipe.sink.kind === 'dataset' ? [[pipe.sink.dataset, pipe] as const] : [])),
  )
  const levels = new Map<Pipe, number>()
  const above = new Set<Pipe>()
  const levelOf = (pipe: Pipe): number => {
    const known = levels.get(pipe)
    if (known !== undefined) return known
    if (above.has(pipe)) return 0
    above.add(pipe)
    const inputs = [...pipe.source.inputs, ...pipe.reads].flatMap((dataset) => writers.get(dataset) ?? [])
    const level = Math.max(-1, ...inputs.filter((one) => one !== pipe).map(levelOf)) + 1
    above.delete(pipe)
    levels.set(pipe, level)
    return level
  }
  const ordered: Pipe[][] = []
  for (const pipe of pipes) {
    const level = levelOf(pipe)
    while (ordered.length <= level) ordered.push([])
    ordered[level]?.push(pipe)
  }
  return ordered
}
