/** The master key of secrets that a command was given, in a file or in the environment: never as an argument, which others could see. */

import { resolve } from 'node:path'
import { type MasterKey, readMasterKey, readMasterKeyFile } from '../hub/secrets/master-key.ts'
import type { Arguments } from './arguments.ts'

const VARIABLE = 'SAMTALE_MASTER_KEY'

/** Without one the hub has a key of its own beside its data. */
export function masterKeyOf(
  given: Arguments,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly masterKey?: MasterKey } {
  const file = given.text('master-key-file')
  if (file !== undefined) return { masterKey: readMasterKeyFile(resolve(file)) }
  const text = environment[VARIABLE]
  return text === undefined || text === '' ? {} : { masterKey: readMasterKey(text, VARIABLE) }
}
