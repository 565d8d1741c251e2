/** Components of a configuration as they are deployed, and small questions that all ask of them. */

import type { Component } from '../config/files.ts'
import type { Problem } from '../config/problems.ts'
import { type Dict, get, newDict } from '../model/dict.ts'
import { isDict } from '../model/value.ts'
import type { Inexact } from '../pipes/exactness/reason.ts'
import type { Pipe } from '../pipes/pipe.ts'

export interface DeployedComponent {
  readonly component: Component
  readonly effective: Dict
  readonly problems: readonly Problem[]
}

export interface DeployedPipe extends DeployedComponent {
  /** Null when its configuration has errors: it is kept and shown, and does not run. */
  readonly pipe: Pipe | null
  /** Why it is not exact, as far as the configuration says; none for an exact one, and for one with errors. */
  readonly inexact: readonly Inexact[]
}

export const hasErrors = (problems: readonly Problem[]): boolean => problems.some(({ level }) => level === 'error')

/** Everything that is wrong with what a file holds names the file. */
export const located = (problems: readonly Problem[], { file }: Component): readonly Problem[] =>
  file === undefined ? problems : problems.map((problem) => ({ ...problem, file }))

/** What is no object is taken for an empty one: the check of its schema has said so. */
export function part(dict: Dict, name: string): Dict {
  const value = get(dict, name)
  return isDict(value) ? value : newDict()
}
