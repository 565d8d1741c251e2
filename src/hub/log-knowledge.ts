/** What the hub knows of a log and the log itself does not: how index keys are computed, and which offsets are sequences. */

import { elementTexts } from '../config/elements.ts'
import { INDEX_FINGERPRINT } from '../dtl/compile.ts'
import type { Snapshot } from '../log/contract.ts'
import type { Position } from '../log/verify/verify.ts'
import type { Entity } from '../model/entity.ts'
import { IndexCompiler } from '../pipes/dataset-writer.ts'
import { sourceOffset } from '../pipes/full-run.ts'
import { deploy } from './deployment.ts'

/** Where the configuration of a tenant and its variables stand in `meta`. */
export const CONFIG = 'config'
export const ENV = 'env'

/** Keys of an entity in an index; null for an expression that does not compile. */
export function indexKeys(): (expression: string, fingerprint: string, entity: Entity) => readonly Uint8Array[] | null {
  const compiler = new IndexCompiler()
  const broken = new Set<string>()
  return (expression, fingerprint, entity) => {
    // Another version computed its keys otherwise: it is rebuilt when somebody needs it.
    if (fingerprint !== INDEX_FINGERPRINT || broken.has(expression)) return null
    try {
      return compiler.keysOf(expression, entity)
    } catch {
      broken.add(expression)
      return null
    }
  }
}

/** Positions of the pipes that read datasets, of those whose offset is one sequence for each input. */
export function readingPositions(snapshot: Snapshot): readonly Position[] {
  const config = snapshot.meta(CONFIG)
  if (config === undefined) return []
  const { pipes } = deploy(elementTexts(config), snapshot.meta(ENV) ?? '{}', null)
  return [...pipes.values()].flatMap(({ pipe }) => {
    if (pipe === null) return []
    const { inputs } = pipe.source
    const offset = sourceOffset(pipe.id)
    const parts = snapshot.offset(offset)?.split(',') ?? []
    if (parts.length !== inputs.length) return []
    return inputs.flatMap((dataset, i) =>
      /^\d+$/.test(parts[i] as string) ? [{ offset, dataset, sequence: Number(parts[i]) }] : [],
    )
  })
}
