import { describe, expect, test } from 'vitest'
import { laterSourceTypes, sourceTypes } from '../../../src/pipes/sources/index.ts'
import { type ComponentType, componentContract } from '../../contracts/component-contract.ts'

for (const type of sourceTypes) describe(`the source ${type.type}`, () => componentContract(type as ComponentType))

test('each source type is listed once', () => {
  const names = [...sourceTypes.map(({ type }) => type), ...laterSourceTypes]
  expect(new Set(names).size).toBe(names.length)
})
