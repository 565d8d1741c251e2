/** A terminal that remembers what was written to it. */

import type { Terminal } from '../../src/cli/terminal.ts'

export interface FakeTerminal extends Terminal {
  readonly out: string[]
  readonly err: string[]
}

export function fakeTerminal(): FakeTerminal {
  const out: string[] = []
  const err: string[] = []
  const plain = (text: string) => text
  return {
    out,
    err,
    isWatched: false,
    line: (text) => void out.push(text),
    note: (text) => void err.push(text),
    status() {},
    clear() {},
    bold: plain,
    red: plain,
    yellow: plain,
    green: plain,
    dim: plain,
  }
}
