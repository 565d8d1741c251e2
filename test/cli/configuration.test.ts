import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/arguments.ts'
import { readConfiguration } from '../../src/cli/configuration.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-configuration-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function folder(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(root, 'c-'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  return path
}

describe('a configuration folder', () => {
  it('is read in a fixed order, each file as it is', () => {
    const path = folder({
      'pipes/b.conf.json': '{"b": 1.0}\n',
      'pipes/a.conf.json': '{}',
      'systems/s.conf.json': '{}',
      'node-metadata.conf.json': '{"m":1}',
      'README.md': 'no configuration',
    })
    const { files, folder: read, env, ignored } = readConfiguration(path, {})
    expect(files).toEqual([
      { name: 'pipes/a.conf.json', text: '{}' },
      { name: 'pipes/b.conf.json', text: '{"b": 1.0}\n' },
      { name: 'systems/s.conf.json', text: '{}' },
      { name: 'node-metadata.conf.json', text: '{"m":1}' },
    ])
    expect([read, env, ignored]).toEqual([path, '{}', []])
  })

  it('names what looks like configuration and is none', () => {
    const path = folder({
      'pipes/a.conf.json': '{}',
      'pipes/b.json': '{}',
      'pipes/notes.txt': '',
      'systems/c.json': '{}',
    })
    expect(readConfiguration(path, {}).ignored).toEqual(['pipes/b.json', 'systems/c.json'])
  })

  it('must be there and hold something', () => {
    expect(() => readConfiguration(join(root, 'nowhere'), {})).toThrow(UsageError)
    expect(() => readConfiguration(folder({ 'a.json': '{}' }), {})).toThrow(/no configuration/)
  })
})

describe('the variables of a configuration', () => {
  const pipes = { 'pipes/a.conf.json': '{}' }
  const variables = (stored: string, environment: Readonly<Record<string, string>>) =>
    readConfiguration(folder({ ...pipes, 'env.json': stored }), environment).env

  it('are those of env.json, spelled as they are', () => {
    expect(variables('{"a": 1.0}\n', { OTHER: 'x' })).toBe('{"a": 1.0}')
  })

  it('are overruled by the environment, as JSON where it is JSON', () => {
    const env = variables('{"a": 1.0, "b": 2}', {
      SAMTALE_ENV_b: '12345678901234567890',
      SAMTALE_ENV_c: 'text',
      SAMTALE_ENV_d: '"quoted"',
    })
    expect(env).toBe('{"a": 1.0, "b": 2,"b":12345678901234567890,"c":"text","d":"quoted"}')
    expect(variables('{}', { SAMTALE_ENV_b: 'true' })).toBe('{"b":true}')
  })
})
