/** Leaving the entity: hops and single look-ups (dtl.md §9.9, §10). */

import { firstOf } from '../coerce.ts'
import type { FunctionDefinition } from '../syntax.ts'
import { evaluateOf, example, one, some } from './definition.ts'

export const hops: readonly FunctionDefinition[] = [
  {
    name: 'hops',
    behaviour: '-',
    reads: 'datasets',
    parameters: [some('HOPS_SPEC', 'hops-spec')],
    summary: 'Entities of other datasets that join with the source; always a list.',
    examples: [
      example(
        '["hops", {"datasets": ["orders o"], "where": ["eq", "_S._id", "o.customer"], "return": "o.amount"}]',
        '[3]',
        {
          source: '{"_id": "1"}',
          datasets:
            '{"orders": [{"_id": "o1", "customer": "1", "amount": 3}, {"_id": "o2", "customer": "2", "amount": 4}]}',
        },
      ),
    ],
    compile: ([specs]) => evaluateOf(specs),
  },
  {
    name: 'lookup-entity',
    behaviour: 'F',
    reads: 'datasets',
    parameters: [one('DATASET_ID', 'constant-string'), one('ENTITY_ID')],
    summary: 'The latest entity of a dataset with that `_id`, or null; never tracked as a dependency.',
    examples: [
      example('["lookup-entity", "codes", "a"]', '{"_id": "a", "v": 1}', {
        datasets: '{"codes": [{"_id": "a", "v": 1}]}',
      }),
      example('["lookup-entity", "codes", 1]', 'null'),
    ],
    compile: ([dataset, id]) => {
      const from = dataset?.constant as string
      const evaluate = evaluateOf(id)
      return (frame) => {
        const wanted = firstOf(evaluate(frame))
        return typeof wanted === 'string' ? (frame.run.context.lookup.entity(from, wanted) ?? null) : null
      }
    },
  },
]
