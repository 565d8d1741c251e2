/** The demo for people: collects, counts, asks three questions, and keeps running until Ctrl-C. */

import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { pretty } from '../compile/files.ts'
import { generateWorld } from '../world/generate.ts'
import type { World } from '../world/records.ts'
import { truthOf } from '../world/truth.ts'
import { graphql, sparql, turtle } from './client.ts'
import { settle } from './collect.ts'
import type { Hub } from './hub.ts'
import { heading, indented, line, number, table } from './paper.ts'
import { queryFile } from './queries.ts'
import { openHub, type Ports, prepare, type Setting } from './setting.ts'
import { mergedOrganisation } from './specimens.ts'

const PORTS: Ports = { hub: 9042, crm: 9043, erp: 9044, hr: 9045 }
const FOLDER = resolve('data/demo')
const COLLECT_MS = 300_000

/** Resolves when everything has ended. */
export async function demo(interrupted: AbortSignal): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true })
  const world = generateWorld()
  const setting = await prepare(FOLDER, PORTS)
  const { urls } = setting.systems
  let hub: Hub | undefined
  try {
    heading('Three business systems')
    line(indented(systemsTable(setting, world)))
    hub = await openHub(setting, interrupted)
    heading('One hub')
    line(`  ${hub.url}, configured in ${setting.config}`)
    line('  compiled from mappings/ and ontology/: pipes and systems that anybody could have written')
    heading('Collecting')
    const tookMs = await settle(hub, urls.erp, world, COLLECT_MS)
    line(indented(countsTable(world, tookMs)))
    await ask(hub.url)
    invite(hub.url, setting, world)
    await hub.ended
    hub.checkAlive()
  } catch (error) {
    if (!interrupted.aborted) throw error
    line('\n  Ending …')
  } finally {
    await hub?.stop()
    await setting.systems.stop()
  }
}

function systemsTable({ systems: { urls } }: Setting, world: World): string {
  const { records } = truthOf(world)
  const count = (kind: string, name: string) => `${number(records[kind] ?? 0)} ${name}`
  return table([
    [
      'CRM',
      `${urls.crm}/api/persons`,
      'JSON',
      `${count('crm/person', 'people')}, ${count('crm/organisation', 'organisations')}`,
    ],
    [
      'ERP',
      `${urls.erp}/export/customers.csv`,
      'CSV',
      `${count('erp/contact', 'people')}, ${count('erp/organisation', 'organisations')}`,
    ],
    [
      'HR',
      `${urls.hr}/export/people.ttl`,
      'Turtle',
      `${count('hr/person', 'people')}, ${count('hr/employer', 'organisations')}`,
    ],
  ])
}

function countsTable(world: World, tookMs: number): string {
  const { person, organisation } = truthOf(world)
  const row = (name: string, of: 'records' | 'things' | 'merged' | 'real') => [
    name,
    number(person[of] + organisation[of]),
    `${number(person[of])} people, ${number(organisation[of])} organisations`,
  ]
  const rows = [
    row('records in', 'records'),
    row('things found', 'things'),
    row('duplicates merged', 'merged'),
    row('really there', 'real'),
  ]
  const why =
    'Some records hold no e-mail, phone or number that ties them to the others, so more is found than is there.'
  return `${table(rows)}\n\n${why}\nIt took ${(tookMs / 1000).toFixed(1)} s from the start of the hub.`
}

async function ask(hub: string): Promise<void> {
  heading('Who works for an organisation that both CRM and ERP know, and which systems say so?')
  const rows = (await sparql(hub, queryFile('known-to-both.rq'))) ?? []
  const some = rows.slice(0, 6)
  const cells = some.map((row) => [row.organisation, row.name, row.email, row.saidBy].map((cell) => cell ?? ''))
  line(indented(table([['ORGANISATION', 'NAME', 'E-MAIL', 'SAID BY'], ...cells])))
  line(`  … and ${number(rows.length - some.length)} more. SPARQL: queries/known-to-both.rq`)

  heading('What is known of people called Nordmann, their employers, and who else works there?')
  const found = await graphql(hub, queryFile('colleagues.graphql'))
  line(indented(shortJson(found)))
  line('  GraphQL: queries/colleagues.graphql')

  const person = (await sparql(hub, queryFile('in-every-system.rq')))?.[0]?.person
  if (person === undefined) return
  const address = `${hub}${new URL(person).pathname}`
  heading('What does the hub know of one person that all three systems know?')
  line(`  $ curl -H 'Accept: text/turtle' ${address}\n`)
  line(indented(await turtle(address)))
}

const shortJson = (value: unknown): string => pretty(value).replace(/"(\w+)":/g, '$1:')

function invite(hub: string, { systems: { urls } }: Setting, world: World): void {
  const { crm: id, thing } = mergedOrganisation(world)
  heading('Now change something in the CRM, and ask again: it is in the graph and in the ERP at once')
  line(
    indented(
      [
        `curl -X PATCH ${urls.crm}/api/organisations/${id} -d '{"name": "Brand New Name AS"}'`,
        `curl ${urls.erp}/api/organisations/${thing}`,
        `curl ${hub}/sparql -H 'Accept: text/csv' --data-urlencode query='SELECT ?o { ?o <https://w3id.org/samtale/model#officialName> "Brand New Name AS" }'`,
      ].join('\n'),
    ),
  )
  heading('Look around')
  line(
    indented(
      table([
        ['API', `${hub}/api`],
        ['SPARQL', `${hub}/sparql`],
        ['GraphQL', `${hub}/graphql`],
        ['A person', `${hub}/id/global-person/crm-person.1001`],
      ]),
    ),
  )
  line('\n  Ctrl-C ends it.')
}
