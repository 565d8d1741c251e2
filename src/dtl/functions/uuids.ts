/** UUIDs (dtl.md §9.21). */

import { decodeTransit } from '../../model/transit.ts'
import { UUID, type Value } from '../../model/value.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { evaluateOf, example, mapOver, optional, typeTest } from './definition.ts'

export const uuids: readonly FunctionDefinition[] = [
  typeTest({
    name: 'is-uuid',
    kinds: ['uuid'],
    summary: 'Whether the first value is a UUID.',
    examples: [
      example('["is-uuid", ["uuid"]]', 'true'),
      example('["is-uuid", "abc98f65-ddf5-1234-a8f5-82f6d8e69726"]', 'false'),
    ],
  }),
  {
    name: 'uuid',
    behaviour: 'M',
    reads: 'chance',
    parameters: [optional('VALUES')],
    summary: 'Strings in UUID form as UUIDs; without an argument a new random one.',
    examples: [
      example(
        '["uuid", ["list", "ABC98F65-ddf5-1234-a8f5-82f6d8e69726", 2]]',
        '["~uabc98f65-ddf5-1234-a8f5-82f6d8e69726"]',
      ),
    ],
    compile: ([values]) => {
      if (values === undefined) return (frame) => new UUID(frame.run.context.uuid())
      const evaluate = evaluateOf(values)
      return (frame) => mapOver(evaluate(frame), convert, frame)
    },
  },
]

function convert(value: Value): Value | undefined {
  if (value instanceof UUID) return value
  const decoded = typeof value === 'string' ? decodeTransit(`~u${value}`) : undefined
  return decoded instanceof UUID ? decoded : undefined
}
