/** What is wrong with a configuration in the shape that clients are told it in (rest-api.md §2.5, §3.4). */

import type { Problem } from '../../config/problems.ts'
import { get } from '../../model/dict.ts'
import { writeJson } from '../../model/json.ts'
import { isDict, type Value } from '../../model/value.ts'
import { type Answer, jsonText } from '../answer.ts'
import { problemOf } from '../problem.ts'

/** Refusals that clients are told in this shape. */
const REFUSALS: ReadonlySet<unknown> = new Set(['config-rejected', 'config-breaker-tripped'])

/** The answer to a refused configuration; any other error is thrown again. */
export function refusalOf(error: unknown, components: readonly Value[]): Answer {
  if (!REFUSALS.has((error as { code?: unknown }).code)) throw error
  const problem = problemOf(error)
  const { problems } = error as { problems?: readonly Problem[] }
  const rest = JSON.stringify(problem.body).slice(1)
  return jsonText(`{"validation_errors":${rejections(problems ?? [], components)},${rest}`, { status: problem.status })
}

/** Problems by component, each with the component as it was posted, as JSON text. */
export function rejections(problems: readonly Problem[], components: readonly Value[]): string {
  const ids = [...new Set(problems.map(({ component }) => component))]
  const texts = ids.map((id) => {
    const posted = components.find((component) => isDict(component) && get(component, '_id') === id)
    const errors = problems
      .filter(({ component }) => component === id)
      .map(({ level, message, hint, pointer }) => ({
        level,
        msg: hint === undefined ? message : `${message} ${hint}`,
        elements: elementsOf(pointer),
      }))
    const config = posted === undefined ? JSON.stringify({ _id: id }) : writeJson(posted, { transit: false })
    return `{"posted-config":${config},"config-errors":${JSON.stringify(errors)}}`
  })
  return `[${texts.join(',')}]`
}

/** `/source/type` as older clients write a path: `$['source']['type']`. */
function elementsOf(pointer: string): string {
  const steps = pointer.split('/').slice(1)
  const names = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return `$${names.map((name) => (/^\d+$/.test(name) ? `[${name}]` : `['${name.replaceAll("'", "\\'")}']`)).join('')}`
}
