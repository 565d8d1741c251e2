import { describe, expect, it } from 'vitest'
import { nearest, pointerStep } from '../../src/config/problems.ts'

describe('the nearest known name', () => {
  const known = ['dataset', 'deletion_tracking', 'datasets', 'http_endpoint']

  it('is found through a slip of the fingers', () => {
    expect(nearest('datset', known)).toBe('dataset')
    expect(nearest('dataste', known)).toBe('dataset')
    expect(nearest('DELETION_TRACKING', known)).toBe('deletion_tracking')
    expect(nearest('http-endpoint', known)).toBe('http_endpoint')
  })

  it('is none when nothing is near', () => {
    expect(nearest('banana', known)).toBeUndefined()
    expect(nearest('x', [...known, 'y'])).toBeUndefined()
    expect(nearest('', known)).toBeUndefined()
  })
})

describe('a step of a JSON pointer', () => {
  it('escapes what RFC 6901 escapes', () => {
    expect(pointerStep('a/b~c')).toBe('/a~1b~0c')
    expect(pointerStep(3)).toBe('/3')
  })
})
