/** Reads mappings from the repository, and writes a configuration into a folder, one file for each component. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MappingFiles } from './compile.ts'
import type { Component } from './pipes.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

export function mappingFiles(): MappingFiles {
  const folder = join(repository, 'mappings')
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'))
  const yaml = paths.filter((path) => path.endsWith('.yaml'))
  return {
    model: readFileSync(join(repository, 'ontology', 'model.ttl'), 'utf8'),
    files: new Map(yaml.map((path) => [path, readFileSync(join(folder, path), 'utf8')])),
  }
}

/** A folder as `samtale serve --config` reads it; what was in it before is gone. */
export function writeConfiguration(
  folder: string,
  components: readonly Component[],
  env: Readonly<Record<string, string>>,
): void {
  rmSync(folder, { recursive: true, force: true })
  for (const kind of ['pipes', 'systems']) mkdirSync(join(folder, kind), { recursive: true })
  for (const component of components) writeFileSync(join(folder, fileOf(component)), `${pretty(component)}\n`)
  writeFileSync(join(folder, 'env.json'), `${pretty(env)}\n`)
}

function fileOf({ _id: id, type }: Component): string {
  if (type === 'metadata') return 'node-metadata.conf.json'
  return `${type === 'pipe' ? 'pipes' : 'systems'}/${id}.conf.json`
}

const WIDTH = 110
/** Longer lists are tables: several elements stand on a line. */
const TABLE = 12

/** Indented JSON in which what fits on a line stays on one: DTL is read in lines. */
export function pretty(value: unknown, indent = ''): string {
  const short = oneLine(value)
  if (typeof value !== 'object' || value === null || indent.length + short.length <= WIDTH) return short
  const inner = `${indent}  `
  const lines = Array.isArray(value)
    ? value.length > TABLE
      ? filled(value.map(oneLine), WIDTH - inner.length)
      : value.map((element) => pretty(element, inner))
    : Object.entries(value).map(([name, element]) => `${JSON.stringify(name)}: ${pretty(element, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indent}${close}`
}

function filled(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length + 2 <= width) lines[lines.length - 1] = `${last}, ${word}`
    else lines.push(word)
  }
  return lines
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, element]) => `${JSON.stringify(name)}: ${oneLine(element)}`)
    .join(', ')}}`
}
