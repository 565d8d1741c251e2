/** What of a configuration the graph should hold, in which order, and where it comes from. */

import type { GraphSettings, ProjectedDataset } from '../graph/contract.ts'
import type { Deployment } from './deployment.ts'

/** All datasets that pipes write, global ones first, so that these are left out last when the budget is short (design: the graph). */
export function projectionOf({ pipes, node }: Deployment, base: string, budget: number): GraphSettings {
  const datasets: ProjectedDataset[] = []
  for (const { pipe } of pipes.values()) {
    if (pipe?.sink.kind !== 'dataset') continue
    datasets.push({
      id: pipe.sink.dataset,
      global: pipe.isGlobal,
      pipe: pipe.id,
      derivedFrom: [...new Set([...pipe.source.inputs, ...pipe.reads])],
    })
  }
  datasets.sort((a, b) => Number(b.global) - Number(a.global))
  return { base, namespaces: node.prefixes, properties: {}, datasets, budget }
}
