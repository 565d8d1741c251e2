import { describe, expect, it } from 'vitest'
import { readArguments } from '../../src/cli/arguments.ts'
import { openLogBook } from '../../src/cli/logger.ts'
import { usages } from '../../src/cli/usage.ts'
import { fakeTerminal } from './fake-terminal.ts'

function opened(...typed: string[]) {
  const terminal = fakeTerminal()
  const book = openLogBook(readArguments(usages.serve, typed, {}), terminal)
  return { log: book.logger('hub'), terminal }
}

describe('the log of a hub that serves', () => {
  it('is text for people, from the level on that was asked for', () => {
    const { log, terminal } = opened('--log-format', 'text', '--log-level', 'info')
    log.debug('no')
    log.info('yes', { pipe: 'a' })
    expect(terminal.err).toEqual([expect.stringMatching(/ INFO {2}hub {3}yes pipe=a$/)])
    const verbose = opened('--log-format', 'text', '--verbose')
    verbose.log.debug('yes')
    expect(verbose.terminal.err).toHaveLength(1)
  })

  it('refuses levels and formats that there are not', () => {
    expect(() => opened('--log-level', 'loud')).toThrow('--log-level loud is none of debug, info, warn, error.')
    expect(() => opened('--log-format', 'xml')).toThrow('--log-format xml is none of auto, json, text.')
  })
})
