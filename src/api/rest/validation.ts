/** What an upload of components is answered, taken or refused: problems by component, each with what was posted (rest-api.md §2.5). */

import { elementsOf, type Problem } from '../../config/problems.ts'
import type { Uploaded } from '../../hub/contract-configuration.ts'
import { type Answer, jsonText } from '../answer.ts'
import { problemOf } from '../problem.ts'

/** Refusals that clients are told in the shape of rest-api.md §3.4. */
const REFUSALS: ReadonlySet<unknown> = new Set(['config-rejected', 'config-breaker-tripped'])

/** `more`: what else the answer says when it was taken. */
export async function answerUpload(upload: () => Promise<Uploaded>, more: object = {}, status = 200): Promise<Answer> {
  try {
    const uploaded = await upload()
    const rest = JSON.stringify(more).slice(1)
    return jsonText(`{"validation_errors":${validationErrors(uploaded)}${rest === '}' ? rest : `,${rest}`}`, { status })
  } catch (error) {
    return refusalOf(error)
  }
}

/** The answer to a refused configuration; any other error is thrown again. */
export function refusalOf(error: unknown): Answer {
  if (!REFUSALS.has((error as { code?: unknown }).code)) throw error
  const problem = problemOf(error)
  const rest = JSON.stringify(problem.body).slice(1)
  return jsonText(`{"validation_errors":${validationErrors(error as Uploaded)},${rest}`, { status: problem.status })
}

function validationErrors({ problems, posted }: Uploaded): string {
  const byComponent = new Map<string, Problem[]>()
  for (const problem of problems) {
    const others = byComponent.get(problem.component)
    if (others === undefined) byComponent.set(problem.component, [problem])
    else others.push(problem)
  }
  const texts = [...byComponent].map(([id, all]) => {
    const errors = all.map(({ level, message, hint, pointer }) => ({
      level,
      msg: hint === undefined ? message : `${message} ${hint}`,
      elements: elementsOf(pointer),
    }))
    const config = posted.get(id) ?? JSON.stringify({ _id: id })
    return `{"posted-config":${config},"config-errors":${JSON.stringify(errors)}}`
  })
  return `[${texts.join(',')}]`
}
