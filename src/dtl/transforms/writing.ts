/** Transforms that write properties of the target (dtl.md §8.1). */

import { getStored, has, nameOf, remove as removeKey, setStored, storedKeys } from '../../model/dict.ts'
import { isDict, isTrue, type Value } from '../../model/value.ts'
import { listOf } from '../coerce.ts'
import { copyAll } from '../copying.ts'
import { applying } from '../functions/definition.ts'
import type { Argument, TransformDefinition } from '../syntax.ts'
import { GO_ON } from '../syntax.ts'
import { choosing, example, listKeepingNull, namesToWrite, one, optional, write } from './definition.ts'

const PROPERTY = one('PROPERTY')
const VALUES = one('VALUES')

export const writing: readonly TransformDefinition[] = [
  {
    name: 'add',
    parameters: [PROPERTY, VALUES],
    summary: 'Sets a property, or several, to a value as it is; null is a value.',
    examples: [
      example('[["add", "n", ["count", "_S.a"]]]', '{"_id": "1", "a": [5, 6]}', '{"_id": "1", "n": 2}'),
      example('[["add", ["list", "x", "y"], null]]', '{"_id": "1"}', '{"_id": "1", "x": null, "y": null}'),
    ],
    compile: ([property, values], { settings }) => {
      const [names, evaluate] = [namesToWrite(property as Argument, settings), (values as Argument).evaluate]
      const constant = (property as Argument).constant === undefined ? undefined : names(null as never)
      const only = constant?.length === 1 ? constant[0] : undefined
      if (only !== undefined && nameOf(only) !== '_id') {
        return (frame) => {
          setStored(frame.target, only, evaluate(frame))
          return GO_ON
        }
      }
      return (frame) => {
        const keys = names(frame)
        const value = evaluate(frame)
        for (const key of keys) write(frame.target, key, value, settings)
        return GO_ON
      }
    },
  },
  {
    name: 'default',
    parameters: [PROPERTY, VALUES],
    summary: 'As `add`, where the target does not have the property; one that holds null is there.',
    examples: [
      example(
        '[["add", "a", null], ["default", "a", 1], ["default", "b", 2]]',
        '{"_id": "1"}',
        '{"_id": "1", "a": null, "b": 2}',
      ),
    ],
    compile: ([property, values], { settings }) => {
      const [names, evaluate] = [namesToWrite(property as Argument, settings), (values as Argument).evaluate]
      return (frame) => {
        const missing = names(frame).filter((key) => getStored(frame.target, key) === undefined)
        if (missing.length === 0) return GO_ON
        const value = evaluate(frame)
        for (const key of missing) write(frame.target, key, value, settings)
        return GO_ON
      }
    },
  },
  {
    name: 'add-if',
    parameters: [PROPERTY, optional('CONDITION', 'function-expression'), VALUES],
    summary: 'As `add`, when CONDITION is true of the whole value; without one, when it is not null.',
    examples: [
      example('[["add-if", "a", "_S.x"], ["add-if", "b", "_S.y"]]', '{"_id": "1", "x": []}', '{"_id": "1", "a": []}'),
      example(
        '[["add-if", "adult", ["gte", "_.", 18], "_S.age"]]',
        '{"_id": "1", "age": 20}',
        '{"_id": "1", "adult": 20}',
      ),
    ],
    compile: ([property, condition, values], { settings }) => {
      const [names, evaluate] = [namesToWrite(property as Argument, settings), (values as Argument).evaluate]
      const holds = condition === undefined ? null : applying(condition)
      return (frame) => {
        const value = evaluate(frame)
        if (holds === null ? value === null : !isTrue(holds(value, frame))) return GO_ON
        for (const key of names(frame)) write(frame.target, key, value, settings)
        return GO_ON
      }
    },
  },
  {
    name: 'copy',
    parameters: [one('INCLUDE', 'wildcard-string-list'), optional('EXCLUDE', 'wildcard-string-list')],
    summary: 'Copies the properties of the source that match a pattern of INCLUDE and none of EXCLUDE.',
    examples: [
      example('[["copy", "*", "_*"]]', '{"_id": "1", "_ts": 5, "a": 1}', '{"_id": "1", "a": 1}'),
      example(
        '[["copy", ["list", "a*", "b"], "ab"]]',
        '{"_id": "1", "a": 1, "ab": 2, "b": 3, "c": 4}',
        '{"_id": "1", "a": 1, "b": 3}',
      ),
    ],
    compile: ([include, exclude], { settings }) => {
      if (exclude === undefined && listOf((include as Argument).constant as Value).includes('*')) {
        return (frame) => {
          copyAll(frame)
          return GO_ON
        }
      }
      const [chosen, barred] = [choosing(include, settings), choosing(exclude, settings)]
      return (frame) => {
        const { source, target } = frame
        if (!isDict(source)) return GO_ON
        for (const key of storedKeys(source)) {
          if (chosen(key) && !barred(key)) setStored(target, key, getStored(source, key) as Value)
        }
        return GO_ON
      }
    },
  },
  {
    name: 'remove',
    parameters: [one('PROPERTY', 'wildcard-string-list')],
    summary: 'Removes the properties of the target that match the pattern.',
    examples: [
      example('[["copy", "*"], ["remove", "a*"]]', '{"_id": "1", "a": 1, "ab": 2, "b": 3}', '{"_id": "1", "b": 3}'),
    ],
    compile: ([property], { settings }) => {
      const chosen = choosing(property, settings)
      return ({ target }) => {
        for (const key of storedKeys(target)) if (chosen(key)) removeKey(target, nameOf(key))
        return GO_ON
      }
    },
  },
  {
    name: 'merge',
    parameters: [VALUES],
    summary:
      'Copies the properties of all dicts among the values, later ones over earlier ones; not those that start with `_`.',
    examples: [
      example(
        '[["merge", ["list", {"a": 1, "_id": "x"}, {"a": 2, "b": 3}]]]',
        '{"_id": "1"}',
        '{"_id": "1", "a": 2, "b": 3}',
      ),
    ],
    compile: ([values]) => {
      const { evaluate } = values as Argument
      return (frame) => {
        for (const dict of listOf(evaluate(frame))) {
          if (!isDict(dict)) continue
          for (const key of storedKeys(dict)) {
            if (!key.startsWith('_')) setStored(frame.target, key, getStored(dict, key) as Value)
          }
        }
        return GO_ON
      }
    },
  },
  {
    name: 'merge-union',
    parameters: [VALUES],
    summary: 'As `merge`, but a property that is there gets the new values behind its own; duplicates stay.',
    examples: [
      example(
        '[["merge-union", ["list", {"a": 1}, {"a": [2, 1], "b": 3}]]]',
        '{"_id": "1"}',
        '{"_id": "1", "a": [1, 2, 1], "b": 3}',
      ),
    ],
    compile: ([values]) => {
      const { evaluate } = values as Argument
      return (frame) => {
        const { target, run } = frame
        for (const dict of listOf(evaluate(frame))) {
          if (!isDict(dict)) continue
          for (const key of storedKeys(dict)) {
            if (key.startsWith('_')) continue
            if (!has(target, nameOf(key))) {
              setStored(target, key, getStored(dict, key) as Value)
              continue
            }
            const both = [...listKeepingNull(target, key), ...listKeepingNull(dict, key)]
            run.spend(both.length)
            setStored(target, key, both)
          }
        }
        return GO_ON
      }
    },
  },
]
