/** The questions of the demo, which are files. */

import { readFileSync } from 'node:fs'

export const queryFile = (name: string): string =>
  readFileSync(new URL(`../../../queries/${name}`, import.meta.url), 'utf8')
