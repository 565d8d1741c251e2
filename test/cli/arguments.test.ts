import { describe, expect, it } from 'vitest'
import { readArguments, UsageError } from '../../src/cli/arguments.ts'
import { usages } from '../../src/cli/usage.ts'

describe('the arguments of a command', () => {
  it('come from what was typed, else from the environment, else from the default', () => {
    const port = (typed: string[], environment = {}) => readArguments(usages.serve, typed, environment).text('port')
    expect(port([])).toBe('9042')
    expect(port([], { SAMTALE_PORT: '1' })).toBe('1')
    expect(port(['--port', '2'], { SAMTALE_PORT: '1' })).toBe('2')
    expect(port(['--port=2'])).toBe('2')
    expect(port([], { SAMTALE_PORT: '' })).toBe('9042')
  })

  it('take every option of serve from the environment', () => {
    const environment = {
      SAMTALE_HOST: '::1',
      SAMTALE_PORT: '7',
      SAMTALE_DATA: '/d',
      SAMTALE_CONFIG: '/c',
      SAMTALE_BASE: 'http://b',
      SAMTALE_DEVELOPER: 'true',
    }
    const given = readArguments(usages.serve, [], environment)
    expect(['host', 'port', 'data', 'config', 'base'].map((name) => given.text(name))).toEqual([
      '::1',
      '7',
      '/d',
      '/c',
      'http://b',
    ])
    expect(given.flag('developer')).toBe(true)
    expect(readArguments(usages.serve, [], { SAMTALE_DEVELOPER: '0' }).flag('developer')).toBe(false)
  })

  it('let a run have a data folder of its own, whatever the environment says', () => {
    expect(readArguments(usages.run, ['x'], { SAMTALE_DATA: '/d' }).text('data')).toBeUndefined()
  })

  it('may be several files', () => {
    expect(readArguments(usages.import, ['a', 'b', '--dataset', 'd', 'c'], {}).positionals).toEqual(['a', 'b', 'c'])
    expect(() => readArguments(usages.export, ['a', 'b'], {})).toThrow(UsageError)
    expect(readArguments(usages.export, [], {}).positionals).toEqual([])
  })

  it.each([[['--port']], [['--developer=1']], [['extra']], [['-x']]])(
    'are refused when they make no sense: %j',
    (typed) => {
      expect(() => readArguments(usages.serve, typed, {})).toThrow(UsageError)
    },
  )
})
