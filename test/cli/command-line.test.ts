/** The program as a user types it, in a process of its own. */

import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { commandNames } from '../../src/cli/usage.ts'
import { startFakeServer } from '../fakes/http-server.ts'
import { samtale } from './command-line.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-typed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A configuration folder with these pipes and systems. */
function folder(name: string, ...components: readonly { _id: string; type: string }[]): string {
  for (const kind of ['pipes', 'systems']) mkdirSync(join(root, name, kind), { recursive: true })
  for (const component of components) {
    const kind = component.type === 'pipe' ? 'pipes' : 'systems'
    writeFileSync(join(root, name, kind, `${component._id}.conf.json`), JSON.stringify(component))
  }
  return join(root, name)
}

const pipe = (_id: string, source: object, more: object = {}) => ({ _id, type: 'pipe', source, ...more })
const embedded = (_id: string, entities: readonly object[] = [{ _id: '1' }]) =>
  pipe(_id, { type: 'embedded', entities })
const hop = (dataset: string) => [
  'hops',
  { datasets: [`${dataset} x`], where: ['eq', '_S._id', 'x._id'], return: 'x._id' },
]
const adding = (value: unknown) => ({
  transform: {
    type: 'dtl',
    rules: {
      default: [
        ['copy', '*'],
        ['add', 'x', value],
      ],
    },
  },
})

const ESCAPE = '\u001b'

describe('samtale', () => {
  it('says what it can do, its version, and what a command can be told', async () => {
    const [help, version, serve] = await Promise.all([
      samtale(['--help']),
      samtale(['--version']),
      samtale(['serve', '-h']),
    ])
    expect(help).toMatchObject({ code: 0, err: '' })
    for (const name of commandNames) expect(help.out).toContain(`\n  ${name} `)
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      version: string
    }
    expect(version).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
    for (const name of ['HOST', 'PORT', 'DATA', 'CONFIG', 'BASE', 'DEVELOPER']) {
      expect(serve.out).toMatch(new RegExp(`^  --${name.toLowerCase()} .*SAMTALE_${name}\\b.*\\)$`, 'm'))
    }
  })

  it('does not guess what was meant, but says it', async () => {
    const [command, option] = await Promise.all([samtale(['sevre']), samtale(['run', '.', '--jsno'])])
    expect(command).toEqual({
      code: 2,
      out: '',
      err: "samtale: there is no command 'sevre'. Did you mean 'serve'?\nsamtale --help lists the commands.\n",
    })
    expect(option).toEqual({
      code: 2,
      out: '',
      err: 'samtale: samtale run has no option --jsno. Did you mean --json?\nsamtale run --help shows how.\n',
    })
  })
})

describe('samtale check', () => {
  const mixed = folder(
    'mixed',
    embedded('sound'),
    pipe('misspelt', { type: 'embeded', entities: [] }),
    pipe('waits', { type: 'dataset', dataset: 'sound' }, adding(hop('nobody'))),
  )

  it('names every problem with file and pointer, plainly, since nobody watches', async () => {
    const [text, json] = await Promise.all([samtale(['check', mixed]), samtale(['check', mixed, '--json'])])
    expect(text).toEqual({
      code: 1,
      err: '',
      out: `error   pipes/misspelt.conf.json /source/type
        Unknown source type 'embeded'. Did you mean 'embedded'?
warning pipes/waits.conf.json /transform
        It hops to the dataset 'nobody', which no pipe writes. The pipe waits until the dataset is there and populated.
The configuration is not valid: 3 files, 1 error, 1 warning.
Not exact, so that what they hold may depend on what happened on the way: waits (unpopulated).
See 'samtale explain PIPE'.
`,
    })
    expect(json).toMatchObject({ code: 1, err: '' })
    expect((JSON.parse(json.out) as { problems: object[] }).problems).toMatchObject([
      { level: 'error', file: 'pipes/misspelt.conf.json', pointer: '/source/type' },
      { level: 'warning', file: 'pipes/waits.conf.json', pointer: '/transform' },
    ])
  })

  it('is content with a valid configuration, also when it is asked from inside its folder', async () => {
    const valid = folder('valid', embedded('one'))
    expect(await samtale(['check', '.'], { cwd: valid })).toEqual({
      code: 0,
      out: 'The configuration is valid: 1 file, 0 errors, 0 warnings.\n',
      err: '',
    })
  })
})

