import { afterEach, describe, expect, it, vi } from 'vitest'
import { openTerminal, table } from '../../src/cli/terminal.ts'

/** What goes to the two streams while `action` runs, each a terminal or not. */
function written(
  tty: { out: boolean; err: boolean },
  environment: Record<string, string>,
  action: (terminal: ReturnType<typeof openTerminal>) => void,
) {
  const texts = { out: '', err: '' }
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    texts.out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    texts.err += String(text)
    return true
  })
  const [out, err] = [process.stdout.isTTY, process.stderr.isTTY]
  Object.assign(process.stdout, { isTTY: tty.out })
  Object.assign(process.stderr, { isTTY: tty.err })
  try {
    action(openTerminal(environment))
    return texts
  } finally {
    Object.assign(process.stdout, { isTTY: out })
    Object.assign(process.stderr, { isTTY: err })
    vi.restoreAllMocks()
  }
}

afterEach(() => vi.restoreAllMocks())

describe('a terminal', () => {
  const both = (terminal: ReturnType<typeof openTerminal>) => {
    terminal.line(terminal.red('bad'))
    terminal.note(terminal.red('bad'))
  }
  const RED = '\u001b[31mbad\u001b[0m\n'

  it('has colours only where somebody looks', () => {
    expect(written({ out: true, err: true }, {}, both)).toEqual({ out: RED, err: RED })
    expect(written({ out: true, err: false }, {}, both)).toEqual({ out: RED, err: 'bad\n' })
    expect(written({ out: false, err: true }, {}, both)).toEqual({ out: 'bad\n', err: RED })
    expect(written({ out: false, err: false }, {}, both)).toEqual({ out: 'bad\n', err: 'bad\n' })
  })

  it('has none where they are not wanted', () => {
    expect(written({ out: true, err: true }, { NO_COLOR: '1' }, both).out).toBe('bad\n')
    expect(written({ out: true, err: true }, { NO_COLOR: '' }, both).out).toBe(RED)
    expect(written({ out: true, err: true }, { TERM: 'dumb' }, both).out).toBe('bad\n')
  })

  it('shows what goes on in one line that gives way to the next', () => {
    const action = (terminal: ReturnType<typeof openTerminal>) => {
      terminal.status('1 of 2')
      terminal.line('done')
    }
    expect(written({ out: true, err: true }, {}, action)).toEqual({
      out: 'done\n',
      err: '\r\u001b[2K1 of 2\r\u001b[2K',
    })
    expect(written({ out: true, err: false }, {}, action)).toEqual({ out: 'done\n', err: '' })
  })
})

describe('a table', () => {
  it('has text to the left and numbers to the right', () => {
    expect(
      table(
        ['pipe', 'read'],
        [
          ['a', 1234567],
          ['longer', 1],
        ],
      ),
    ).toEqual(['pipe         read', 'a       1,234,567', 'longer          1'])
  })
})
