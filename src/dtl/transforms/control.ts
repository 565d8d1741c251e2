/** Transforms that choose, stop, or emit (dtl.md §8.2). */

import { get, set } from '../../model/dict.ts'
import { isEntity } from '../../model/entity.ts'
import { isTrue, type Value } from '../../model/value.ts'
import { listOf } from '../coerce.ts'
import { DtlError } from '../errors.ts'
import { MAX_PAUSE_SECONDS } from '../frame.ts'
import { isEqual } from '../functions/comparisons.ts'
import type { Argument, Evaluate, Outcome, Step, TransformDefinition } from '../syntax.ts'
import { DISCARDED, FILTERED, GO_ON } from '../syntax.ts'
import { distinct } from '../value-set.ts'
import { each, example, one, optional } from './definition.ts'

const nothing: Step = () => GO_ON
const evaluateOf = (argument: Argument | undefined): Evaluate => (argument as Argument).evaluate
const runOf = (argument: Argument | undefined): Step => argument?.run ?? nothing

export const control: readonly TransformDefinition[] = [
  {
    name: 'if',
    parameters: [one('CONDITION', 'boolean-expression'), one('THEN', 'transforms'), optional('ELSE', 'transforms')],
    summary: 'Runs THEN when CONDITION is true, otherwise ELSE.',
    examples: [
      example(
        '[["if", ["gt", "_S.age", 17], ["add", "is", "adult"], [["add", "is", "child"]]]]',
        '{"_id": "1", "age": 9}',
        '{"_id": "1", "is": "child"}',
      ),
    ],
    compile: ([condition, then, otherwise]) => {
      const [test, yes, no] = [evaluateOf(condition), runOf(then), runOf(otherwise)]
      return (frame) => (isTrue(test(frame)) ? yes(frame) : no(frame))
    },
  },
  {
    name: 'case',
    parameters: [each('VALUE', 'boolean-expression'), each('THEN', 'transforms'), optional('ELSE', 'transforms')],
    summary: 'Runs the THEN of the first VALUE that is true, otherwise ELSE.',
    examples: [
      example(
        '[["case", "_S.a", ["add", "x", 1], "_S.b", ["add", "x", 2], ["add", "x", 3]]]',
        '{"_id": "1", "b": 0}',
        '{"_id": "1", "x": 2}',
      ),
    ],
    compile: (args) => {
      const pairs = args.length >> 1
      const tests = args
        .slice(0, pairs * 2)
        .filter((_, place) => place % 2 === 0)
        .map(evaluateOf)
      const thens = args
        .slice(0, pairs * 2)
        .filter((_, place) => place % 2 === 1)
        .map(runOf)
      const otherwise = runOf(args[pairs * 2])
      return (frame) => {
        for (let pair = 0; pair < pairs; pair++) if (isTrue(tests[pair]!(frame))) return thens[pair]!(frame)
        return otherwise(frame)
      }
    },
  },
  {
    name: 'case-eq',
    parameters: [one('VALUE'), each('VALUE_N'), each('THEN', 'transforms'), optional('ELSE', 'transforms')],
    summary: 'Runs the THEN of the first VALUE_N that is equal to VALUE, otherwise ELSE.',
    examples: [
      example(
        '[["case-eq", "_S.c", "NO", ["add", "n", "Norway"], "SE", ["add", "n", "Sweden"]]]',
        '{"_id": "1", "c": "SE"}',
        '{"_id": "1", "n": "Sweden"}',
      ),
    ],
    compile: ([value, ...args]) => {
      const given = evaluateOf(value)
      const pairs = args.length >> 1
      const values = args
        .slice(0, pairs * 2)
        .filter((_, place) => place % 2 === 0)
        .map(evaluateOf)
      const thens = args
        .slice(0, pairs * 2)
        .filter((_, place) => place % 2 === 1)
        .map(runOf)
      const otherwise = runOf(args[pairs * 2])
      return (frame) => {
        const wanted = given(frame)
        for (let pair = 0; pair < pairs; pair++) if (isEqual(wanted, values[pair]!(frame))) return thens[pair]!(frame)
        return otherwise(frame)
      }
    },
  },
  {
    name: 'comment',
    parameters: [{ name: 'COMMENTS', kind: 'any', count: '>=0' }],
    summary: 'Does nothing; what it holds is not looked at.',
    examples: [example('[["comment", ["add", "x", 1]]]', '{"_id": "1"}', '{"_id": "1"}')],
    compile: () => nothing,
  },
  {
    name: 'filter',
    parameters: [optional('UNLESS_CONDITION', 'boolean-expression')],
    summary: 'Filters the entity out unless the condition is true: its sink deletes it.',
    examples: [
      example('[["filter", ["eq", "_S.a", 1]], ["add", "x", 1]]', '{"_id": "1", "a": 1}', '{"_id": "1", "x": 1}'),
      example(
        '[["filter", ["eq", "_S.a", 1]], ["add", "x", 1]]',
        '{"_id": "1", "a": 2}',
        '{"_id": "1", "_filtered": true}',
      ),
    ],
    compile: ([condition]) => unless(condition, FILTERED),
  },
  {
    name: 'discard',
    parameters: [optional('UNLESS_CONDITION', 'boolean-expression')],
    summary: 'Drops the entity without a trace unless the condition is true.',
    examples: [example('[["discard", ["eq", "_S.a", 1]]]', '{"_id": "1", "a": 2}', 'null')],
    compile: ([condition]) => unless(condition, DISCARDED),
  },
  {
    name: 'create',
    parameters: [one('VALUES')],
    summary: 'Emits every entity among the values as an entity of its own.',
    examples: [example('[["create", "_S.lines"], ["discard"]]', '{"_id": "1", "lines": [{"_id": "a"}]}', 'null')],
    compile: ([values], { idRequired }) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        for (const value of listOf(evaluate(frame))) {
          frame.run.spend(1)
          if (isEntity(value)) frame.run.emitted.push(value)
          else if (idRequired) throw withoutId('create')
        }
        return GO_ON
      }
    },
  },
  {
    name: 'create-child',
    parameters: [one('VALUES')],
    summary: 'Adds every entity among the values to the `$children` of the target, once each.',
    examples: [
      example(
        '[["create-child", "_S.lines"]]',
        '{"_id": "1", "lines": [{"_id": "a"}, {"_id": "a"}]}',
        '{"_id": "1", "$children": [{"_id": "a"}]}',
      ),
    ],
    compile: ([values], { idRequired }) => {
      const evaluate = evaluateOf(values)
      return (frame) => {
        const given = listOf(evaluate(frame))
        const children = given.filter(isEntity)
        if (idRequired && children.length < given.length) throw withoutId('create-child')
        if (children.length === 0) return GO_ON
        const before = listOf(get(frame.target, '$children') ?? null)
        frame.run.spend(before.length + children.length)
        set(frame.target, '$children', distinct([...before, ...children]))
        return GO_ON
      }
    },
  },
  {
    name: 'fail!',
    parameters: [one('MESSAGE', 'constant-string')],
    summary: 'Makes the whole run fail with the message.',
    examples: [example('[["if", "_S.bad", ["fail!", "Look at this."]]]', '{"_id": "1"}', '{"_id": "1"}')],
    compile: ([message]) =>
      failing('fail', message, 'The program stops the run here; correct what the message says and run the pipe again.'),
  },
  {
    name: 'trip!',
    parameters: [one('MESSAGE', 'constant-string')],
    summary: 'As `fail!`, and the circuit breaker of the dataset that is written trips.',
    examples: [example('[["if", "_S.bad", ["trip!", "Look at this."]]]', '{"_id": "1"}', '{"_id": "1"}')],
    compile: ([message]) =>
      failing('trip', message, 'The program tripped the circuit breaker: commit or roll back what it holds back.'),
  },
  {
    name: 'sleep!',
    parameters: [one('PERIOD', 'constant-integer')],
    summary: 'The pipe pauses for that many seconds once the entity is through; other pipes go on.',
    check: ([period], report) => {
      if (period?.kind === 'constant' && !(Number(period.value) >= 0 && Number(period.value) <= MAX_PAUSE_SECONDS))
        report(period, `PERIOD must be from 0 to ${MAX_PAUSE_SECONDS} seconds.`, 'Let the pump run less often instead.')
    },
    examples: [example('[["sleep!", 0], ["add", "a", 1]]', '{"_id": "1"}', '{"_id": "1", "a": 1}')],
    compile: ([period]) => {
      const seconds = Number(period?.constant)
      return ({ run }) => {
        run.pause(seconds)
        return GO_ON
      }
    },
  },
]

function failing(code: 'fail' | 'trip', message: Argument | undefined, hint: string): Step {
  const text = message?.constant as string
  return () => {
    throw new DtlError(code, text, { hint })
  }
}

/** The condition is what keeps an entity. */
function unless(condition: Argument | undefined, outcome: Outcome): Step {
  if (condition === undefined) return () => outcome
  const keeps = condition.evaluate
  return (frame) => (isTrue(keeps(frame) as Value) ? GO_ON : outcome)
}

const withoutId = (name: string): DtlError =>
  new DtlError('bad-id', `A value given to ${name} is not an entity with a string _id.`, {
    hint: 'Give each an _id, or set "id_required": false to have those without one left out.',
  })
