import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { commandNames } from '../../src/cli/usage.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-cli-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(typed, {}, terminal)
  return { code, out: terminal.out.join('\n'), err: terminal.err.join('\n') }
}

function folder(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(root, name)
  for (const kind of ['pipes', 'systems']) mkdirSync(join(path, kind), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  return path
}

describe('samtale', () => {
  it('says what it can do', async () => {
    const { code, out } = await type('--help')
    expect(code).toBe(0)
    for (const name of commandNames) expect(out).toContain(`  ${name} `)
    expect(await type('help')).toEqual({ code, out, err: '' })
    expect((await type()).code).toBe(2)
  })

  it.each([...commandNames])('says what %s can be told', async (name) => {
    const { code, out } = await type(name, '--help')
    expect(code).toBe(0)
    expect(out).toContain(`Usage: samtale ${name}`)
    expect(await type(name, '-h')).toEqual({ code, out, err: '' })
    expect(await type('help', name)).toEqual({ code, out, err: '' })
  })

  it('says its version', async () => {
    expect(await type('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/) })
  })

  it('names the nearest command', async () => {
    const { code, err, out } = await type('chekc', 'x')
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain("there is no command 'chekc'. Did you mean 'check'?")
    expect((await type('constructor')).code).toBe(2)
  })

  it('names the nearest option', async () => {
    const { code, err } = await type('serve', '--prot', '1')
    expect(code).toBe(2)
    expect(err).toContain('samtale serve has no option --prot. Did you mean --port?')
  })

  it.each([
    [['check'], 'samtale check needs DIR.'],
    [['check', 'a', 'b'], "samtale check does not know what to do with 'b'."],
    [['check', '/nowhere/at/all'], 'there is no folder /nowhere/at/all'],
    [['serve', '--port', '70000'], '--port 70000 is not a port'],
    [['serve', '--port'], '--port'],
    [
      ['serve', '--auth', 'off', '--developer', '--host', '0.0.0.0'],
      '--auth off would let everybody in who reaches 0.0.0.0',
    ],
    [['serve', '--auth', 'off'], 'it needs --developer'],
    [['serve', '--auth', 'of'], '--auth of is neither on nor off'],
    [['serve', '--tls-cert', 'x.pem'], '--tls-cert and --tls-key go together'],
    [['user', 'add'], 'samtale user add needs the e-mail address'],
    [['token', 'create'], 'samtale token create needs the name'],
    [['import', 'x.ttl'], 'samtale import needs --dataset ID.'],
    [['import', '--dataset', 'd', '/nowhere.ttl'], 'there is no file /nowhere.ttl'],
    [['import', '--dataset', 'd', tmpdir()], 'is a folder, not a file'],
    [['import', '--dataset', 'd', '--format', 'turtel', import.meta.filename], "Did you mean 'turtle'?"],
    [['import', '--dataset', 'd', import.meta.filename], 'tells no RDF format'],
    [['erase', 'x'], 'samtale erase needs --dataset ID.'],
    [['export', '--data', '/nowhere'], '/nowhere holds no data of a hub'],
    [['export', '--format', 'n3'], 'Notation3 can be read, but not written'],
  ])('refuses %j with exit code 2', async (typed, message) => {
    const { code, err } = await type(...typed)
    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(err).toContain(`samtale ${typed[0]} --help shows how.`)
  })
})

describe('a data folder', () => {
  const data = join(root, 'data')

  it('is named when it cannot be one, with what is in the way', async () => {
    const file = join(root, 'a-file')
    writeFileSync(file, '')
    const { code, err } = await type('import', '--dataset', 'd', '--format', 'ttl', '--data', file, file)
    expect(code).toBe(1)
    expect(err).toBe(`samtale: ${file}/tenants: a part of this path is a file, not a folder (ENOTDIR).`)
  })

  it('that was damaged is said to be', async () => {
    const damaged = join(root, 'damaged')
    mkdirSync(damaged)
    writeFileSync(join(damaged, 'node.json'), '{"id":')
    expect(await type('export', '--data', damaged)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${damaged}/node.json is not what the hub wrote there.`),
    })
  })

  it('takes only a base that identifiers can begin with, once', async () => {
    const sound = folder('based', { 'pipes/a.conf.json': '{"_id":"a","type":"pipe","source":{"type":"empty"}}' })
    const run = (base: string) => type('run', sound, '--data', data, '--base', base)
    for (const base of ['hub', 'ftp://hub.example', 'https://hub.example/?a=b']) {
      expect(await run(base)).toMatchObject({ code: 1, err: expect.stringContaining(`'${base}' cannot be the base`) })
    }
    expect(await run('https://hub.example')).toMatchObject({ code: 0 })
    expect(await run('https://other.example')).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /has the base https:\/\/hub\.example; it cannot become https:\/\/other\.example\.\n {2}Leave/,
      ),
    })
  })

  it('names the nearest dataset and tenant, and a folder that is not there', async () => {
    const of = (...typed: string[]) => type('export', '--data', data, ...typed)
    expect(await of('--dataset', 'b')).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no dataset 'b'."),
    })
    expect(await of('--tenant', 'defautl')).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no tenant 'defautl'"),
    })
    expect((await of('--tenant', 'defautl')).err).toContain("Did you mean 'default'?")
    expect(await of('/nowhere/x.ttl')).toMatchObject({
      code: 1,
      err: 'samtale: /nowhere/x.ttl: there is no such file or folder (ENOENT).',
    })
  })
})

describe('samtale check', () => {
  const broken = folder('broken', {
    'pipes/a.conf.json': '{"_id":"a","type":"pipe","source":{"type":"embeded","entities":[]},"sorce":1}',
    'pipes/b.conf.json':
      '{"_id":"b","type":"pipe","source":{"type":"dataset","dataset":"missing"},\n "pump":{"mode":"of"}}',
    'pipes/c.conf.json': '{"_id":"c",\n',
    'pipes/d.conf.json':
      '{"_id":"d","type":"pipe","source":{"type":"dataset","dataset":"b"},"transform":{"type":"dtl","rules":{"default":[["copy","*"],["add","x",["concta","_S.a"]]]}}}',
    'pipes/e.json': '{}',
  })

  it('prints every problem at once, each with file and pointer, and exits 1', async () => {
    const { code, out, err } = await type('check', broken)
    expect(code).toBe(1)
    expect(out).toContain(
      "pipes/a.conf.json /source/type\n        Unknown source type 'embeded'. Did you mean 'embedded'?",
    )
    expect(out).toMatch(/warning .*pipes\/a\.conf\.json \/sorce\n.*Unknown property 'sorce'.*Did you mean 'source'\?/)
    expect(out).toMatch(/error .*pipes\/b\.conf\.json \/pump\/mode\n.*"scheduled" or "manual" or "off", not "of"/)
    expect(out).toMatch(/error .*pipes\/c\.conf\.json \/\n.*at line 2, column 1\./)
    expect(out).toMatch(/error .*pipes\/d\.conf\.json \/transform\/rules\/default\/1\/2.*\n.*concta.*concat/)
    expect(out).toContain('The configuration is not valid: 4 files, 4 errors, 1 warning.')
    expect(err).toBe('ignored pipes/e.json: its name does not end in .conf.json.')
  })

  it('prints them for programs', async () => {
    const { code, out } = await type('check', broken, '--json')
    expect(code).toBe(1)
    const { problems } = JSON.parse(out)
    expect(problems).toContainEqual({
      level: 'error',
      component: 'a',
      file: 'pipes/a.conf.json',
      pointer: '/source/type',
      message: "Unknown source type 'embeded'.",
      hint: "Did you mean 'embedded'?",
    })
  })

  it('exits 0 when there are only warnings', async () => {
    const sound = folder('sound', {
      'pipes/a.conf.json':
        '{"_id":"a","type":"pipe","source":{"type":"dataset","dataset":"later"},"description":["x"]}',
      'node-metadata.conf.json': '{"_id":"node","type":"metadata"}',
    })
    const { code, out } = await type('check', sound)
    expect(code).toBe(0)
    expect(out).toContain('The configuration is valid: 2 files, 0 errors, 1 warning.')
  })

  it('says once where a variable is missing', async () => {
    const missing = folder('missing', {
      'pipes/a.conf.json': '{"_id":"a","type":"pipe","source":{"type":"json","system":"s","url":"$ENV(there)"}}',
      'systems/s.conf.json': '{"_id":"s","type":"system:url","url_pattern":"$ENV(address)"}',
    })
    const { code, out } = await type('check', missing)
    expect(code).toBe(1)
    expect(out).toContain(
      "pipes/a.conf.json /source/url\n        The environment variable 'there' is not defined. Define it in",
    )
    expect(out).toContain('The configuration is not valid: 2 files, 2 errors, 0 warnings.')
  })

  it('says what is wrong with the variables', async () => {
    const wrong = folder('wrong', {
      'pipes/a.conf.json': '{"_id":"a","type":"pipe","source":{"type":"empty"}}',
      'env.json': '{"a":',
    })
    const { code, err } = await type('check', wrong)
    expect(code).toBe(1)
    expect(err).toContain('Environment variables (env.json): Not JSON: expected a value')
  })
})

describe('samtale run, once more with another configuration', () => {
  it('says which pipes are out of sync, and heals those that may be', async () => {
    const data = mkdtempSync(join(tmpdir(), 'samtale-again-'))
    onTestFinished(() => rmSync(data, { recursive: true, force: true }))
    const configured = (name: string, more: object) =>
      folder(name, {
        'pipes/a.conf.json': JSON.stringify({
          _id: 'a',
          type: 'pipe',
          source: { type: 'embedded', entities: [{ _id: 'x' }] },
        }),
        'pipes/b.conf.json': JSON.stringify({
          _id: 'b',
          type: 'pipe',
          source: { type: 'dataset', dataset: 'a' },
          ...more,
        }),
      })
    const run = (folder: string, ...more: string[]) => type('run', folder, '--data', data, ...more)
    expect((await run(configured('first', {}))).out).not.toContain('out of sync')
    const transform = { type: 'dtl', rules: { default: [['copy', '*']] } }
    const { code, out } = await run(configured('changed', { transform }))
    expect(code).toBe(0)
    expect(out).toContain('out of sync b: Its source, transforms, sink or namespaces are others')
    expect(out).toContain('"reprocessing_policy": "automatic"')
    const healing = { transform, reprocessing_policy: 'automatic', rescan_when_config_changes: true }
    expect(JSON.parse((await run(configured('healing', healing), '--json')).out)).toMatchObject({ outOfSync: {} })
  }, 120_000)
})

describe('samtale erase', () => {
  it('erases an entity with all its versions, and says how many there were', async () => {
    const data = mkdtempSync(join(tmpdir(), 'samtale-erased-'))
    onTestFinished(() => rmSync(data, { recursive: true, force: true }))
    const configuration = folder('to-erase', {
      'pipes/one.conf.json':
        '{"_id":"one","type":"pipe","source":{"type":"embedded","entities":[{"_id":"x"},{"_id":"y"}]}}',
    })
    expect((await type('run', configuration, '--data', data)).code).toBe(0)
    const erase = (...more: string[]) => type('erase', '--data', data, '--dataset', 'one', ...more)
    expect(await erase('x', '--json')).toEqual({
      code: 0,
      out: '{"dataset":"one","entity":"x","versions":1}',
      err: '',
    })
    const { code, err } = await erase('x')
    expect(code).toBe(1)
    expect(err).toContain("There is no entity 'x' in the dataset 'one'.")
  })
})
