/** Where a thread or a process of its own begins: in the TypeScript sources, or in the built program. */

import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder `src`, which this file is in. */
const SOURCES = new URL('../', import.meta.url).href

/**
 * The module `entry`, seen from the module `callerUrl`. It is written with `.ts`; next to a built caller, the built file is
 * taken. `SAMTALE_BUILT` names a folder of the same program as it was built, which sources take it from, too: tests that
 * run in the sources start threads several times as fast.
 */
export function entryUrl(callerUrl: string, entry: `${string}.ts`, built = process.env.SAMTALE_BUILT): URL {
  const source = new URL(entry, callerUrl)
  if (!fileURLToPath(callerUrl).endsWith('.ts')) return new URL(asBuilt(source.href))
  if (built === undefined || !source.href.startsWith(SOURCES)) return source
  return new URL(asBuilt(source.href.slice(SOURCES.length)), `${pathToFileURL(built).href}/`)
}

/** It needs a loader. */
export const isSource = (url: URL): boolean => url.pathname.endsWith('.ts')

const asBuilt = (path: string): string => path.replace(/\.ts$/, '.js')
