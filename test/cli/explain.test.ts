import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-explain-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const PIPE = {
  _id: 'enriched',
  type: 'pipe',
  source: { type: 'dataset', dataset: 'person' },
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', ['list', 'a', 'b*'], 'bc'],
        ['add', 'id', ['uuid']],
        [
          'add',
          'country',
          [
            'hops',
            {
              datasets: ['country n', 'company c'],
              where: [
                ['eq', 'c.country', 'n._id'],
                ['eq', ['lower', '_S.company'], 'c._id'],
                ['gt', 'n.size', ['plus', 1, 2]],
              ],
              return: 'n.name',
            },
          ],
        ],
        ['add', 'lost', ['hops', { datasets: ['order o'], where: ['eq', '_T.id', 'o.id'] }]],
        [
          'add',
          'lines',
          [
            'apply-hops',
            'line',
            { datasets: ['line l'], where: ['eq', '_S._id', 'l.of'], 'track-dependencies': false },
          ],
        ],
      ],
      line: [['rename', 'sum', 'price']],
    },
  },
}
const BROKEN = { ...PIPE, _id: 'broken', transform: { type: 'dtl', rules: { default: [['cpy', '*']] } } }

const config = join(root, 'config')

beforeAll(async () => {
  mkdirSync(join(config, 'pipes'), { recursive: true })
  for (const pipe of [PIPE, BROKEN]) writeFileSync(join(config, 'pipes', `${pipe._id}.conf.json`), JSON.stringify(pipe))
  const log = join(root, 'tenants', 'default', 'log')
  mkdirSync(log, { recursive: true })
  const writer = await LogWriter.open(log)
  await writer.commit({ meta: [['config', JSON.stringify([PIPE])]] })
  await writer.close()
})

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(typed, {}, terminal)
  return { code, out: terminal.out, err: terminal.err.join('\n') }
}

describe('samtale explain', () => {
  it('says how each join is found, what can be followed back, and where properties come from', async () => {
    const { code, out } = await type('explain', 'enriched', '--config', config)
    expect(code).toBe(0)
    const end = out.indexOf('Not exact: what it holds may depend on what happened on the way.')
    expect(out.slice(end)).toContain("  chance (/transform/rules/default/1/2): 'uuid' gives another value each time.")
    expect(out.slice(0, end - 1)).toEqual([
      'enriched',
      "  reads 'person' and writes 'enriched'",
      '  does not give the same each time it runs: see below what it depends on',
      "  waits until 'country', 'company', 'order', 'line' are populated",
      "  needs an index of 'company' on _S._id",
      "  needs an index of 'country' on _S._id",
      "  needs an index of 'order' on _S.id",
      "  needs an index of 'line' on _S.of",
      '',
      'Transform 1 (/transform)',
      "  hops in the rule 'default' (/rules/default/2/2)",
      `    1. 'c' of dataset 'company': looks up ["lower","_S.company"] in the index on _S._id, once for each source`,
      "    2. 'n' of dataset 'country': looks up c.country in the index on _S._id, for each 'c'",
      `    without an index: The condition ["gt","n.size",["plus",1,2]] is checked on each 'n' found.`,
      '    gives n.name for each row found',
      '    a change of \'country\' can be followed back to \'company\' by its _S._id in an index on _S.country, from there to the source by its _S._id in an index on ["lower","_S.company"]',
      '    a change of \'company\' can be followed back to the source by its _S._id in an index on ["lower","_S.company"]',
      "  hops in the rule 'default' (/rules/default/3/2)",
      "    1. 'o' of dataset 'order': looks up _T.id in the index on _S.id, once for each source",
      '    gives o for each row found',
      "    not tracked 'o': it is joined with _T, and not with _S: no index knows that",
      "  hops in the rule 'default' (/rules/default/4/2)",
      "    1. 'l' of dataset 'line': looks up _S._id in the index on _S.of, once for each source",
      '    gives l for each row found',
      '    not tracked: "track-dependencies" is false, so no change of what it joins is followed back',
      '  computed once, when the pipe is loaded:',
      '    ["plus",1,2]',
      '  depends on more than the data:',
      "    chance: 'uuid' (/rules/default/1/2)",
      "  properties of the rule 'default', and where they come from:",
      '    _id <- _S._id (start)',
      '    a but bc <- _S.a (copy)',
      '    b* but bc <- _S.b* (copy)',
      '    id <- no property (add)',
      '    country <- country: name (add)',
      '    lost <- order: the entity (add)',
      '    lines <- its properties, which follow (add)',
      '    lines.price <- line: sum (add)',
      "  properties of the rule 'line', and where they come from:",
      '    price <- _S.sum (rename)',
    ])
  })

  it('says the same of the configuration that a data folder holds, and as JSON', async () => {
    const ofFolder = await type('explain', 'enriched', '--config', config, '--json')
    const ofData = await type('explain', 'enriched', '--data', root, '--json')
    expect(ofData).toEqual(ofFolder)
    expect(JSON.parse(ofData.out.join('\n'))).toMatchObject({
      pipe: 'enriched',
      deterministic: false,
      transforms: [{ pointer: '/transform', hops: [{ rule: 'default' }, {}, {}], lineage: [{ rule: 'default' }, {}] }],
    })
  })

  it('names the nearest pipe, and shows what is wrong with one that has errors', async () => {
    expect(await type('explain', 'enrichd', '--config', config)).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no pipe 'enrichd'. Did you mean 'enriched'?"),
    })
    const { code, out, err } = await type('explain', 'broken', '--config', config)
    expect(code).toBe(1)
    expect(out.join('\n')).toContain("Unknown transform 'cpy'")
    expect(err).toContain('has errors')
  })
})

describe('samtale docs dtl', () => {
  it('prints every function and transform as Markdown', async () => {
    const { code, out } = await type('docs', 'dtl')
    expect(code).toBe(0)
    const text = out.join('\n')
    expect(text).toMatch(/^# Data Transformation Language\n/)
    expect(text).toContain('## Strings\n')
    expect(text).toContain('### upper\n\n    ["upper", VALUES]\n')
    expect(text).toContain('- `track-dependencies` (boolean, default `true`)')
  })

  it('prints JSON from which editors complete', async () => {
    const { functions, transforms, variables, hops } = JSON.parse((await type('docs', 'dtl', '--json')).out.join('\n'))
    expect(variables.map(({ name }: { name: string }) => name)).toEqual(['_S', '_T', '_P', '_R', '_B', '_'])
    expect(hops).toHaveLength(10)
    expect(transforms.find(({ name }: { name: string }) => name === 'add')).toMatchObject({ kind: 'transform' })
    expect(functions.find(({ name }: { name: string }) => name === 'range')).toMatchObject({
      kind: 'function',
      chapter: 'Lists',
      arguments: { least: 2, most: 3 },
      forms: [[{ name: 'START', kind: 'integer-expression', count: '1' }, {}, { name: 'STEP', count: '0|1' }]],
    })
    for (const entry of [...functions, ...transforms]) {
      expect(entry.summary).toMatch(/\.$/)
      expect(entry.examples.length).toBeGreaterThan(0)
    }
  })

  it('prints one name, a transform and a function where it is both', async () => {
    const { out } = await type('docs', 'dtl', 'filter')
    expect(out.join('\n').match(/^### filter$/gm)).toHaveLength(2)
    expect(await type('docs', 'dtl', 'uper')).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no function or transform 'uper'. Did you mean 'upper'?"),
    })
    expect(await type('docs', 'sql')).toMatchObject({ code: 2, err: expect.stringContaining('there is dtl') })
  })
})
