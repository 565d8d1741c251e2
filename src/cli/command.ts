/** What a command is given, and what it answers with: an exit code. */

import type { Arguments } from './arguments.ts'
import type { Terminal } from './terminal.ts'

export type Command = (ports: {
  readonly given: Arguments
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly terminal: Terminal
}) => Promise<number>
