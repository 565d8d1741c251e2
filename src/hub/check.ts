/** Checks a configuration without running anything: everything that is wrong with it, at once. */

import type { Problem } from '../config/problems.ts'
import { type Exactness, exactnessOf } from '../pipes/exactness/exactness.ts'
import { deploy } from './deployment.ts'

/** The text of one file of a configuration folder. */
export interface ConfigurationFile {
  readonly name: string
  readonly text: string
}

export interface Checked {
  readonly problems: readonly Problem[]
  /** Of each pipe without errors, by its id. */
  readonly exactness: Readonly<Record<string, Exactness>>
}

export function checkConfiguration(files: readonly ConfigurationFile[], env = '{}'): Checked {
  const { problems, pipes } = deploy(files, env, null)
  const sound = [...pipes].filter(([, { pipe }]) => pipe !== null)
  return { problems, exactness: Object.fromEntries(sound.map(([id, { inexact }]) => [id, exactnessOf(inexact)])) }
}
