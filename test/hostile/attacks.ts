/** What an attacker tries, one after the other: each says by its answers whether the hub was clean about it. */

import { type RawConnection, rawAnswer, rawConnection, statusOf } from '../api/raw.ts'
import { type Lie, zipOf } from './zip.ts'

export interface Target {
  readonly url: string
  /** Times as many connections and requests as in the short form. */
  readonly scale: number
}

export interface Attack {
  readonly what: string
  /** Gives what was wrong, one line each. */
  run(target: Target): Promise<readonly string[]>
}

/** Who attacks: nobody, or somebody who is let in and gets further. */
let credentials: Readonly<Record<string, string>> = {}
export const actAs = (headers: Readonly<Record<string, string>>): void => {
  credentials = headers
}

/** What begins every head that is written by hand. */
const own = (): string =>
  ['Host: localhost', ...Object.entries(credentials).map(([name, value]) => `${name}: ${value}`), ''].join('\r\n')
const closing = (): string => `${own()}Connection: close\r\n`
const JSON_TYPE = { 'content-type': 'application/json' }

const withCredentials = (init: RequestInit): RequestInit => ({
  ...init,
  headers: { ...credentials, ...(init.headers as Record<string, string>) },
})

/** A status between 400 and 499, and nothing that gives something away. */
function judged(what: string, status: number, text: string): readonly string[] {
  const found: string[] = []
  if (!(status >= 400 && status < 500)) found.push(`${what}: status ${status}: ${text.slice(0, 300)}`)
  if (/root:x:0:0|"dependencies"|BEGIN (?:RSA )?PRIVATE/.test(text)) found.push(`${what}: gives a file away`)
  if (/\n\s*at \S+ \(|node_modules/.test(text)) found.push(`${what}: gives a stack away`)
  return found
}

async function refused(what: string, url: string, init: RequestInit = {}): Promise<readonly string[]> {
  const answer = await fetch(url, { ...withCredentials(init), redirect: 'manual', signal: AbortSignal.timeout(60_000) })
  return judged(what, answer.status, await answer.text())
}

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  method = 'POST',
  headers: Record<string, string> = JSON_TYPE,
): RequestInit => ({ method, body, headers })

const each = async <T>(all: readonly T[], work: (one: T) => Promise<readonly string[]>): Promise<readonly string[]> =>
  (await Promise.all(all.map(work))).flat()

/** Doors that read JSON. */
const JSON_DOORS = [
  ['POST', '/api/receivers/in/entities'],
  ['PUT', '/api/config'],
  ['PUT', '/api/env'],
  ['PUT', '/api/network-policy'],
  ['POST', '/api/pipes/in/pump'],
  ['POST', '/api/pipes/copy/preview'],
  ['POST', '/api/tenants'],
  ['POST', '/graphql'],
] as const

const pathTricks: Attack = {
  what: 'paths that lead elsewhere',
  run: ({ url }) =>
    each(
      [
        '/../../../../etc/passwd',
        '/api/../../../etc/passwd',
        '/api/reference/static/../../../../package.json',
        '/api/reference/static/..%2f..%2f..%2f..%2fpackage.json',
        '/api/reference/static/%2e%2e/%2e%2e/package.json',
        '/api/reference/static/..\\..\\package.json',
        '/ontology/..%2f..%2fpackage.json',
        '/ontology/%2e%2e%2f%2e%2e%2fpackage',
        '/api/datasets/..%2f..%2f..%2fetc%2fpasswd/entities',
        '/api/pipes/..%00/pump',
        '/t/..%2f..%2f/api/config',
        '/t/default%00/api/config',
        '//etc/passwd',
        '/api/pipes/%ff',
        '/api/pipes/%c0%ae%c0%ae%c0%afetc',
        '/.git/config',
        '/api/publishers/in/csv/..%2f..%2fetc%2fpasswd',
        'http://169.254.169.254/latest/meta-data',
        '*',
      ],
      async (path) => {
        const answer = await rawAnswer(url, `GET ${path} HTTP/1.1\r\n${closing()}\r\n`)
        return judged(path, statusOf(answer), answer)
      },
    ),
}

