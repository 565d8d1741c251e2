/** `samtale flow`: the flow map as a tree. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { write } from '../log/sample.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-flow-'))
const config = join(root, 'config')
const data = join(root, 'data')
afterAll(() => rmSync(root, { recursive: true, force: true }))

const dtl = (...rules: unknown[]) => ({ type: 'dtl', rules: { default: [['copy', '*'], ...rules] } })
const hop = ['add', 'h', ['hops', { datasets: ['b p'], where: ['eq', '_S.x', 'p._id'], return: 'p.t' }]]
const PIPES = [
  { _id: 'a', type: 'pipe', source: { type: 'http_endpoint' } },
  { _id: 'b', type: 'pipe', source: { type: 'http_endpoint' } },
  { _id: 'c', type: 'pipe', source: { type: 'dataset', dataset: 'a' }, transform: dtl(hop) },
  { _id: 'd', type: 'pipe', source: { type: 'dataset', dataset: 'c' }, transform: dtl(['discard', '_S.x']) },
  { _id: 'round', type: 'pipe', source: { type: 'dataset', dataset: 'round' } },
]

beforeAll(async () => {
  mkdirSync(join(config, 'pipes'), { recursive: true })
  for (const pipe of PIPES) writeFileSync(join(config, 'pipes', `${pipe._id}.conf.json`), JSON.stringify(pipe))
  const log = join(data, 'tenants', 'default', 'log')
  mkdirSync(log, { recursive: true })
  const writer = await LogWriter.open(log)
  await writer.commit({ meta: [['config', JSON.stringify(PIPES)]] })
  await writer.assertDataset('a')
  await writer.commit({ writes: [write('a', [{ _id: '1' }, { _id: '2' }])], populated: [['a', true]] })
  await writer.close()
})

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(typed, {}, terminal)
  return { code, out: terminal.out }
}

describe('samtale flow', () => {
  it('draws what feeds what, each thing once, and names the circles', async () => {
    expect(await type('flow', '--config', config)).toEqual({
      code: 0,
      out: [
        'a  receiver',
        '`- a',
        '   `- c  internal',
        '      `- c',
        '         `- d  internal, not exact',
        '            `- d',
        'b  receiver',
        '`- b',
        '   `- hop of c  internal (see above)',
        'round',
        '`- round  internal, not exact',
        '   `- round (see above)',
        'in a circle: round -> round',
      ],
    })
  })

  it('shows what waits, of the data of a hub', async () => {
    const { out } = await type('flow', '--data', data)
    expect(out.slice(0, 2)).toEqual(['a  receiver', '`- a  2 entities'])
    expect(out[2]).toMatch(/^ {3}`- c {2}internal, 2 waiting, for \d+ s$/)
  })

  it('gives the map to programs', async () => {
    const { out } = await type('flow', '--config', config, '--json')
    const map = JSON.parse(out.join('\n')) as { edges: object[]; cycles: string[][] }
    expect(map.edges).toContainEqual({ from: 'dataset:b', to: 'pipe:c', as: 'hop' })
    expect(map.cycles).toEqual([['round']])
  })
})