describe('samtale run', () => {
  const chain = [embedded('one', [{ _id: '1' }, { _id: '2' }]), pipe('two', { type: 'dataset', dataset: 'one' })]

  it('runs everything until nothing changes, prints a table and ends', async () => {
    const { code, out } = await samtale(['run', folder('chain', ...chain)])
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^pipe +outcome +runs +read +changes +dataset +entities +time$/)
    expect(lines[1]).toMatch(/^one +completed +2 +4 +2 +one +2 +\d+\.\d s$/)
    expect(lines[2]).toMatch(/^two +completed +2 +2 +2 +two +2 +\d+\.\d s$/)
    expect(lines.slice(3)).toEqual([expect.stringMatching(/^2 pipes in \d+\.\d s\.$/)])
  })

  it('exits 1 when a pipe failed, waits or is invalid, and says of each why', async () => {
    const troubled = folder(
      'troubled',
      ...chain,
      { _id: 'off', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' } as never,
      pipe('fails', { type: 'json', system: 'off', url: 'x' }),
      pipe('waits', { type: 'dataset', dataset: 'one' }, adding(hop('nobody'))),
      pipe('misspelt', { type: 'embeded', entities: [] }),
      pipe('asleep', { type: 'embedded', entities: [{ _id: '1' }] }, { pump: { mode: 'off' } }),
      pipe('pushed', { type: 'http_endpoint' }),
    )
    const [text, json] = await Promise.all([samtale(['run', troubled]), samtale(['run', troubled, '--json'])])
    expect([text.code, json.code]).toEqual([1, 1])
    expect(text.out).toMatch(
      /^failed fails: GET http:\/\/127\.0\.0\.1:1\/x got no answer: connect ECONNREFUSED .* Nothing listens there: .*\?$/m,
    )
    expect(text.out).toMatch(/^waiting waits: waits for dataset 'nobody', which does not exist yet$/m)
    expect(text.out).toMatch(/^misspelt +invalid +0 /m)
    expect(text.err).toContain("pipes/misspelt.conf.json /source/type\n        Unknown source type 'embeded'.")
    expect(text.err).toMatch(/^fails: failed, 0 read, 0 changed$/m)
    expect(text.err).not.toContain('{')
    const { isSettled, pipes } = JSON.parse(json.out) as {
      isSettled: boolean
      pipes: { pipe: string; outcome: string }[]
    }
    expect(isSettled).toBe(true)
    expect(Object.fromEntries(pipes.map(({ pipe, outcome }) => [pipe, outcome]))).toEqual({
      asleep: 'idle',
      fails: 'failed',
      misspelt: 'invalid',
      one: 'completed',
      pushed: 'idle',
      two: 'completed',
      waits: 'waiting',
    })
    expect(text.out + text.err + json.out + json.err).not.toContain(ESCAPE)
  })
})

describe('samtale run, interrupted', () => {
  it('ends at once, between batches, and says that it did not finish', async () => {
    const source = await startFakeServer()
    const asked = new Promise<void>((resolve) => source.on('/silent', () => resolve()))
    const slow = folder(
      'slow',
      { _id: 'crm', type: 'system:url', url_pattern: `${source.url}%s` } as never,
      pipe('silent', { type: 'json', system: 'crm', url: 'silent' }),
    )
    const began = (child: ChildProcess) => void asked.then(() => child.kill('SIGINT'))
    const { code, out } = await samtale(['run', slow], { began })
    await source.close()
    expect(code).toBe(1)
    expect(out).toMatch(/^silent +interrupted +1 /m)
    expect(out).toContain('Stopped before everything had settled.')
  })
})

describe('samtale export and import', () => {
  it('carry a dataset from one data folder to another', async () => {
    const entity = { _id: 'x:1', list: [2, 1], none: null, exact: '~f1.50', of: '~:y:2', nested: { deep: [[1], []] } }
    const [from, to, file] = [join(root, 'from'), join(root, 'to'), join(root, 'all.ttl')]
    expect(
      (await samtale(['run', folder('exported', embedded('one', [entity, { _id: 'x:2' }])), '--data', from])).code,
    ).toBe(0)
    expect(await samtale(['export', '--data', from, '--dataset', 'one', file])).toEqual({
      code: 0,
      out: '',
      err: expect.stringMatching(/^Wrote \d\.\d kB of Turtle to .*all\.ttl\.\n$/),
    })
    expect(await samtale(['import', '--dataset', 'one', file], { env: { SAMTALE_DATA: to } })).toEqual({
      code: 0,
      out: `${file}: 2 entities, 2 changed.\n`,
      err: '',
    })
    const again = await samtale(['export', '--data', to, '--format', 'ttl'])
    expect(again).toEqual({ code: 0, out: readFileSync(file, 'utf8'), err: '' })
    expect(again.out).toContain('~f1.50')
  })

  it('name the file and the line of a mistake, and keep nothing of it', async () => {
    const [data, file] = [join(root, 'untouched'), join(root, 'wrong.ttl')]
    writeFileSync(file, '<urn:x:1> <urn:x:p> 1 .\n<urn:x:2> <urn:x:p> nonsense .\n')
    const { code, err } = await samtale(['import', '--data', data, '--dataset', 'one', file])
    expect(code).toBe(1)
    expect(err).toMatch(
      /^samtale: .*wrong\.ttl: .*nonsense.* on line 2\.\n {2}Correct the text there; nothing of this file was imported\.\n$/,
    )
  })
})
