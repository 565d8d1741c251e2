#!/usr/bin/env node
/** The door: arguments and environment in, a running hub or a finished command out. */

import { runCommand } from './cli/commands.ts'
import { outliveReaders } from './cli/terminal.ts'

outliveReaders(process.stdout, process.stderr)
process.exitCode = await runCommand(process.argv.slice(2), process.env)
