/** There is one way out: every file of the sources is looked through for anything else that could ask others for something. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** What makes connections, and the files that may have it, each with why. */
const WAYS_OUT: readonly { readonly what: RegExp; readonly files: Readonly<Record<string, string>> }[] = [
  { what: /(?:from|import)\s*\(?\s*'undici'/, files: { 'pipes/http.ts': 'the one client' } },
  {
    what: /\bfetch\s*\(/,
    files: {
      'api/graphql/explorer.ts': 'runs in the browser, on its own origin',
      'api/graphql/door.ts': 'calls GraphQL in this process',
    },
  },
  {
    what: /import\s+(?!type\b)[^;'"]*?from\s*'node:(?:http|https|http2)'/,
    files: {
      'api/problem.ts': 'names of statuses',
      'api/limits/client-error.ts': 'names of statuses',
    },
  },
  {
    what: /import\s+(?!type\b)[^;'"]*?from\s*'node:(?:net|tls|dgram)'/,
    files: {
      'api/may.ts': 'reads addresses',
      'api/login-limits.ts': 'reads addresses',
      'cli/tls.ts': 'certificates',
      'config/address.ts': 'reads addresses',
      'hub/notifications/mail.ts': 'the mail server, through the guard',
      'log/claim.ts': 'a socket of this machine, by which a folder is held',
      'pipes/systems/url-port.ts': 'certificates',
    },
  },
  { what: /from\s*'node:dns/, files: { 'pipes/systems/targets.ts': 'looks at what names mean' } },
  { what: /\b(?:WebSocket|EventSource|XMLHttpRequest|createRemoteJWKSet)\b/, files: {} },
  { what: /(?:from|import)\s*\(?\s*'(?:node:)?child_process'/, files: { 'log/child.ts': 'programs of the hub’s own' } },
  {
    what: /(?:from|import)\s*\(?\s*'(?:nodemailer|axios|got|node-fetch|ws|request)'/,
    files: { 'hub/notifications/mail.ts': 'mail, over a connection that the guard let be made' },
  },
]

const source = fileURLToPath(new URL('../src', import.meta.url))

/** Code without comments. */
const codeOf = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => [file.split(sep).join('/'), codeOf(readFileSync(join(source, file), 'utf8'))] as const)

describe('requests to others', () => {
  test.each(WAYS_OUT)('go through the guarded client and nothing else: $what', ({ what, files: known }) => {
    const found = files.filter(([, code]) => what.test(code)).map(([file]) => file)
    expect(found.filter((file) => !(file in known))).toEqual([])
    // A file that has it no longer leaves the list.
    expect(Object.keys(known).filter((file) => !found.includes(file))).toEqual([])
  })

  test('would be found', () => {
    const wrong = [
      "import { request } from 'undici'",
      "const { fetch } = await import('undici')",
      "await fetch('http://169.254.169.254')",
      "import { get } from 'node:https'",
      "import { connect } from 'node:net'",
      "import { lookup } from 'node:dns/promises'",
      "new WebSocket('ws://x')",
    ]
    for (const line of wrong)
      expect(
        WAYS_OUT.some(({ what }) => what.test(line)),
        line,
      ).toBe(true)
    expect(WAYS_OUT.some(({ what }) => what.test("import type { Socket } from 'node:net'"))).toBe(false)
  })
})
