import { expect, it } from 'vitest'
import { type AuditEvent, AuditLog } from '../../../src/hub/access/audit.ts'
import { get } from '../../../src/model/dict.ts'
import type { Entity } from '../../../src/model/entity.ts'
import { silent } from '../../../src/pipes/logger.ts'

const event = (more: Partial<AuditEvent>): AuditEvent => ({
  event: 'refused',
  user: null,
  email: null,
  token: null,
  address: '10.0.0.1',
  method: 'GET',
  route: '/api/pipes',
  resource: 'pipe',
  action: 'read_config',
  status: 401,
  reason: 'unauthorized',
  ...more,
})

function open(write: (entities: readonly Entity[]) => void = () => {}) {
  const written: Entity[] = []
  let now = 1_000
  const log = new AuditLog({
    now: () => now++,
    logger: silent,
    write: async (_tenant, entities) => {
      write(entities)
      written.push(...entities)
    },
  })
  return { log, written, of: (name: string) => written.map((entity) => get(entity, name)) }
}

it('tells alike events once, in the order of their first', async () => {
  const { log, of } = open()
  for (const route of ['/b', '/a', '/b', '/b']) log.tell('default', event({ route }))
  await log.close()
  expect(of('route')).toEqual(['/b', '/a'])
  expect(of('count')).toEqual([3, undefined])
  expect([...of('_id')].sort()).toEqual(of('_id'))
})

it('is crowded out by no strangers, and says how much it left out', async () => {
  const { log, written, of } = open()
  for (let n = 0; n < 5_000; n++) log.tell('default', event({ address: `10.0.${n >> 8}.${n & 255}` }), true)
  log.tell('default', event({ user: 'kari', event: 'request', status: 200 }))
  await log.close()
  expect(written).toHaveLength(1_002)
  expect(of('user_id')).toContain('kari')
  expect(written.map((entity) => get(entity, 'event') === 'dropped' && get(entity, 'count'))).toContain(4_000)
})

it('goes on when it could not be written', async () => {
  let isBroken = true
  const { log, of } = open(() => {
    if (isBroken) throw new Error('disk full')
  })
  log.tell('default', event({ route: '/lost' }))
  await log.flush()
  isBroken = false
  log.tell('default', event({ route: '/kept' }))
  await log.close()
  expect(of('route')).toEqual(['/kept'])
})
