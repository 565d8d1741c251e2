/** Packages that are installed only where something needs them, loaded when that is first used. */

import { createRequire } from 'node:module'
import { DtlError } from './errors.ts'
import type { ArgumentNode, Report } from './syntax.ts'

const require = createRequire(import.meta.url)

/** The package's module, loaded at once: an expression cannot wait for it. */
export function optionalPackage<T>(name: string): () => T {
  let loaded: T | undefined
  return () => {
    loaded ??= load<T>(name)
    return loaded
  }
}

function load<T>(name: string): T {
  try {
    return require(name) as T
  } catch (cause) {
    if (isInstalled(name)) throw cause
    throw new DtlError('missing-package', missing(name), { hint: hintFor(name), cause })
  }
}

export function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** A check for functions that need the package: without it a program is refused before it runs. */
export const needsPackage =
  (name: string) =>
  (args: readonly (ArgumentNode | undefined)[], report: Report): void => {
    const place = args.find((argument) => argument !== undefined)
    if (place !== undefined && !isInstalled(name)) report(place, missing(name), hintFor(name))
  }

const missing = (name: string): string =>
  `This function needs the package '${packageOf(name)}', which is not installed.`
const hintFor = (name: string): string => `Install it: npm install ${packageOf(name)}.`

const packageOf = (name: string): string => name.split('/')[0] as string