const deepJson: Attack = {
  what: 'JSON that is huge, deep or broken',
  run: async ({ url, scale }) => {
    const deep = [
      '['.repeat(40_000 * scale),
      '{"a":'.repeat(20_000 * scale),
      `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      `[{"_id":"a","x":${'[{"y":'.repeat(2_000)}1${'}]'.repeat(2_000)}}]`,
    ]
    const broken = [
      '',
      '[',
      'nul',
      '[1,]',
      '"\\u12"',
      '{"a":1}{"b":2}',
      '[01]',
      '[1e]',
      `[${'9'.repeat(40_000 * scale)}`,
      '[{"_id":"a"}]\0',
      '[NaN]',
      '7',
      '"x"',
      'null',
    ]
    const found: string[] = []
    // Each body at all doors at once.
    for (const body of [...deep, ...broken]) {
      const answers = each(JSON_DOORS, ([method, path]) =>
        refused(`${method} ${path} ${body.slice(0, 30)}`, url + path, post(body, method)),
      )
      found.push(...(await answers))
    }
    return found
  },
}

const largeBodies: Attack = {
  what: 'bodies beyond the limit, said and unsaid',
  run: async ({ url }) => {
    const large = new Uint8Array(2 * 1024 * 1024).fill(32)
    const found = await each(['/graphql', '/sparql', '/api/tenants', '/api/pipes/in/pump'], (path) =>
      refused(path, url + path, post(large)),
    )
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const unsaid = await rawConnection(url)
    unsaid.send(
      `POST /graphql HTTP/1.1\r\n${closing()}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    )
    for (let sent = 0; sent < 40; sent++) unsaid.send(chunk)
    const answer = await unsaid.until(/\}/)
    unsaid.close()
    const huge = await rawAnswer(
      url,
      `POST /graphql HTTP/1.1\r\n${closing()}Content-Type: application/json\r\nContent-Length: 99999999999999\r\n\r\n`,
    )
    return [
      ...found,
      ...judged('chunked', statusOf(answer), answer),
      ...judged('a length of 99999999999999', statusOf(huge), huge),
    ]
  },
}

const wrongTypes: Attack = {
  what: 'values of the wrong type',
  run: ({ url }) =>
    each(
      [
        ['POST', '/api/receivers/in/entities', '[[1]]'],
        ['POST', '/api/receivers/in/entities', '[{"_id":{"a":1}}]'],
        ['POST', '/api/receivers/in/entities', '[{"_id":["a"]}]'],
        ['POST', '/api/receivers/in/entities', '{"_id":null}'],
        ['PUT', '/api/config', '{"pipes":[]}'],
        ['PUT', '/api/config', '[null,7,"x"]'],
        ['PUT', '/api/config', '[{"_id":7,"type":[]}]'],
        ['PUT', '/api/config', '[{"_id":"x","type":"pipe","source":[],"sink":7,"pump":"x"}]'],
        ['PUT', '/api/config', '[{"_id":"x","type":"pipe","source":{"type":"dataset","dataset":{"a":[]}}}]'],
        ['PUT', '/api/env', '[]'],
        ['POST', '/api/tenants', '{"name":{"a":1}}'],
        ['POST', '/api/tenants', '{"name":"../x"}'],
        ['POST', '/api/pipes/copy/preview', '{"source":7}'],
        ['POST', '/api/pipes/in/pump', '{"operation":{"a":1}}'],
        ['POST', '/graphql', '{"query":{"a":1}}'],
        ['POST', '/graphql', '{"query":"{ x }","variables":"x"}'],
        ['GET', '/api/datasets/in/entities?limit=-1', ''],
        ['GET', '/api/datasets/in/entities?since=1e400', ''],
        ['GET', '/api/datasets/in/entities?history=maybe', ''],
        ['GET', '/api/datasets/in/entities?subset=%5B%5D', ''],
        ['GET', '/sparql?query=SELECT+1&timeout=abc', ''],
      ] as const,
      ([method, path, body]) =>
        refused(`${method} ${path} ${body}`, url + path, method === 'GET' ? {} : post(body, method)),
    ),
}

const unicode: Attack = {
  what: 'text that is no text',
  run: async ({ url }) => {
    const bytes = (...all: readonly number[]) =>
      Uint8Array.from([...Buffer.from('[{"_id":"'), ...all, ...Buffer.from('"}]')])
    const bad = {
      'an overlong slash': bytes(0xc0, 0xaf),
      'an overlong NUL': bytes(0xc0, 0x80),
      'a surrogate in UTF-8': bytes(0xed, 0xa0, 0x80),
      'beyond Unicode': bytes(0xf4, 0x90, 0x80, 0x80),
      'a lonely continuation': bytes(0x80),
      'half a character': bytes(0xe2, 0x82),
      'a raw NUL': bytes(0),
      'UTF-16': Uint8Array.from(Buffer.from('[{"_id":"a"}]', 'utf16le')),
    }
    return each(Object.entries(bad), ([what, body]) => refused(what, `${url}/api/receivers/in/entities`, post(body)))
  },
}

