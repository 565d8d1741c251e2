/** Booleans (dtl.md §9.2). */

import type { FunctionDefinition } from '../syntax.ts'
import { casting, example, typeTest } from './definition.ts'

export const booleans: readonly FunctionDefinition[] = [
  casting({
    name: 'boolean',
    summary: 'Booleans, and the strings `true` and `false` in any letter case, as booleans.',
    examples: [
      example('["boolean", ["list", "True", false, 1]]', '[true, false]'),
      example('["boolean", "n/a", "yes"]', '"n/a"'),
    ],
    convert: (value) => {
      if (typeof value === 'boolean') return value
      if (typeof value !== 'string' || value.length > 5) return undefined
      const text = value.toLowerCase()
      return text === 'true' ? true : text === 'false' ? false : undefined
    },
  }),
  typeTest({
    name: 'is-boolean',
    kinds: ['boolean'],
    summary: 'Whether the first value is a boolean.',
    examples: [example('["is-boolean", ["list", false, 1]]', 'true'), example('["is-boolean", "true"]', 'false')],
  }),
]
