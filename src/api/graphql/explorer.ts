/** A small page to write GraphQL queries in: everything it needs is in it. */

import { createHash } from 'node:crypto'
import type { Answer } from '../answer.ts'
import type { Call } from '../route.ts'

const STYLE = `
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: #1d2733; background: #f6f4ef; display: grid; grid-template-rows: auto 1fr; height: 100vh }
header { padding: .6rem 1rem; display: flex; gap: 1rem; align-items: baseline; border-bottom: 1px solid #ddd6c8 }
h1 { font-size: 1.05rem; margin: 0 auto 0 0 }
main { display: grid; grid-template-columns: 1fr 1fr; min-height: 0 }
textarea, pre { margin: 0; padding: 1rem; border: 0; font: 13px/1.55 ui-monospace, monospace; overflow: auto; background: #fff; color: inherit; resize: none }
pre { background: #f6f4ef; border-left: 1px solid #ddd6c8; white-space: pre-wrap }
button { font: inherit; padding: .25rem 1rem; border: 1px solid #7a5c2e; border-radius: .3rem; background: #7a5c2e; color: #fff; cursor: pointer }
a { color: #7a5c2e }
@media (max-width: 48rem) { main { grid-template: 1fr 1fr / 1fr } }
`

const SCRIPT = `
const [query, result] = [document.querySelector('textarea'), document.querySelector('pre')]
async function run() {
  result.textContent = '…'
  try {
    const response = await fetch(location.pathname, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: query.value }),
    })
    result.textContent = JSON.stringify(await response.json(), null, 2)
  } catch (error) {
    result.textContent = String(error)
  }
}
document.querySelector('button').addEventListener('click', run)
query.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run()
})
`

const FIRST_QUERY = '{\n  _datasets {\n    id\n    field\n    listField\n    count\n  }\n}\n'

export function explorerPage({ prefix, tenant }: Call): Answer {
  return {
    contentType: 'text/html; charset=utf-8',
    headers: {
      'Content-Security-Policy': `default-src 'none'; style-src ${sourceHash(STYLE)}; script-src ${sourceHash(SCRIPT)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      Vary: 'Accept',
    },
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>GraphQL · Samtale</title>
<style>${STYLE}</style>
<header><h1>GraphQL of ${tenant.name}</h1><a href="${prefix}/graphql/schema.graphql">schema</a><button title="Ctrl+Enter">Run</button></header>
<main><textarea aria-label="Query" spellcheck="false" autofocus>${FIRST_QUERY}</textarea><pre aria-live="polite" aria-label="Result"></pre></main>
<script>${SCRIPT}</script>
</html>
`,
  }
}

const sourceHash = (source: string): string => `'sha256-${createHash('sha256').update(source).digest('base64')}'`