const headerInjection: Attack = {
  what: 'line breaks in what becomes a header',
  run: async ({ url }) => {
    const paths = [
      '/api/publishers/published/entities/a%0d%0aX-Injected:%201',
      '/api/publishers/published/entities/%22%0aX-Injected:%201',
      '/api/reference%0d%0aX-Injected:%201',
      '/t/x%0d%0aX-Injected:%201/api/config',
      '/id/a%0d%0aX-Injected:%201/b',
    ]
    return each(paths, async (path) => {
      const answer = await rawAnswer(url, `GET ${path} HTTP/1.1\r\n${closing()}\r\n`)
      const head = answer.split('\r\n\r\n', 1)[0] as string
      return /^x-injected/im.test(head) || statusOf(answer) >= 500 ? [`${path}: ${head}`] : []
    })
  },
}

const evil = 'a'.repeat(60)
const expressions: Attack = {
  what: 'expressions that take for ever',
  run: async ({ url }) => {
    const preview = (...rule: unknown[]) => {
      const transform = {
        type: 'dtl',
        rules: {
          default: [
            ['copy', '*'],
            ['add', 'x', rule],
          ],
        },
      }
      const config = { _id: 'copy', type: 'pipe', source: { type: 'dataset', dataset: 'in' }, transform }
      return post(JSON.stringify({ 'pipe-config': config, source: { _id: 'a', text: `${evil}!` } }))
    }
    const found: string[] = []
    // They answer 200 with the error in it, or refuse: all the same, they answer.
    for (const rule of [
      ['matches', '(a+)+$', '_S.text'],
      ['matches', `${'*a'.repeat(30)}*b`, '_S.text'],
      ['matches', `${'*?'.repeat(3_000)}b`, '_S.text'],
      ['replace', 'a'.repeat(40), 'b', ['concat', ['map', '_S.text', ['range', 0, 10_000]]]],
      ['range', 0, 1_000_000_000],
      ['join', '', ['map', ['lower', '_.'], ['range', 0, 100_000_000]]],
    ]) {
      const startedAt = performance.now()
      const answer = await fetch(`${url}/api/pipes/copy/preview`, {
        ...withCredentials(preview(...rule)),
        signal: AbortSignal.timeout(30_000),
      })
      const text = await answer.text()
      if (answer.status >= 500 && answer.status !== 503)
        found.push(`${JSON.stringify(rule)}: status ${answer.status} ${text.slice(0, 200)}`)
      const seconds = (performance.now() - startedAt) / 1_000
      if (seconds > 20) found.push(`${JSON.stringify(rule)}: ${seconds.toFixed(1)} s`)
    }
    return found
  },
}

const queries: Attack = {
  what: 'queries that are deep, wide or endless',
  run: async ({ url }) => {
    const sparql = (query: string) => ({
      method: 'POST',
      body: query,
      headers: { 'content-type': 'application/sparql-query' },
    })
    const deep = 3_000
    const found = await each(
      [
        `SELECT * WHERE ${'{'.repeat(deep)}${'}'.repeat(deep)}`,
        `SELECT * WHERE { ?s ?p ?o FILTER(${'('.repeat(deep)}1${')'.repeat(deep)}) }`,
        `SELECT * WHERE { ?s ${'('.repeat(deep)}<urn:p>${')*'.repeat(deep)} ?o }`,
        `SELECT * WHERE { ?s ?p ?o FILTER(${'!'.repeat(deep)}true) }`,
        `SELECT * WHERE { ${'OPTIONAL { '.repeat(deep)}${'}'.repeat(deep)} }`,
        `SELECT * WHERE { FILTER(1${'+1'.repeat(deep)}) }`,
        `SELECT * WHERE { FILTER(1${' || 1'.repeat(deep)}) }`,
        `SELECT * WHERE { ?s <urn:p>${'/<urn:p>'.repeat(deep)} ?o }`,
        `SELECT * WHERE { {}${' UNION {}'.repeat(deep)} }`,
        `SELECT * WHERE { ${'OPTIONAL { ?a ?b ?c } '.repeat(deep)} }`,
        `SELECT * WHERE { ${'FILTER(1) '.repeat(deep)} }`,
        'SELECT * WHERE {',
      ],
      (query) => refused(`SPARQL ${query.slice(0, 40)}`, `${url}/sparql`, sparql(query)),
    )
    const document = (query: string) => post(JSON.stringify({ query }))
    const graphql = await each(
      [
        `{ ${'a { '.repeat(2_000)}b${' }'.repeat(2_000)} }`,
        `{ ${Array.from({ length: 3_000 }, (_, n) => `a${n}: __typename`).join(' ')} }`,
        `{ x(a: ${'['.repeat(5_000)}${']'.repeat(5_000)}) }`,
        `query { ${'...F '.repeat(1_000)} } fragment F on Query { ...G } fragment G on Query { ...F }`,
        '{'.repeat(10_000),
      ],
      async (query) => {
        const answer = await fetch(`${url}/graphql`, {
          ...withCredentials(document(query)),
          signal: AbortSignal.timeout(30_000),
        })
        const text = await answer.text()
        const isRefused =
          answer.status === 200 ? text.includes('"errors"') : answer.status >= 400 && answer.status < 500
        return isRefused ? [] : [`GraphQL ${query.slice(0, 40)}: status ${answer.status}: ${text.slice(0, 200)}`]
      },
    )
    return [...found, ...graphql]
  },
}

