import { describe, expect, test } from 'vitest'
import { systemTypes } from '../../../src/pipes/systems/index.ts'
import { type ComponentType, componentContract } from '../../contracts/component-contract.ts'

for (const type of systemTypes) describe(`the system ${type.type}`, () => componentContract(type as ComponentType))

test('each system type is listed once, under its full name', () => {
  const names = systemTypes.map(({ type }) => type)
  expect(new Set(names).size).toBe(names.length)
  expect(names.every((name) => name.startsWith('system:'))).toBe(true)
})
