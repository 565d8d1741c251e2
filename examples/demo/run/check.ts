/** The demo for machines: everything happens on free ports, and every count must be what the generator knows. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withKeys, without } from '../world/change.ts'
import { generateWorld } from '../world/generate.ts'
import type { World } from '../world/records.ts'
import { truthOf } from '../world/truth.ts'
import {
  datasetCounts,
  getJson,
  graphql,
  lastOutcome,
  patch,
  post,
  remove,
  sparql,
  startPump,
  turtle,
} from './client.ts'
import { settle } from './collect.ts'
import { until } from './expect.ts'
import type { Hub } from './hub.ts'
import { heading, line, number } from './paper.ts'
import { queryFile } from './queries.ts'
import { openHub, prepare, type Setting } from './setting.ts'
import { lonelyPair, mergedOrganisation, onlyInHr, sharedEmployer } from './specimens.ts'

const COLLECT_MS = 180_000
const SETTLE_MS = 30_000
/** A change in a system is everywhere within this. */
const PROMISED_MS = 2000
/** A hub that is told to end has ended within this. */
const END_MS = 5000
/** An answer of the CRM takes this long while the hub is killed, so that it is killed in the middle. */
const SLOW_MS = 150

/** Throws when something is not as it should be. */
export async function check(interrupted: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'samtale-demo-'))
  const setting = await prepare(folder, null)
  const open: { hub: Hub | undefined } = { hub: undefined }
  try {
    await new Check(setting, open, interrupted).run()
  } finally {
    await open.hub?.stop()
    await setting.systems.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

class Check {
  readonly #setting: Setting
  readonly #open: { hub: Hub | undefined }
  readonly #interrupted: AbortSignal
  #world: World = generateWorld()

  constructor(setting: Setting, open: { hub: Hub | undefined }, interrupted: AbortSignal) {
    this.#setting = setting
    this.#open = open
    this.#interrupted = interrupted
  }

  async run(): Promise<void> {
    await this.#killInTheMiddle()
    await this.#collect()
    await this.#ask()
    await this.#renameInCrm()
    await this.#tieInCrm()
    await this.#deleteInCrm()
    await this.#deleteInHr()
    await this.#restart()
  }

  get #hub(): Hub {
    return this.#open.hub as Hub
  }

  get #urls() {
    return this.#setting.systems.urls
  }

  async #start(): Promise<void> {
    this.#open.hub = await openHub(this.#setting, this.#interrupted)
  }

  async #killInTheMiddle(): Promise<void> {
    heading('kill -9 in the middle of the first collection')
    await post(`${this.#urls.crm}/mischief?delay=${SLOW_MS}`)
    await this.#start()
    const all = truthOf(this.#world).records['crm/person'] ?? 0
    let collected = 0
    await until(this.#hub, COLLECT_MS, async () => {
      collected = (await datasetCounts(this.#hub.url, 'crm-person-collect'))?.existing ?? 0
      return collected > 0
    })
    await this.#hub.kill()
    said(`killed with ${number(collected)} of ${number(all)} people of the CRM collected`)
    ensure(collected < all, 'The hub was killed too late to prove anything.')
    await post(`${this.#urls.crm}/mischief?delay=0`)
  }

  async #collect(): Promise<void> {
    heading('the first collection, begun again')
    await this.#start()
    const tookMs = await this.#settle(COLLECT_MS)
    const { records, person, organisation } = truthOf(this.#world)
    said(
      `records in: ${Object.entries(records)
        .map(([kind, count]) => `${kind} ${number(count)}`)
        .join(', ')}`,
    )
    said(`things found: ${number(person.things)} people, ${number(organisation.things)} organisations`)
    said(`duplicates merged: ${number(person.merged)} people, ${number(organisation.merged)} organisations`)
    said(`in ${(tookMs / 1000).toFixed(1)} s, and all of it in the graph and in the ERP`)
  }

  async #ask(): Promise<void> {
    heading('the questions')
    const rows = (await sparql(this.#hub.url, queryFile('known-to-both.rq'))) ?? []
    const people = truthOf(this.#world).employedByShared
    ensure(rows.length >= people, `SPARQL gives ${rows.length} rows for ${people} people.`)
    ensure(
      rows.every(({ saidBy }) => saidBy !== ''),
      'SPARQL does not say which system says so.',
    )
    said(`SPARQL: ${number(rows.length)} rows, ${number(people)} people among them`)
    const { globalPersonList: found } = (await graphql(this.#hub.url, queryFile('colleagues.graphql'))) as Colleagues
    const others = found.nodes.flatMap((node) => node.tm_employer.map((employer) => employer.tm_employerOf.totalCount))
    ensure(found.totalCount > 0 && others.every((count) => count > 0), `GraphQL: ${JSON.stringify(found)}`)
    said(`GraphQL: ${number(found.totalCount)} called Nordmann, whose first employers employ ${others.join(', ')}`)
    const person = (await sparql(this.#hub.url, queryFile('in-every-system.rq')))?.[0]?.person ?? ''
    const text = await turtle(this.#hub.url + new URL(person).pathname)
    ensure(
      /tm:Human|model#Human/.test(text) && /sameAs/.test(text),
      `The Turtle of ${person} lacks something:\n${text}`,
    )
    said(`Turtle: ${number(text.length)} characters about ${person}`)
  }

  /** The name is the CRM's to say, so it is soon the name everywhere. */
  async #renameInCrm(): Promise<void> {
    heading('a change in the CRM')
    const { crm, thing } = mergedOrganisation(this.#world)
    const name = 'Helt Nytt Navn AS'
    const asked = `SELECT ?thing { ?thing <https://w3id.org/samtale/model#officialName> "${name}" }`
    await patch(`${this.#urls.crm}/api/organisations/${crm}`, { name })
    const start = performance.now()
    const inGraph = until(this.#hub, SETTLE_MS, async () => {
      const [row, ...more] = (await sparql(this.#hub.url, asked)) ?? []
      return more.length === 0 && row?.thing?.endsWith(`/id/global-organisation/${thing}`) === true
    }).then(() => performance.now() - start)
    const inErp = until(this.#hub, SETTLE_MS, async () => {
      const register = (await getJson(`${this.#urls.erp}/api/organisations/${thing}`)) as { readonly Navn?: string }
      return register.Navn === name
    }).then(() => performance.now() - start)
    this.#promised(await inGraph, 'the new name in SPARQL')
    this.#promised(await inErp, 'the new name in the ERP')
    await this.#settle(SETTLE_MS)
    said('counts as before')
  }

  /** Somebody notes the e-mail address that the ERP knew: two people turn out to be one. */
  async #tieInCrm(): Promise<void> {
    heading('a change in the CRM that ties two records')
    const { crm, key } = lonelyPair(this.#world)
    const before = truthOf(this.#world).person.things
    const isPhone = (text: string) => text.startsWith('+')
    const kept = this.#world.crm.person.get(crm)!.secret.keys.filter((other) => isPhone(other) !== isPhone(key))
    this.#world = withKeys(this.#world, 'crm', 'person', crm, [...kept, key])
    const now = truthOf(this.#world).person.things
    ensure(now < before, 'The change ties nothing.')
    await patch(
      `${this.#urls.crm}/api/persons/${crm}`,
      isPhone(key) ? { phone: ` ${key}` } : { email: key.toUpperCase() },
    )
    this.#promised(await this.#settle(SETTLE_MS), `${number(before)} people are ${number(now)}, everywhere`)
  }

  /** An organisation that the ERP knows too, and a person that nobody else knows. */
  async #deleteInCrm(): Promise<void> {
    heading('deletes in the CRM')
    const organisation = sharedEmployer(this.#world)
    const { crm: person } = lonelyPair(this.#world)
    const before = truthOf(this.#world)
    this.#world = without(without(this.#world, 'crm', 'organisation', organisation), 'crm', 'person', person)
    const now = truthOf(this.#world)
    await remove(`${this.#urls.crm}/api/organisations/${organisation}`)
    await remove(`${this.#urls.crm}/api/persons/${person}`)
    const tookMs = await this.#settle(SETTLE_MS)
    this.#promised(
      tookMs,
      `${number(before.person.things)} people are ${number(now.person.things)}, ${number(before.employedByShared)} of them with an employer that both know are ${number(now.employedByShared)}`,
    )
  }

  /** The export says nothing of what is gone: it is missed. */
  async #deleteInHr(): Promise<void> {
    heading('a delete in the HR system')
    const person = onlyInHr(this.#world)
    const before = truthOf(this.#world).person.things
    await post(`${this.#urls.hr}/mischief?fail=1`)
    await startPump(this.#hub.url, 'hr-person-collect')
    await until(this.#hub, SETTLE_MS, async () => (await lastOutcome(this.#hub.url, 'hr-person-collect')) === 'failed')
    await this.#settle(SETTLE_MS)
    said('when the export answers 500, the pump says so, and nobody is taken for gone')
    this.#world = without(this.#world, 'hr', 'person', person)
    await remove(`${this.#urls.hr}/api/people/${person}`)
    await startPump(this.#hub.url, 'hr-person-collect')
    const tookMs = await this.#settle(SETTLE_MS)
    said(
      `${number(before)} people are ${number(truthOf(this.#world).person.things)}, ${tookMs} ms after the collection was started`,
    )
  }

  async #restart(): Promise<void> {
    heading('a restart of the hub')
    const before = await this.#versions()
    const start = performance.now()
    await this.#hub.stop()
    const endMs = Math.round(performance.now() - start)
    ensure(endMs < END_MS, `The hub took ${endMs} ms to end.`)
    await this.#start()
    await this.#settle(SETTLE_MS)
    ensure((await this.#versions()) === before, 'The restart wrote new versions of what had not changed.')
    said(`ended in ${endMs} ms; the same counts again, and not one new version`)
  }

  async #versions(): Promise<string> {
    const counts = ['global-person', 'global-organisation'].map((id) => datasetCounts(this.#hub.url, id))
    return JSON.stringify(await Promise.all(counts))
  }

  #settle(limitMs: number): Promise<number> {
    return settle(this.#hub, this.#urls.erp, this.#world, limitMs)
  }

  #promised(tookMs: number, what: string): void {
    said(`${what}: ${Math.round(tookMs)} ms`)
    ensure(tookMs <= PROMISED_MS, `${what}: ${Math.round(tookMs)} ms, and ${PROMISED_MS} were promised.`)
  }
}

interface Colleagues {
  readonly globalPersonList: {
    readonly totalCount: number
    readonly nodes: readonly {
      readonly tm_employer: readonly { readonly tm_employerOf: { readonly totalCount: number } }[]
    }[]
  }
}

const said = (text: string): void => line(`  ${text}`)

function ensure(holds: boolean, message: string): void {
  if (!holds) throw new Error(message)
}
