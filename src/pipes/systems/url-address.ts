/** Makes the address of a request from a url system's pattern (hub.md §17.1). */

import { pathToFileURL } from 'node:url'
import { PipeError } from '../errors.ts'
import type { SystemRequest } from './contract.ts'
import type { UrlConfig } from './url-config.ts'

export interface Address {
  readonly url: URL
  /** The system's own server: the one its credentials are for. */
  readonly home: URL
}

/** Throws `bad-address`, and `file-refused` where files may not be read. */
export function resolveAddress(
  system: string,
  config: Pick<UrlConfig, 'url_pattern' | 'base_url'>,
  folder: string | null,
  request: Pick<SystemRequest, 'url' | 'query'>,
  mask: (text: string) => string,
): Address {
  const { url_pattern: pattern, base_url: base } = config
  const text = pattern === undefined ? request.url : filled(pattern, request.url)
  const start = base ?? text
  if (/^file:/i.test(start) && folder === null) throw fileRefused(system)
  const url = parsed(text, base, folder)
  if (url === undefined) throw badAddress(system, mask(text))
  if (url.protocol === 'file:') {
    if (!/^file:/i.test(start) || folder === null) throw fileRefused(system)
    return { url, home: url }
  }
  const added = new URLSearchParams(request.query).toString()
  if (added !== '') url.search += (url.search === '' ? '?' : '&') + added
  return { url, home: homeOf(base ?? pattern ?? '') ?? url }
}

/** Same scheme, host and port; or the same host by https instead of http, each on its usual port. */
export function sameServer(a: URL, b: URL): boolean {
  if (a.origin === b.origin) return true
  return (
    a.hostname === b.hostname && a.port === '' && b.port === '' && a.protocol === 'https:' && b.protocol === 'http:'
  )
}

/** As the pattern says, except for a complete address (of the next page, say), which stands for itself. */
function filled(pattern: string, given: string): string {
  if (/^(https?|file):/i.test(given)) return given
  return pattern.includes('%s') ? pattern.replace('%s', () => given) : pattern + given
}

function parsed(text: string, base: string | undefined, folder: string | null): URL | undefined {
  const root = folder === null ? undefined : pathToFileURL(`${folder}/`).href
  const rootOf = (address: string) => (/^file:(?!\/)/i.test(address) ? root : undefined)
  try {
    const url = base === undefined ? new URL(text, rootOf(text)) : new URL(text, new URL(base, rootOf(base)))
    return /^(https?|file):$/.test(url.protocol) ? url : undefined
  } catch {
    // The parser's own error repeats the address, secrets included.
    return undefined
  }
}

/** The server that the pattern itself names, if it names one. */
function homeOf(pattern: string): URL | undefined {
  const [before = '', ...after] = pattern.split('%s')
  // With %s in the place of the host, or right behind it, the pattern names none.
  const fixed = (after.length > 0 ? /^https?:\/\/[^/?#]+(?=[/?#])/i : /^https?:\/\/[^/?#]+/i).exec(before)?.[0]
  return fixed !== undefined && URL.canParse(fixed) ? new URL(fixed) : undefined
}

/** Without a system a source or sink has an address of its own. */
const called = (system: string): string => (system === '' ? 'This source or sink' : `System '${system}'`)

function fileRefused(system: string): PipeError {
  return new PipeError('file-refused', `${called(system)} may not read files of this machine.`, {
    details: { system },
    hint: 'Only configuration loaded from a folder may, and the file: must stand in the configuration itself.',
  })
}

function badAddress(system: string, text: string): PipeError {
  const shown = text.replace(/\/\/[^/@]*@/, '//***@').replace(/\?.*/s, '?…')
  return new PipeError('bad-address', `${called(system)}: "${shown}" is not an address of http, https or file.`, {
    details: { system, address: shown },
    hint: 'The address is made from url_pattern of the system and url of the source or sink.',
  })
}
