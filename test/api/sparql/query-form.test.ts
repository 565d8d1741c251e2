import { describe, expect, it } from 'vitest'
import { queryForm } from '../../../src/api/sparql/query-form.ts'

describe('the form of a query', () => {
  it('is its first keyword after the prologue', () => {
    expect(queryForm('SELECT * {}')).toBe('select')
    expect(queryForm('  ask{}')).toBe('ask')
    expect(queryForm('# SELECT\nPREFIX a: <http://x/#y>\nprefix : <ask>\nBASE<describe> CONSTRUCT WHERE {}')).toBe(
      'construct',
    )
    expect(queryForm('PREFIX select: <http://x/>\r\nDescribe select:a')).toBe('describe')
  })

  it('is update for all that writes', () => {
    for (const text of [
      'INSERT DATA {}',
      'prefix a: <b> DELETE WHERE {}',
      'WITH <g> DELETE {} WHERE {}',
      'drop all',
      'LOAD <x>',
    ]) {
      expect(queryForm(text), text).toBe('update')
    }
  })

  it('is unknown otherwise, in time that does not explode', () => {
    expect(queryForm('')).toBe('unknown')
    expect(queryForm('SELEKT *')).toBe('unknown')
    expect(queryForm('PREFIX a <x> SELECT')).toBe('unknown')
    expect(queryForm(`${'PREFIX a: <x> '.repeat(20_000)}#${'x'.repeat(100_000)}`)).toBe('unknown')
  })
})