const subsets: Attack = {
  what: 'subsets that are no expressions',
  run: ({ url }) =>
    each(
      [
        '[',
        '["eq"]',
        `["eq",${'["lower",'.repeat(5_000)}"a"${']'.repeat(5_000)},1]`,
        '["matches","(a+)+$","x"]',
        '["eq","_id",["x"]]',
        `["eq","${'x'.repeat(10_000)}",1]`,
        '["eq",null,null,null]',
        '["eq","\\ud800","x"]',
      ],
      (subset) =>
        refused(
          `subset ${subset.slice(0, 40)}`,
          `${url}/api/datasets/in/entities?subset=${encodeURIComponent(subset)}`,
        ),
    ),
}

const serverSide: Attack = {
  what: 'addresses that the hub should not call',
  run: ({ url }) =>
    each(
      [
        'http://169.254.169.254/latest',
        'http://2852039166/',
        'http://0xa9fea9fe/',
        'http://[::ffff:169.254.169.254]/',
        'http://[fe80::1]/',
        'http://169.254.169.254./',
        'file:///etc/passwd',
        'gopher://127.0.0.1/',
        'javascript:alert(1)',
        'http://',
        'http://[',
        '\0',
      ],
      (webhook) =>
        refused(
          `webhook ${webhook}`,
          `${url}/api/datasets/in/entities?token=t&webhook=${encodeURIComponent(webhook)}`,
          { method: 'OPTIONS' },
        ),
    ),
}

const smuggling: Attack = {
  what: 'two requests in one',
  run: ({ url }) =>
    each(
      [
        'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
        'Content-Length: 5\r\nContent-Length: 6\r\n',
        'Transfer-Encoding: xchunked\r\n',
        'Transfer-Encoding : chunked\r\n',
        'Transfer-Encoding: chunked, identity\r\n',
        'Content-Length: -1\r\n',
      ],
      async (headers) => {
        const text = `POST /api/tenants HTTP/1.1\r\n${own()}Content-Type: application/json\r\n${headers}\r\n0\r\n\r\nGET /api/metrics HTTP/1.1\r\n${own()}\r\n`
        const answer = await rawAnswer(url, text)
        const answers = answer.match(/^HTTP\/1\.1/gm)?.length ?? 0
        return [
          ...judged(headers, statusOf(answer), answer),
          ...(answers > 1 ? [`${headers}: ${answers} answers`] : []),
        ]
      },
    ),
}

async function connections(url: string, count: number): Promise<RawConnection[]> {
  const open: RawConnection[] = []
  for (let made = 0; made < count; made += 100) {
    open.push(...(await Promise.all(Array.from({ length: Math.min(100, count - made) }, () => rawConnection(url)))))
  }
  return open
}

const slow: Attack = {
  what: 'heads that come letter by letter, connections that say nothing, and halves of them',
  run: async ({ url, scale }) => {
    const [dripping, silent, halves] = await Promise.all([
      connections(url, 100 * scale),
      connections(url, 100 * scale),
      connections(url, 50 * scale),
    ])
    for (const one of dripping) one.send('GET /api/ping HTTP/1.1\r\nX: ')
    for (const one of halves) {
      one.send('GET /api/ping HTTP/1.1\r\n')
      one.socket.end()
    }
    const drip = setInterval(() => dripping.forEach((one) => void one.send('x')), 200)
    const ends = await Promise.allSettled([...dripping, ...silent, ...halves].map((one) => one.all(30_000)))
    clearInterval(drip)
    for (const one of [...dripping, ...silent, ...halves]) one.close()
    const left = ends.filter(({ status }) => status === 'rejected').length
    return left === 0 ? [] : [`${left} of ${ends.length} connections stay open`]
  },
}

