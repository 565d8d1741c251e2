/** What resolvers are given. */

import type { Reader } from './reader.ts'

export interface Context {
  readonly reader: Reader
}
