import { describe, expect, it } from 'vitest'
import { choose } from '../../src/api/accept.ts'

const offers = ['text/turtle', 'application/ld+json', 'text/html'] as const

describe('content negotiation', () => {
  it('gives our favourite when nothing or anything is asked for', () => {
    expect(choose(undefined, offers)).toBe('text/turtle')
    expect(choose('', offers)).toBe('text/turtle')
    expect(choose('*/*', offers)).toBe('text/turtle')
  })

  it('follows the qualities', () => {
    expect(choose('text/turtle;q=0.5, application/ld+json;q=0.9', offers)).toBe('application/ld+json')
    expect(choose('text/*;q=0.4, application/ld+json;q=0.3', offers)).toBe('text/turtle')
  })

  it('lets the more exact range decide about a type', () => {
    expect(choose('text/*, text/turtle;q=0', offers)).toBe('text/html')
    expect(choose('*/*;q=0.1, text/html;q=0.2', offers)).toBe('text/html')
  })

  it('gives a browser its page', () => {
    expect(choose('text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', offers)).toBe(
      'text/html',
    )
  })

  it('finds nothing when nothing is wanted that we have', () => {
    expect(choose('image/png', offers)).toBeUndefined()
    expect(choose('text/turtle;q=0', offers)).toBeUndefined()
  })

  it('ignores case, white space and what it cannot read', () => {
    expect(choose(' TEXT/HTML ; level=1 ; q=0.7 , nonsense, application/ld+json;q=abc', offers)).toBe(
      'application/ld+json',
    )
  })
})
