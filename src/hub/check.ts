/** Checks a configuration without running anything: everything that is wrong with it, at once. */

import type { Problem } from '../config/problems.ts'
import { deploy } from './deployment.ts'

/** The text of one file of a configuration folder. */
export interface ConfigurationFile {
  readonly name: string
  readonly text: string
}

export const checkConfiguration = (files: readonly ConfigurationFile[], env = '{}'): readonly Problem[] =>
  deploy(files, env, null).problems
