import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCrm } from '../../examples/demo/systems/crm.ts'
import { startErp } from '../../examples/demo/systems/erp.ts'
import { startHr } from '../../examples/demo/systems/hr.ts'
import type { Listener } from '../../examples/demo/systems/listener.ts'
import { generateWorld } from '../../examples/demo/world/generate.ts'
import { startFakeServer, status } from '../fakes/http-server.ts'

const world = generateWorld(3, { people: 40, organisations: 12 })
let crm: Listener
let erp: Listener
let hr: Listener

beforeAll(async () => {
  ;[crm, erp, hr] = await Promise.all([startCrm(world, 0), startErp(world, 0), startHr(world, 0)])
})
afterAll(() => Promise.all([crm, erp, hr].map((system) => system.close())))

type Row = Readonly<Record<string, unknown>> & { readonly _id: string; readonly _updated: number }
const get = async (url: string) => (await fetch(url)).json() as Promise<Row[]>
const send = (method: string, url: string, body: unknown) => fetch(url, { method, body: JSON.stringify(body) })

test('the CRM gives all its people, page after page', async () => {
  const seen: string[] = []
  for (let since = 0; ; ) {
    const page = await get(`${crm.url}/api/persons?limit=7&since=${since}`)
    if (page.length === 0) break
    seen.push(...page.map(({ _id }) => _id))
    since = page.at(-1)!._updated
  }
  expect(seen.sort()).toEqual([...world.crm.person.keys()].sort())
})

test('a change is what comes next, a delete comes with its mark', async () => {
  const before = (await get(`${crm.url}/api/organisations`)).at(-1)!._updated
  const [id, other] = [...world.crm.organisation.keys()]
  await send('PATCH', `${crm.url}/api/organisations/${id}`, { name: 'Ny AS', email: null })
  await send('DELETE', `${crm.url}/api/organisations/${other}`, {})
  const [changed, deleted, ...more] = await get(`${crm.url}/api/organisations?since=${before}`)
  expect(changed).toMatchObject({ _id: id, name: 'Ny AS' })
  expect(changed).not.toHaveProperty('email')
  expect(deleted).toMatchObject({ _id: other, _deleted: true })
  expect(more).toEqual([])
})

test('the CRM tells its subscribers, again when they were busy', async () => {
  const hub = await startFakeServer()
  hub.on('/pump', status(409), status(409), status(200))
  const [id] = [...world.crm.person.keys()]
  await send('POST', `${crm.url}/api/subscriptions`, { kind: 'persons', url: `${hub.url}pump` })
  await send('PATCH', `${crm.url}/api/persons/${id}`, { title: 'Utvikler' })
  await expect.poll(() => hub.requests.length, { timeout: 20_000 }).toBe(3)
  expect(new Set(hub.requests.map(({ method, body }) => `${method} ${body}`))).toEqual(
    new Set(['POST operation=start']),
  )
  await hub.close()
})

test('the ERP exports what it holds, with quotes where they are needed', async () => {
  const [id] = [...world.erp.organisation.keys()]
  await send('PATCH', `${erp.url}/api/customers/${id}`, { Navn: 'Semi; "Kolon" AS' })
  const lines = (await (await fetch(`${erp.url}/export/customers.csv`)).text()).split('\r\n')
  expect(lines[0]).toBe('Kundenr;Navn;Orgnr;E-post;Adresse;Postnr;Poststed;Land')
  expect(lines.filter((line) => line !== '')).toHaveLength(world.erp.organisation.size + 1)
  expect(lines.find((line) => line.startsWith(`${id};`))).toContain('"Semi; ""Kolon"" AS"')
})

test('the ERP keeps what is pushed, and after a full sync nothing else', async () => {
  const push = (query: string, entities: unknown) => send('POST', `${erp.url}/api/organisations?${query}`, entities)
  await push('is_full=false', [
    { _id: 'a', Navn: 'A' },
    { _id: 'b', Navn: 'B' },
  ])
  await push('is_full=true&is_first=true&sequence_id=s&request_id=1', [{ _id: 'b', Navn: 'B' }])
  const wrong = await push('is_full=true&sequence_id=s&request_id=3&previous_request_id=2', [])
  expect(wrong.status).toBe(409)
  await push('is_full=true&is_last=true&sequence_id=s&request_id=2&previous_request_id=1', [{ _id: 'c', Navn: 'C' }])
  expect((await get(`${erp.url}/api/organisations`)).map(({ _id }) => _id)).toEqual(['b', 'c'])
  await push('is_full=false', [{ _id: 'b', _deleted: true }])
  expect((await fetch(`${erp.url}/api/organisations/b`)).status).toBe(404)
})

test('the HR system exports Turtle under identifiers of its own', async () => {
  const turtle = await (await fetch(`${hr.url}/export/people.ttl`)).text()
  expect(turtle.match(/a hr:Person/g)).toHaveLength(world.hr.person.size)
  expect(turtle).toMatch(/hr:born "\d{4}-\d\d-\d\d"\^\^xsd:date/)
})

test('a system misbehaves when told to', async () => {
  await send('POST', `${hr.url}/mischief?fail=1`, {})
  expect((await fetch(`${hr.url}/export/employers.ttl`)).status).toBe(500)
  expect((await fetch(`${hr.url}/export/employers.ttl`)).status).toBe(200)
})
