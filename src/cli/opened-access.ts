/** Accounts and tokens of a data folder, for commands: also while a hub runs on it, which hears of changes within a second. */

import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Access, type AccessSettings } from '../hub/access/access.ts'
import type { Arguments } from './arguments.ts'

export function openAccess(given: Arguments, settings: AccessSettings = {}): Access {
  const data = resolve(given.text('data') as string)
  mkdirSync(data, { recursive: true })
  return new Access(data, nodeIdOf(join(data, 'node.json')), settings)
}

/** Before its first start a hub has no id; tokens that are made then count all the same. */
function nodeIdOf(path: string): string {
  const { id } = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { id?: unknown }) : {}
  return typeof id === 'string' ? id : 'samtale'
}

/** `a,b`: a list; undefined: not given; empty: nothing. */
export const listOf = (text: string | undefined): readonly string[] | undefined =>
  text
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
