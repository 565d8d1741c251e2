/** The backups of a tenant: list them, start one, ask what became of it (rest-api.md §3.1). */

import { Type } from 'typebox'
import { jsonArray, jsonText } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { type Route, route } from '../route.ts'
import { BackupShape, found, given, ProblemShape } from './shapes.ts'

const common = { tag: 'Backups', resource: 'tenant', action: 'administer' } as const

export const backupRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/backups',
    summary: 'All backups, newest first.',
    answers: given(Type.Array(BackupShape), 'The backups.'),
    handle: ({ tenant }) => jsonArray([...tenant.backups()]),
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/backups',
    summary: 'Starts a backup.',
    query: Type.Object({ full: flag('A full copy, not only what is new since the last backup.') }),
    answers: {
      202: { description: 'It is being made.', schema: BackupShape },
      409: { description: 'One is being made already, or the hub has no folder for backups.', schema: ProblemShape },
    },
    handle: ({ tenant, query }) => jsonText(tenant.startBackup(query.full), { status: 202 }),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/backups/:id',
    summary: 'One backup.',
    answers: found(BackupShape, 'The backup.'),
    handle: ({ tenant, params }) => {
      const document = tenant.backup(params.id as string)
      if (document === undefined) throw new ApiError('unknown-backup', `There is no backup '${params.id}'.`)
      return jsonText(document)
    },
  }),
]