const pipelined: Attack = {
  what: 'many requests at once on one connection, and answers that nobody reads',
  run: async ({ url, scale }) => {
    const count = Math.min(900, 300 * scale)
    const one = await rawConnection(url)
    one.send(`GET /api/ping HTTP/1.1\r\n${own()}\r\n`.repeat(count - 1))
    one.send(`GET /api/ping HTTP/1.1\r\n${closing()}\r\n`)
    const answers = (await one.all(30_000)).match(/HTTP\/1\.1 200/g)?.length ?? 0
    const deaf = await connections(url, 5)
    for (const other of deaf) {
      other.socket.pause()
      other.send(`GET /api/reference/json HTTP/1.1\r\n${own()}\r\n`.repeat(20 * scale))
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const other of deaf) other.close()
    return answers === count ? [] : [`${answers} of ${count} answers came`]
  },
}

const crowd: Attack = {
  what: 'a crowd of connections',
  run: async ({ url, scale }) => {
    const open = await connections(url, 500 * scale)
    try {
      const last = await rawAnswer(url, `GET /api/ping HTTP/1.1\r\n${closing()}\r\n`)
      return statusOf(last) === 200 ? [] : [`the next one: status ${statusOf(last)}`]
    } finally {
      for (const one of open) one.close()
    }
  },
}

const zips: Attack = {
  what: 'zip files that lie, lead elsewhere or grow',
  run: async ({ url, scale }) => {
    const pipe = JSON.stringify({ _id: 'x', type: 'pipe', source: { type: 'empty' } })
    const named = (name: string, more: Partial<Lie> = {}): Lie => ({ name, content: pipe, ...more })
    // A good one beside it: the file is refused as a whole.
    const beside = (...lies: readonly Lie[]) => zipOf([named('pipes/good.conf.json'), ...lies])
    const zeros = Buffer.alloc((scale > 1 ? 4 : 1) * 1024 * 1024)
    const files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
      'a name that climbs': beside(named('../../x.conf.json')),
      'a name that climbs in the middle': beside(named('pipes/../../x.conf.json')),
      'a name from the root': beside(named('/etc/x.conf.json')),
      'a name of a drive': beside(named('C:/x.conf.json')),
      'a name with backslashes': beside(named('..\\..\\x.conf.json')),
      'a link': beside(named('pipes/x.conf.json', { mode: 0o120777, content: '/etc/passwd' })),
      'an encrypted member': beside(named('pipes/x.conf.json', { flags: 1 })),
      'a member that is damaged': beside(named('pipes/x.conf.json', { crc: 1 })),
      'a member larger than it says': beside(named('pipes/x.conf.json', { content: zeros, size: 10 })),
      'a member smaller than it says': beside(named('pipes/x.conf.json', { size: 1_000_000 })),
      'many members that grow': beside(
        ...Array.from({ length: 70 }, (_, n) => named(`pipes/${n}.conf.json`, { content: zeros })),
      ),
      'one member many times': beside(
        ...Array.from({ length: 100 }, (_, n) => named(`pipes/${n}.conf.json`, { content: zeros, at: 0 })),
      ),
      'more members than there are': zipOf([named('pipes/x.conf.json')], { count: 60_000 }),
      'half a file': zipOf([named('pipes/x.conf.json')]).slice(0, 60),
      'only the beginning': Uint8Array.from([0x50, 0x4b, 3, 4]),
      'bytes that are no text': beside(named('pipes/x.conf.json', { content: Uint8Array.of(0xff, 0xfe) })),
      'no JSON': beside(named('pipes/x.conf.json', { content: '[' })),
    }
    const found: string[] = []
    for (const [what, body] of Object.entries(files)) {
      found.push(
        ...(await refused(what, `${url}/api/config`, post(body, 'PUT', { 'content-type': 'application/zip' }))),
      )
    }
    return found
  },
}

export const attacks: readonly Attack[] = [
  zips,
  pathTricks,
  deepJson,
  largeBodies,
  wrongTypes,
  unicode,
  headerInjection,
  expressions,
  queries,
  subsets,
  serverSide,
  smuggling,
  slow,
  pipelined,
  crowd,
]
