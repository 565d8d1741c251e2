/** What a component type finds wrong in its own configuration, beyond what its schema can say. */

import { PipeError } from './errors.ts'

export interface Finding {
  readonly level: 'error' | 'warning'
  /** JSON pointer below the component's own object. */
  readonly pointer: string
  readonly message: string
  readonly hint?: string
}

export const errorAt = (pointer: string, message: string, hint?: string): Finding => ({
  level: 'error',
  pointer,
  message,
  ...(hint === undefined ? {} : { hint }),
})

export const warningAt = (pointer: string, message: string, hint?: string): Finding => ({
  ...errorAt(pointer, message, hint),
  level: 'warning',
})

/** For whoever opens a component all the same: throws `bad-config` with the first error. */
export function refuseErrors(component: string, findings: readonly Finding[]): void {
  const error = findings.find(({ level }) => level === 'error')
  if (error === undefined) return
  throw new PipeError('bad-config', `${component}: ${error.message}`, {
    details: { pointer: error.pointer },
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}
