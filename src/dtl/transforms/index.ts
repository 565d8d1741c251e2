/** All transforms. */

import type { TransformDefinition } from '../syntax.ts'
import { control } from './control.ts'
import { renaming } from './renaming.ts'
import { writing } from './writing.ts'

export const transforms: ReadonlyMap<string, TransformDefinition> = new Map(
  [...writing, ...renaming, ...control].map((definition) => [definition.name, definition]),
)
