/**
 * `npm run test:client -- <folder of sesam-py> <folder of the tutorial> [what]`: the public command line client, unmodified, over the
 * stand-in for its HTTP library, against a hub of this source in developer mode with authentication: every command, with its exit code.
 *
 * Both folders are checkouts of public repositories and no part of this one. The client needs Debian's python3 with
 * python3-requests, -lxml, -pytest, -flask, -jinja2, -openssl and -pycryptodome; PYTHON names another one.
 */

import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DIST, isBuilt, SRC } from '../built.ts'

const [clientFolder, tutorialFolder] = process.argv.slice(2, 4).map((path) => resolve(path))
/** What is played; all of it unless said. */
const wanted = process.argv.slice(4)
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3'
const FAKES = join(import.meta.dirname, '../fakes')
/** A token that says nothing of anybody, and opens nothing. */
const EMPTY_TOKEN = `e30.${Buffer.from('{}').toString('base64url')}.signature`

if (clientFolder === undefined || tutorialFolder === undefined) {
  fail('Give two folders: one of sesam-py, one of the tutorial.')
}
for (const path of [join(clientFolder, 'sesam.py'), join(tutorialFolder, 'globals/config')]) {
  if (!existsSync(path)) fail(`There is no ${path}.`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

interface Expected {
  readonly code?: number
  readonly says?: RegExp
  /** Otherwise that of the administrator. */
  readonly token?: string
}

interface Said {
  readonly code: number | null
  readonly text: string
}

const root = mkdtempSync(join(tmpdir(), 'samtale-client-'))
const hub = await startHub()
let passed = 0
const failures: string[] = []

/** Types a command of the client in a project's folder, and holds it to its exit code and to what it says. */
function sesam(project: string, line: string, expected: Expected = {}): Said {
  const typed = line.split(' ').filter((word) => word !== '')
  const { status, stdout, stderr } = spawnSync(
    PYTHON,
    ['-B', join(clientFolder as string, 'sesam.py'), '-node', hub.url, '-jwt', expected.token ?? hub.token, ...typed],
    {
      cwd: project,
      encoding: 'utf8',
      timeout: 300_000,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: root,
        PYTHONPATH: `${FAKES}:${join(FAKES, 'sesamclient/absent')}`,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  )
  const text = `${stdout}${stderr}`
  const { code = 0, says } = expected
  console.log(`\n$ sesam ${line}\n${text.trimEnd().replace(/^/gm, '  ')}\n  exit code ${status}`)
  check(`sesam ${line}: exit code ${code}`, status === code)
  if (says !== undefined) check(`sesam ${line}: says ${says}`, says.test(text))
  return { code: status, text }
}

function check(what: string, isSo: boolean): void {
  if (isSo) passed++
  else {
    failures.push(what)
    console.log(`  FAILED: ${what}`)
  }
}

/** A copy of a project that the client may write to. */
function copyOf(name: string, folder: string): string {
  const copy = join(root, name)
  cpSync(folder, copy, { recursive: true })
  console.log(`\n# ${name}`)
  return copy
}

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8')

const PROJECTS: Readonly<Record<string, () => void>> = { fairWeather, globals, conversion, connector }
try {
  for (const [name, play] of Object.entries(PROJECTS)) if (wanted.length === 0 || wanted.includes(name)) play()
} finally {
  await hub.end()
  rmSync(root, { recursive: true, force: true })
}
for (const failure of failures) console.log(`FAILED: ${failure}`)
console.log(`\n${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1

/** As the client's own test does it, and every other command. */
function fairWeather(): void {
  const project = copyOf('fair_weather_test', join(clientFolder as string, 'tests/fair_weather_test'))
  sesam(project, '-vv reset', { says: /Successfully reset target node/ })
  sesam(project, '-vv -print-scheduler-log -whitelist-file whitelist.txt -run-pytest tests test', {
    says: /All tests passed! Ran 2 tests/,
  })
  sesam(project, '-vv -whitelist-file whitelist.txt verify', { says: /All tests passed/ })
  sesam(project, '-vv update')
  check(
    'update leaves what was expected as it was',
    read(project, 'expected/output-pipe-csv.csv') === '_id,name\r\ntest1,test1\r\ntest2,test2\r\n',
  )
  sesam(project, '-vv status', { says: /NOT in sync/ })
  sesam(project, '-dump -vv download -sesamconfig-file .mysesamconfig.json')
  check('download leaves a zip file', existsSync(join(project, 'sesam-config.zip')))
  check('download takes away what was not uploaded', !existsSync(join(project, 'pipes/foo.conf.json')))
  sesam(project, '-vv status', { says: /up-to-date/ })
  sesam(project, '-vv -output-run-statistics run', { says: /input-pipe1 +\d+ +\d+/ })
  sesam(project, '-vv -scheduler-request-mode async -print-scheduler-log run', { says: /Success: all pipes ran/ })
  sesam(project, '-vv -scheduler-mode poll -scheduler-dont-reset-pipes-or-delete-sink-datasets run')
  sesam(project, '-vv -runs 2 test', { says: /All tests passed/ })
  sesam(project, '-vv stop')
  sesam(project, 'dump')
  sesam(project, '-vv -add-test-entities init', { says: /already have conditional sources/ })
  sesam(project, '-vv -enable-user-pipes -disable-cpp-extensions upload', { says: /Config uploaded successfully/ })
  sesam(project, '-vv -upload-delete-sink-datasets upload', { says: /Config uploaded successfully/ })
  sesam(project, '-vv restart', { says: /Successfully restarted target node/ })
  sesam(project, '-vv status', { says: /up-to-date/ })
  sesam(project, 'format pipes')

  writeFileSync(join(project, 'expected/output-pipe1.json'), '[{"_id": "test1", "name": "another"}]')
  sesam(project, '-vv run')
  sesam(project, '-vv verify', { code: 1, says: /Length mismatch/ })
  const broken = { _id: 'broken', type: 'pipe', source: { type: 'datset', dataset: 'input-pipe1' } }
  writeFileSync(join(project, 'pipes/broken.conf.json'), JSON.stringify(broken))
  sesam(project, '-vv upload', { code: 1, says: /datset/ })
  sesam(project, '-vv -force upload', { says: /Config uploaded successfully/ })
  sesam(project, '-vv run', { code: 1, says: /Pipe 'broken' has errors in its configuration/ })
  sesam(project, '-vv wipe', { says: /Successfully wiped node/ })
  sesam(project, '-vv reset', { says: /Successfully reset target node/ })
  sesam(project, 'fly', { code: 1 })
  sesam(project, '-vv download', { code: 1, token: EMPTY_TOKEN })
}

/** Merges, hops and conditional sources, with no word about the scheduler in the configuration. */
function globals(): void {
  const project = copyOf('globals', join(tutorialFolder as string, 'globals/config'))
  sesam(project, '-vv test', { says: /All tests passed! Ran 1 tests/ })
  sesam(project, '-vv update')
  sesam(project, '-vv download')
  sesam(project, '-vv status', { says: /up-to-date/ })
  sesam(project, '-vv verify', { says: /All tests passed/ })
  sesam(project, '-vv -print-scheduler-log run', { says: /Pass 1: pipe 'merged-customer' read/ })
  sesam(project, '-vv -add-test-entities -force-add init', { says: /Successfully added a total of \d+ test entities/ })
  sesam(project, '-vv restart')
  sesam(project, '-vv wipe', { says: /Successfully wiped node/ })
  sesam(project, '-vv verify', { says: /No|non-exisiting/, code: 1 })
  sesam(project, '-vv reset')
}

/** Sources become receivers, and test data is pushed to them. */
function conversion(): void {
  const folder = join(clientFolder as string, 'tests/embedded_conversion_test')
  const project = copyOf('embedded_conversion_test', join(folder, 'before'))
  sesam(project, '-vv wipe')
  sesam(project, '-vv convert', { says: /Successfully converted pipes/ })
  const expected = contentOf(join(folder, 'expected_after'))
  check('convert makes what is expected', JSON.stringify(contentOf(project)) === JSON.stringify(expected))
  // Its mail server is a system of a type that this hub does not have, and that no pipe uses.
  sesam(project, '-vv upload', { code: 1, says: /system:smtp/ })
  sesam(project, '-vv -force -use-internal-scheduler -print-scheduler-log test', { says: /All tests passed/ })
  sesam(project, '-vv reset')
}

/** Files below a folder by their path, in order. */
function contentOf(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((path) => [relative(folder, path), readFileSync(path, 'utf8')])
}

/** A connector from its beginning: made, filled, uploaded with its secret, its shapes inferred and taken down again. */
function connector(): void {
  const project = join(root, 'demo-connector')
  mkdirSync(project)
  writeFileSync(join(root, 'LICENSE'), 'none')
  console.log('\n# demo-connector')
  sesam(root, '-vv -d demo-connector --auth api_key connector-init')
  sesam(project, '-vv add-datatype contact')
  const id = '{{@ system @}}-{{@ datatype @}}'
  const system = {
    _id: '{{@ system @}}',
    type: 'system:url',
    url_pattern: 'http://127.0.0.1:1/%s',
    headers: { 'x-api-key': '$SECRET(api_key)' },
  }
  const people = [
    { _id: '1', name: 'Ada', age: 36, email: null },
    { _id: '2', name: 'Bo', email: null },
  ]
  const pipes = [
    { _id: `${id}-all`, type: 'pipe', source: { type: 'embedded', entities: people } },
    { _id: `${id}-collect`, type: 'pipe', source: { type: 'dataset', dataset: `${id}-all` } },
  ]
  writeFileSync(join(project, 'templates/system.json'), JSON.stringify(system))
  writeFileSync(join(project, 'templates/contact.json'), JSON.stringify(pipes))
  writeFileSync(join(project, '.authconfig'), 'api_key = "very-secret-key"')
  sesam(project, '-vv validate', { says: /All config files are valid/ })
  sesam(project, '-vv upload', { says: /All secrets and environment variables have been updated successfully/ })
  sesam(project, '-vv -skip-auth upload', { says: /Config uploaded successfully/ })
  sesam(project, '-vv authenticate', { says: /updated successfully/ })
  sesam(project, '-vv status', { says: /Sesam config is/ })
  // Shapes are counted while pipes run; on a developer's hub only once somebody asks for them, as the first command does.
  sesam(project, '-vv update-schemas', { says: /schema for datatype 'contact' is empty/ })
  sesam(join(project, '.expanded'), '-vv run')
  sesam(project, '-vv update-schemas', { says: /Writing incomplete schema with 1 null-properties/ })
  const shape = JSON.parse(read(project, 'schemas/contact.json')) as { properties: Record<string, unknown> }
  const left = Object.keys(shape.properties)
  check(`update-schemas leaves to people what nobody can infer, not ${left}`, left.join() === 'email')
  sesam(project, '-vv download', { says: /Replaced local config successfully/ })
  check('download leaves the secret out', !read(project, 'templates/system.json').includes('very-secret-key'))
  sesam(project, '-vv reset')
}

async function startHub(): Promise<{ readonly url: string; readonly token: string; end(): Promise<void> }> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
  const program = isBuilt() ? [join(DIST, 'main.js')] : ['--import', tsx, join(SRC, 'main.ts')]
  const child = spawn(process.execPath, [...program, 'serve', '--developer', '--data', join(root, 'data')], {
    env: { PATH: process.env.PATH ?? '', SAMTALE_PORT: '0', SAMTALE_AUTH: 'on' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((found, reject) => {
    let out = ''
    child.once('close', (code) => reject(new Error(`The hub ended with ${code}: ${out}`)))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      const said = /listening on (http:\S+)\n/.exec(out)?.[1]
      if (said !== undefined) found(said)
    })
  })
  const ended = new Promise<void>((done) => void child.once('close', () => done()))
  return {
    url,
    token: readFileSync(join(root, 'data/admin.jwt'), 'utf8').trim(),
    async end() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
