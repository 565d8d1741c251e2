/** What the demo asks of a hub and of the systems, over HTTP like anybody else. */

export interface DatasetCounts {
  readonly existing: number
  readonly versions: number
}

export type Row = Readonly<Record<string, string>>

async function answered(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url} → ${response.status}: ${await response.text()}`)
  return response
}

/** Null as long as there is no such dataset. */
export async function datasetCounts(hub: string, dataset: string): Promise<DatasetCounts | null> {
  const response = await fetch(`${hub}/api/datasets/${dataset}`)
  const document = (await response.json()) as { readonly runtime?: Readonly<Record<string, number>> }
  if (response.status === 404 || document.runtime === undefined) return null
  return { existing: document.runtime['count-index-exists'] ?? 0, versions: document.runtime['count-log-exists'] ?? 0 }
}

/** Entities of all datasets that the graph does not show yet, from the hub's metrics. */
export async function graphLag(hub: string): Promise<number | null> {
  const metrics = await (await answered(`${hub}/api/metrics`)).text()
  const found = /^samtale_graph_lag\{tenant="default"\} (\d+)/m.exec(metrics)
  return found === null ? null : Number(found[1])
}

/** Null while the graph is being built. */
export async function sparql(hub: string, query: string): Promise<readonly Row[] | null> {
  const response = await fetch(`${hub}/sparql`, {
    method: 'POST',
    headers: { 'content-type': 'application/sparql-query', accept: 'application/sparql-results+json' },
    body: query,
  })
  if (response.status === 503) return null
  if (!response.ok) throw new Error(`SPARQL → ${response.status}: ${await response.text()}`)
  const { results } = (await response.json()) as {
    readonly results: { readonly bindings: readonly Readonly<Record<string, { readonly value: string }>>[] }
  }
  return results.bindings.map((binding) =>
    Object.fromEntries(Object.entries(binding).map(([name, { value }]) => [name, value])),
  )
}

export async function graphql(hub: string, query: string): Promise<unknown> {
  const response = await answered(`${hub}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  const { data, errors } = (await response.json()) as { readonly data?: unknown; readonly errors?: unknown }
  if (errors !== undefined) throw new Error(`GraphQL → ${JSON.stringify(errors)}`)
  return data
}

export const turtle = async (url: string): Promise<string> =>
  (await answered(url, { headers: { accept: 'text/turtle' } })).text()

/** As a webhook would; a pump at work is started again when it is done. */
export async function startPump(hub: string, pipe: string): Promise<void> {
  for (;;) {
    const body = new URLSearchParams({ operation: 'start' })
    const { status } = await fetch(`${hub}/api/pipes/${pipe}/pump`, { method: 'POST', body })
    if (status === 200) return
    if (status !== 409) throw new Error(`The pump of ${pipe} does not start: ${status}.`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** How the last run of a pump went. */
export async function lastOutcome(hub: string, pipe: string): Promise<string | null> {
  const { runtime } = (await getJson(`${hub}/api/pipes/${pipe}/pump`)) as {
    readonly runtime: { readonly 'is-running': boolean; readonly 'last-outcome': string | null }
  }
  return runtime['is-running'] ? null : runtime['last-outcome']
}

export const patch = async (url: string, changes: unknown): Promise<void> => {
  await answered(url, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(changes),
  })
}

export const remove = async (url: string): Promise<void> => {
  await answered(url, { method: 'DELETE' })
}

export const post = async (url: string, body: unknown = {}): Promise<void> => {
  await answered(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

export const getJson = async (url: string): Promise<unknown> => (await answered(url)).json()
