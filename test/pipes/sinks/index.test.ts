import { describe, expect, test } from 'vitest'
import { laterSinkTypes, sinkTypes } from '../../../src/pipes/sinks/index.ts'
import { type ComponentType, componentContract } from '../../contracts/component-contract.ts'

for (const type of sinkTypes) describe(`the sink ${type.type}`, () => componentContract(type as ComponentType))

test('each sink type is listed once', () => {
  const names = [...sinkTypes.map(({ type }) => type), ...laterSinkTypes]
  expect(new Set(names).size).toBe(names.length)
})
