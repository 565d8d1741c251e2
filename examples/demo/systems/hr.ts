/** An HR system: exports its people and their employers as Turtle, under IRIs of its own. */

import { DataFactory, Writer } from 'n3'
import type { World } from '../world/records.ts'
import { json, type Listener, listen, problem, text } from './listener.ts'
import { type Stored, StoredShelf, startClock } from './shelf.ts'

const { namedNode, literal } = DataFactory
const ID = 'https://hr.example/id'
const NS = 'https://hr.example/ns#'
const XSD = 'http://www.w3.org/2001/XMLSchema#'
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'

export function startHr({ hr }: World, port: number): Promise<Listener> {
  const clock = startClock()
  const employers = new StoredShelf(hr.employer.values(), clock)
  const people = new StoredShelf(hr.person.values(), clock)
  const deleteFrom = (shelf: StoredShelf, id: string) =>
    shelf.delete(id) ? json({}) : problem(404, 'There is no such one.')
  return listen(
    {
      'GET /export/employers.ttl': () => text('text/turtle', turtle('employer', 'Employer', employers.live())),
      'GET /export/people.ttl': () => text('text/turtle', turtle('person', 'Person', people.live())),
      'DELETE /api/employers/:id': ({ at }) => deleteFrom(employers, at.id as string),
      'DELETE /api/people/:id': ({ at }) => deleteFrom(people, at.id as string),
    },
    port,
  )
}

function turtle(path: string, type: string, records: readonly Stored[]): string {
  const writer = new Writer({ prefixes: { hr: NS, person: `${ID}/person/`, employer: `${ID}/employer/`, xsd: XSD } })
  for (const { id, fields } of records) {
    const subject = namedNode(`${ID}/${path}/${id}`)
    writer.addQuad(subject, namedNode(`${RDF}type`), namedNode(NS + type))
    for (const [name, value] of Object.entries(fields)) {
      writer.addQuad(subject, namedNode(NS + name), objectOf(name, String(value)))
    }
  }
  let written = ''
  writer.end((_error, result: string) => {
    written = result
  })
  return written
}

function objectOf(name: string, value: string) {
  if (name === 'employer') return namedNode(`${ID}/employer/${value}`)
  return name === 'born' ? literal(value, namedNode(`${XSD}date`)) : literal(value)
}
