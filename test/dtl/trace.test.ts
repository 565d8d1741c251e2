/** A run told step by step, and the values that an error names. */

import { describe, expect, it } from 'vitest'
import { DtlError } from '../../src/dtl/errors.ts'
import { writeJson } from '../../src/model/json.ts'
import { contextOf, memoryLookup } from './memory-lookup.ts'
import { applied, datasets, entity, programOf } from './settings.ts'

const world = datasets({ b: [{ _id: 'b1', x: 1, name: 'One' }] })
const context = (mask?: (text: string) => string) => ({
  ...contextOf(memoryLookup(world)),
  ...(mask === undefined ? {} : { mask }),
})
const traced = (rules: unknown, source: string, mask?: (text: string) => string) =>
  programOf(Array.isArray(rules) ? { default: rules } : rules).trace(entity(source), context(mask))

const shown = (...given: Parameters<typeof traced>) =>
  traced(...given).steps.map(
    ({ depth, name, input, output, failed }) =>
      `${'  '.repeat(depth)}${name}(${input.join(', ')}) ${failed ? 'failed' : `= ${output}`}`,
  )

describe('a trace', () => {
  it('tells each transform and function with what it got and gave', () => {
    expect(
      shown(
        [
          ['add', 'n', ['upper', ['concat', '_S.a', '!']]],
          ['if', ['eq', '_T.n', 'X!'], ['remove', 'n'], ['add', 'm', 1]],
          ['filter', false],
        ],
        '{"_id": "1", "a": "x"}',
      ),
    ).toEqual([
      'add("n", "X!") = {"n":"X!"}',
      '  upper("x!") = "X!"',
      '    concat("x", "!") = "x!"',
      'if(true) = {"n":null}',
      '  eq("X!", "X!") = true',
      '  remove(["n"]) = {"n":null}',
      'filter(false) = "filtered"',
    ])
  })

  it('goes into rules and hops', () => {
    const spec = { datasets: ['b b'], where: ['eq', '_S.x', 'b.x'] }
    expect(
      shown(
        { default: [['add', 'r', ['apply-hops', 'one', spec]]], one: [['rename', 'name', 'n']] },
        '{"_id": "1", "x": 1}',
      ),
    ).toEqual([
      'add("r", [{"n":"One"}]) = {"r":[{"n":"One"}]}',
      '  apply-hops([{"_id":"b1","x":1,"name":"One"}]) = [{"n":"One"}]',
      '    one({"_id":"b1","x":1,"name":"One"}) = {"n":"One"}',
      '      rename("name", "n") = {"n":"One"}',
    ])
  })

  it('tells constants where they are written, also those that are never evaluated', () => {
    expect(
      shown(
        [
          ['copy', ['list', 'a', 'b'], '_*'],
          ['add', 'x', ['plus', 1, ['datetime-diff', 'day', '_S.a', '~t2015-07-28']]],
          ['add', 'y', ['map', ['concat', '_.', '-'], ['list', 'p', 'q']]],
        ],
        '{"_id": "1", "a": "~t2015-07-30"}',
      ),
    ).toEqual([
      'copy(["a","b"], ["_*"]) = {"a":"~t2015-07-30"}',
      'add("x", 3) = {"x":3}',
      '  plus(1, 2) = 3',
      '    datetime-diff("day", "~t2015-07-30", "~t2015-07-28") = 2',
      'add("y", ["p-","q-"]) = {"y":["p-","q-"]}',
      '  map(["p","q"], "p-", "q-") = ["p-","q-"]',
      '    list("p", "q") = ["p","q"]',
      '    concat("p", "-") = "p-"',
      '    concat("q", "-") = "q-"',
    ])
  })

  it('gives what the program gives, and tells an error instead of throwing it', () => {
    const rules = { default: [['add', 'x', ['range', 0, '_S.n']]] }
    const { result, error } = traced(rules, '{"_id": "1", "n": 2}')
    expect([writeJson(result), error]).toEqual([applied(programOf(rules), '{"_id": "1", "n": 2}'), null])
    const failed = traced(rules, '{"_id": "1", "n": "many"}')
    expect(failed.result).toEqual([])
    expect(failed.error).toMatchObject({ code: 'bad-argument', pointer: '/rules/default/0', values: ['0', '"many"'] })
    expect(failed.steps.map(({ failed }) => failed)).toEqual([true, true])
  })

  it('is bounded in steps and in text', () => {
    const { steps, isCut } = traced(
      [
        ['add', 'long', ['concat', '_S.text', '_S.text']],
        ['add', 'many', ['map', ['plus', 1, '_.'], ['range', 0, 5000]]],
      ],
      `{"_id": "1", "text": "${'x'.repeat(5_000)}"}`,
    )
    expect([steps.length, isCut]).toEqual([2_000, true])
    for (const { input, output } of steps)
      for (const text of [...input, output ?? '']) expect(text.length).toBeLessThan(2_010)
    expect(JSON.stringify(steps).length).toBeLessThan(1_000_000)
  })

  it('has secrets masked', () => {
    const mask = (text: string) => text.replaceAll('s3cret', '***')
    const { steps } = traced([['add', 'x', ['concat', '_S.key', '!']]], '{"_id": "1", "key": "s3cret"}', mask)
    expect(JSON.stringify(steps)).not.toContain('s3cret')
    expect(steps[0]?.output).toBe('{"x":"***!"}')
  })
})

