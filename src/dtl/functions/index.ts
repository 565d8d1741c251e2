/** All expression functions, chapter by chapter. */

import type { FunctionDefinition } from '../syntax.ts'
import { booleanLogic } from './boolean-logic.ts'
import { booleans } from './booleans.ts'
import { bytes } from './bytes.ts'
import { comparisons } from './comparisons.ts'
import { conditionals } from './conditionals.ts'
import { datetimes } from './datetimes.ts'
import { deprecated } from './deprecated.ts'
import { dictionaries } from './dictionaries.ts'
import { encryption } from './encryption.ts'
import { hops } from './hops.ts'
import { identifiers } from './identifiers.ts'
import { json } from './json.ts'
import { lists } from './lists.ts'
import { math } from './math.ts'
import { misc } from './misc.ts'
import { nulls } from './nulls.ts'
import { numbers } from './numbers.ts'
import { phoneNumbers } from './phone-numbers.ts'
import { sets } from './sets.ts'
import { strings } from './strings.ts'
import { uris } from './uris.ts'
import { uuids } from './uuids.ts'

/** Title → functions, in the order of the reference. */
export const chapters: Readonly<Record<string, readonly FunctionDefinition[]>> = {
  'Boolean logic': booleanLogic,
  Booleans: booleans,
  Bytes: bytes,
  Comparisons: comparisons,
  Conditionals: conditionals,
  'Date and time': datetimes,
  Dictionaries: dictionaries,
  Encryption: encryption,
  Hops: hops,
  JSON: json,
  Lists: lists,
  Math: math,
  Misc: misc,
  'Namespaced identifiers': identifiers,
  Nulls: nulls,
  Numbers: numbers,
  'Phone numbers': phoneNumbers,
  Sets: sets,
  Strings: strings,
  URIs: uris,
  UUIDs: uuids,
  Deprecated: deprecated,
}

export const functions: ReadonlyMap<string, FunctionDefinition> = new Map(
  Object.values(chapters).flatMap((chapter) => chapter.map((definition) => [definition.name, definition])),
)
