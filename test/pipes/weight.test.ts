import { expect, it } from 'vitest'
import type { Entity } from '../../src/model/entity.ts'
import { parseJson } from '../../src/model/json.ts'
import type { Value } from '../../src/model/value.ts'
import { writingBytes } from '../../src/pipes/weight.ts'

const weigh = (value: Value) => writingBytes({ _id: 'a', value } as unknown as Entity)

it('counts what is in an entity as often as it is written', () => {
  const list = parseJson(JSON.stringify(Array.from({ length: 1_000 }, (_, n) => n)))
  const once = weigh(list)
  const often = weigh(new Array(500).fill(list) as Value)
  expect(once).toBeGreaterThan(1_000 * 8)
  expect(often).toBeGreaterThan(490 * once)
  expect(weigh('x'.repeat(10_000))).toBeGreaterThan(10_000)
  expect(weigh(parseJson('{"a":{"b":[1,2,3]},"c":"~t2020-01-01T00:00:00Z"}'))).toBeGreaterThan(weigh(null))
})

it('comes to an end, however often it would be written', () => {
  let list: Value = [1, 2] as unknown as Value
  for (let depth = 0; depth < 60; depth++) list = [list, list] as unknown as Value
  expect(weigh(list)).toBeGreaterThan(1_000_000_000)
})
