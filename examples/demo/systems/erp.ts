/** An ERP: exports its customers and contacts as CSV, and keeps what others push to it beside what its own people typed. */

import type { World } from '../world/records.ts'
import { type Answer, json, type Listener, listen, problem, text } from './listener.ts'
import { PushConflict, PushRegister } from './push-register.ts'
import { type Fields, StoredShelf, startClock } from './shelf.ts'

const CUSTOMER = ['Kundenr', 'Navn', 'Orgnr', 'E-post', 'Adresse', 'Postnr', 'Poststed', 'Land']
const CONTACT = ['Kontaktnr', 'Fornavn', 'Etternavn', 'E-post', 'Mobil', 'Kundenr']

export function startErp({ erp }: World, port: number): Promise<Listener> {
  const clock = startClock()
  const customers = new StoredShelf(erp.organisation.values(), clock)
  const contacts = new StoredShelf(erp.contact.values(), clock)
  const register = new PushRegister()
  const orMissing = (found: Fields | undefined): Answer => (found ? json(found) : problem(404, 'There is no such one.'))
  return listen(
    {
      'GET /export/customers.csv': () => text('text/csv; charset=utf-8', csv(CUSTOMER, customers)),
      'GET /export/contacts.csv': () => text('text/csv; charset=utf-8', csv(CONTACT, contacts)),
      'GET /api/customers/:id': ({ at }) => orMissing(customers.get(at.id as string)?.fields),
      'PATCH /api/customers/:id': ({ at, body }) =>
        orMissing(customers.patch(at.id as string, JSON.parse(body) as Fields)?.fields),
      'DELETE /api/customers/:id': ({ at }) => orMissing(customers.delete(at.id as string) ? {} : undefined),
      'DELETE /api/contacts/:id': ({ at }) => orMissing(contacts.delete(at.id as string) ? {} : undefined),
      'POST /api/organisations': ({ query, body }) => {
        try {
          register.push(JSON.parse(body), query)
          return json({})
        } catch (error) {
          if (error instanceof PushConflict) return problem(409, error.message)
          throw error
        }
      },
      'GET /api/organisations': () => json(register.all()),
      'GET /api/organisations/:id': ({ at }) => orMissing(register.get(at.id as string)),
    },
    port,
  )
}

/** Semicolons, as spreadsheets of the region write it; the first column is the number. */
function csv(columns: readonly string[], shelf: StoredShelf): string {
  const rows = shelf
    .live()
    .map(({ id, fields }) => [id, ...columns.slice(1).map((column) => String(fields[column] ?? ''))])
  return [columns, ...rows].map((row) => `${row.map(quoted).join(';')}\r\n`).join('')
}

const quoted = (field: string): string => (/[;"\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
