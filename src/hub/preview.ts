/** Previews: one entity through a pipe as it is, or as somebody would like it to be. Nothing is written, and no system is asked for what changes anything there. */

import type { Problem } from '../config/problems.ts'
import type { DtlError } from '../dtl/errors.ts'
import type { LogReader } from '../log/reader.ts'
import { get, remove } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { parseJson, writeJson } from '../model/json.ts'
import { masked, maskedValue } from '../model/masked.ts'
import { isDict } from '../model/value.ts'
import { FoundBefore } from '../pipes/lookup.ts'
import type { Pipe } from '../pipes/pipe.ts'
import { ReadPosition } from '../pipes/position.ts'
import { type Preview, preview, type TransformTrace } from '../pipes/preview.ts'
import { runContext } from '../pipes/run-context.ts'
import { scanLookup } from '../pipes/scan-lookup.ts'
import { noSecrets, type Secrets } from '../pipes/secrets.ts'
import type { SystemPort } from '../pipes/systems/contract.ts'
import type { Turn } from '../pipes/turn.ts'
import type { PreviewQuery } from './contract.ts'
import { type Deployment, deployAlone } from './deployment.ts'
import { HubError } from './errors.ts'

/**
 * The answer of rest-api.md §4.4 as JSON text. The pipe is compiled anew, so that not even what its programs remember
 * (namespaces they made up) changes.
 */
export async function previewAnswer(
  log: LogReader,
  deployment: Deployment,
  { pipe: id, config, source }: PreviewQuery,
  signal: AbortSignal,
  {
    turn,
    system,
    secrets = noSecrets,
  }: { readonly turn?: Turn; readonly system?: (id: string) => SystemPort; readonly secrets?: Secrets } = {},
): Promise<string> {
  const { pipe, problems } = deployAlone(deployment, id, config)
  const { entity, isTraced } = sourceOf(source)
  const [errors, warnings] = (['error', 'warning'] as const).map((level) =>
    problems.filter((one) => one.level === level),
  )
  if (pipe === null)
    return answer({ result: [], errors: errors as Problem[], warnings: warnings as Problem[], trace: [] })
  const position = new ReadPosition(log.snapshot())
  try {
    const context = {
      ...runContext(pipe, position, { found: new FoundBefore(), now: Date.now, secrets }),
      lookup: await scanLookup(
        position,
        pipe.transforms.flatMap(({ analysis }) => analysis.indexes),
        signal,
      ),
      ...(turn === undefined ? {} : { room: (more: number) => turn.room(more) }),
    }
    const { result, error, trace } = await preview(pipe, entity, context, {
      isTraced,
      signal,
      ...(turn === undefined ? {} : { turn }),
      ...(system === undefined ? {} : { system }),
    })
    const { mask } = secrets
    return answer({
      result: result.map((one) => writeJson(maskedValue(one, mask))),
      errors: error === null ? [] : [masked(runTimeError(pipe, error), mask)],
      warnings: warnings as Problem[],
      trace: (trace ?? []).map((one) => traceText(one, mask)),
    })
  } finally {
    position.close()
  }
}

/** `_trace` asks for a trace and is not a part of the entity. */
function sourceOf(text: string): { readonly entity: Entity; readonly isTraced: boolean } {
  const entity = parseJson(text)
  if (!isDict(entity)) {
    throw new HubError('bad-entity', 'A preview is made of one entity: `source` must be a JSON object.', {
      hint: 'Take one from /api/pipes/<id>/entities?stage=source&limit=1.',
    })
  }
  const isTraced = get(entity, '_trace') === true
  remove(entity, '_trace')
  return { entity: entity as Entity, isTraced }
}

function runTimeError(pipe: Pipe, { error, pointer }: NonNullable<Preview['error']>): object {
  const { code, message, hint, entity, values } = error as Partial<DtlError>
  return { level: 'error', component: pipe.id, pointer, code, message, hint, entity, values }
}

function traceText({ pointer, input, told }: TransformTrace, mask: (text: string) => string): string {
  const { result, error, steps, isCut } = told
  const shown = (entity: Entity) => writeJson(maskedValue(entity, mask))
  const output = result.map(shown).join(',')
  const rest = JSON.stringify(masked({ failed: error !== null, 'is-cut': isCut, steps }, mask)).slice(1)
  return `{"pointer":${JSON.stringify(pointer)},"input":${shown(input)},"output":[${output}],${rest}`
}

interface Parts {
  /** JSON texts. */
  readonly result: readonly string[]
  readonly errors: readonly object[]
  readonly warnings: readonly object[]
  /** JSON texts. */
  readonly trace: readonly string[]
}

const answer = ({ result, errors, warnings, trace }: Parts): string =>
  `{"result":[${result.join(',')}],"errors":${JSON.stringify(errors)},"warnings":${JSON.stringify(warnings)},"trace":[${trace.join(',')}]}`