describe('a trace of encryption', () => {
  it('does not tell keys', () => {
    const { steps, result } = traced(
      [['add', 'x', ['encrypt', '_S.key', '_S.v']]],
      '{"_id": "1", "key": "hunter2", "v": 1}',
    )
    expect(result).toHaveLength(1)
    expect(JSON.stringify(steps)).not.toContain('hunter2')
    expect(steps[1]?.input).toEqual(['"***"', '1'])
  })
})

describe('an error at run time', () => {
  const failing = (rules: unknown, source: string, mask?: (text: string) => string): DtlError => {
    try {
      programOf(rules).apply(entity(source), context(mask))
    } catch (error) {
      if (error instanceof DtlError) return error
      throw error
    }
    throw new Error('it did not fail')
  }

  it('names the entity, the transform and the values, with secrets masked', () => {
    const rules = {
      default: [
        ['copy', '*'],
        ['add', 'x', ['range', 0, '_S.n']],
      ],
    }
    expect(failing(rules, '{"_id": "e1", "n": "s3cret"}', (text) => text.replaceAll('s3cret', '***')).details).toEqual({
      pointer: '/rules/default/1',
      entity: 'e1',
      values: ['0', '"***"'],
    })
    expect(failing({ default: [['create', '_S.lines']] }, '{"_id": "e1", "lines": [{"a": 1}]}').details).toEqual({
      pointer: '/rules/default/0',
      entity: 'e1',
      values: ['[{"a":1}]'],
    })
  })

  it('shows a target that has no id', () => {
    const rules = {
      default: [
        ['copy', '*'],
        ['add', '_id', ['plus', 1, '_S.n']],
      ],
    }
    expect(failing(rules, '{"_id": "e1", "n": 1}').details).toEqual({
      pointer: '/rules/default',
      entity: 'e1',
      values: ['{"_id":2,"n":1}'],
    })
  })

  it('of encryption does not show keys', () => {
    const rules = { default: [['add', 'x', ['encrypt-pki', '_S.key', '_S.v']]] }
    expect(failing(rules, '{"_id": "e1", "key": "hunter2", "v": "a"}').details).toEqual({
      pointer: '/rules/default/0',
      entity: 'e1',
      values: ['"***"', '"a"'],
    })
  })

  it.each([
    ['bad-argument', ['range', 0, 9, '_S.zero'], ['0', '9', '0']],
    ['bad-argument', ['slice', 0, 9, '_S.zero', '_S.list'], ['0', '9', '0', '[1,2]']],
    ['recursion-too-deep', ['apply', 'deep', '_S.list'], undefined],
    ['too-much-work', ['map', ['range', 0, 1000000], ['range', 0, 1000000]], undefined],
  ] as const)('%s of %j names the entity, the place and what to do', (code, expression, values) => {
    const error = failing(
      { default: [['add', 'x', expression]], deep: [['add', 'y', ['apply', 'deep', '_S.']]] },
      '{"_id": "e1", "zero": 0, "list": [1, 2]}',
    )
    expect(error.code).toBe(code)
    expect(error.hint).toMatch(/\S/)
    expect(error.details).toMatchObject({ entity: 'e1', pointer: expect.stringMatching(/^\/rules\//) })
    expect(error.details.values).toEqual(values)
  })

  it('of fail! says what the program says', () => {
    expect(failing({ default: [['fail!', 'no']] }, '{"_id": "e1"}').details).toEqual({
      pointer: '/rules/default/0',
      entity: 'e1',
    })
  })
})
