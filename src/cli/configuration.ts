/** Reads a configuration folder from disk: pipes, systems, node metadata and environment variables. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ConfigurationFile } from '../hub/check.ts'
import { UsageError } from './arguments.ts'

export interface ConfigurationFolder {
  readonly folder: string
  readonly files: readonly ConfigurationFile[]
  /** JSON object of the environment variables: `env.json`, and over it what the process was given as `SAMTALE_ENV_<name>`. */
  readonly env: string
  /** Files beside them whose names are not those of configuration. */
  readonly ignored: readonly string[]
}

const VARIABLE = 'SAMTALE_ENV_'

export function readConfiguration(
  dir: string,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigurationFolder {
  const folder = resolve(dir)
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UsageError(`there is no folder ${folder} to read a configuration from.`)
  }
  const files = [
    ...filesIn(folder, 'pipes'),
    ...filesIn(folder, 'systems'),
    ...(existsSync(join(folder, 'node-metadata.conf.json')) ? [file(folder, 'node-metadata.conf.json')] : []),
  ]
  if (files.length === 0) {
    throw new UsageError(
      `${folder} holds no configuration: no pipes/*.conf.json, systems/*.conf.json or node-metadata.conf.json.`,
    )
  }
  const ignored = ['pipes', 'systems'].flatMap((kind) =>
    namesIn(folder, kind)
      .filter((name) => name.endsWith('.json') && !name.endsWith(ENDING))
      .map((name) => `${kind}/${name}`),
  )
  return { folder, files, env: variables(folder, environment), ignored }
}

const ENDING = '.conf.json'

const filesIn = (folder: string, kind: string): ConfigurationFile[] =>
  namesIn(folder, kind)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => file(folder, `${kind}/${name}`))

function namesIn(folder: string, kind: string): string[] {
  const path = join(folder, kind)
  return existsSync(path) ? readdirSync(path).sort() : []
}

const file = (folder: string, name: string): ConfigurationFile => ({
  name,
  text: readFileSync(join(folder, name), 'utf8'),
})

function variables(folder: string, environment: Readonly<Record<string, string | undefined>>): string {
  const path = join(folder, 'env.json')
  const given = Object.entries(environment).filter(([name]) => name.startsWith(VARIABLE))
  const own = given.map(([name, text]) => `${JSON.stringify(name.slice(VARIABLE.length))}:${jsonOf(text ?? '')}`)
  const stored = existsSync(path) ? readFileSync(path, 'utf8').trim() : '{}'
  if (own.length === 0) return stored
  if (!stored.startsWith('{') || !stored.endsWith('}')) return stored
  const inside = stored.slice(1, -1).trim()
  // Later names win, so what the process was given stands last; numbers keep their spelling.
  return `{${[...(inside === '' ? [] : [inside]), ...own].join(',')}}`
}

/** JSON when it is JSON, otherwise a string. */
function jsonOf(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(text)
  }
}
