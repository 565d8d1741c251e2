/** The version in package.json, which stands beside both `src` and `dist`. */

import { readFileSync } from 'node:fs'

export const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version
