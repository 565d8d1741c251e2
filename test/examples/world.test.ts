/** Runs `examples/world` as a user does: all countries, Norway's places. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { figures } from './world-figures.ts'

const root = join(import.meta.dirname, '../..')
const world = join(root, 'examples/world')
const norway = { alpha2: 'NO', country: 'Norway' }
const environment = { ...process.env, SAMTALE_ENV_alpha2: norway.alpha2, SAMTALE_ENV_country: norway.country }
const command = (...args: string[]): string[] => ['--import', 'tsx', join(root, 'src/main.ts'), ...args]

const text = (file: string): string => readFileSync(join(world, file), 'utf8')
const json = (file: string) => JSON.parse(text(file))

describe('the figures of examples/world', () => {
  test('are those that plain JavaScript counts in the packages', () => {
    expect(json('expected.json')).toEqual({ all: figures({ alpha2: '*', country: '*' }), norway: figures(norway) })
  })

  test('come from currencies as the package has them', () => {
    const currencies = createRequire(import.meta.url)('currency-codes/data') as Record<string, unknown>[]
    const own = currencies.map(({ code, number, digits, currency }) => ({ code, number, digits, currency }))
    expect(json('data/currencies.json')).toEqual(own)
  })
})

describe('examples/world', () => {
  const data = mkdtempSync(join(tmpdir(), 'samtale-world-'))
  let hub: ChildProcess | undefined

  afterAll(() => {
    hub?.kill('SIGKILL')
    rmSync(data, { recursive: true, force: true })
  })

  beforeAll(async () => {
    const args = command('run', world, '--json', '--data', data)
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment, maxBuffer: 1e7 })
    report = JSON.parse(stdout)
  }, 120_000)

  let report: { isSettled: boolean; pipes: { pipe: string; outcome: string; dataset: string; entities: number }[] }

  test('runs to its end and finds what is expected, and nothing else', () => {
    expect(report.isSettled).toBe(true)
    expect(report.pipes.filter(({ outcome }) => outcome !== 'completed')).toEqual([])
    const found = Object.fromEntries(report.pipes.map(({ dataset, entities }) => [dataset, entities]))
    expect(found).toEqual(json('expected.json').norway)
  })

  test('answers its questions', async () => {
    hub = spawn(process.execPath, command('serve', '--developer', '--port', '0', '--config', world, '--data', data), {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const address = await listening(hub)
    const { oslo, norway: country } = json('queries/answers.json')
    await expect.poll(() => sparql(address, text('queries/oslo.rq')), { timeout: 30_000, interval: 250 }).toEqual(oslo)
    expect(await graphql(address, text('queries/norway.graphql'))).toEqual(country)
  }, 60_000)
})

/** The address in the line that the hub prints when its API answers. */
function listening(hub: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    hub.once('exit', (code) => reject(new Error(`The hub ended with ${code}: ${printed}`)))
    hub.stdout?.on('data', (chunk) => {
      printed += chunk
      const address = /listening on (http:\S+)/.exec(printed)?.[1]
      if (address !== undefined) resolve(address)
    })
  })
}

/** Rows as lists of plain values, in the order of the question's variables; a message while there is no answer. */
async function sparql(address: string, query: string): Promise<unknown> {
  const headers = { 'content-type': 'application/sparql-query', accept: 'application/sparql-results+json' }
  const answer = await fetch(`${address}/sparql`, { method: 'POST', headers, body: query })
  if (!answer.ok) return `${answer.status} ${await answer.text()}`
  const { head, results } = (await answer.json()) as {
    head: { vars: string[] }
    results: { bindings: Record<string, { value: string }>[] }
  }
  return results.bindings.map((row) => head.vars.map((name) => row[name]?.value))
}

async function graphql(address: string, query: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${address}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) })
  return answer.json()
}
