/** Looks into the process, for whoever mends it, and courtesies that older clients ask for (rest-api.md §3.1). */

import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { Type } from 'typebox'
import type { Tenant } from '../../hub/contract.ts'
import { isDict, isList } from '../../model/value.ts'
import { json, jsonText } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { prettyConfig } from '../pretty-config.ts'
import { type Route, route } from '../route.ts'
import { found, given, ObjectShape, ProblemShape } from './shapes.ts'

const common = { tag: 'Node', resource: 'node', action: 'read' } as const

const LICENSE = {
  license: 'Apache-2.0',
  valid: true,
  expires: null,
  message: 'Samtale is free software: no key is needed, and nothing ends.',
}

export const diagnosticRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/license',
    summary: 'The licence of the hub: it needs no key.',
    answers: given(ObjectShape, 'The licence.'),
    handle: () => json(LICENSE),
  }),
  route({
    ...common,
    action: 'administer',
    method: 'PUT',
    path: '/api/license',
    summary: 'Keys of other products are read and thrown away.',
    answers: given(ObjectShape, 'The licence, as it always is.'),
    handle: () => json(LICENSE),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/stats',
    summary: 'How much there is: pipes, systems, datasets, entities.',
    answers: given(ObjectShape, 'Counts of the tenant.'),
    handle: ({ tenant }) => json(statsOf(tenant)),
  }),
  route({
    ...common,
    action: 'administer',
    isNodeOnly: true,
    method: 'GET',
    path: '/api/status/heap',
    summary: 'The memory of the main thread, space by space.',
    answers: given(ObjectShape, 'Bytes.'),
    handle: () => json({ heap: getHeapStatistics(), spaces: getHeapSpaceStatistics() }),
  }),
  route({
    ...common,
    action: 'administer',
    isNodeOnly: true,
    method: 'GET',
    path: '/api/status/stacktrace',
    summary: 'What the process is at: open handles and requests, and what its threads run.',
    answers: given(ObjectShape, 'Names of what is open.'),
    handle: ({ node }) => json({ resources: counted(process.getActiveResourcesInfo()), threads: node.threads() }),
  }),
  route({
    ...common,
    action: 'administer',
    isNodeOnly: true,
    method: 'GET',
    path: '/api/status/debugmallocstats',
    summary: 'The memory of the process as the operating system sees it.',
    answers: given(ObjectShape, 'Bytes, and what was used of the machine.'),
    handle: () => json({ memory: process.memoryUsage(), resources: process.resourceUsage() }),
  }),
  route({
    tag: 'Configuration',
    resource: 'config',
    action: 'read',
    method: 'POST',
    path: '/api/utils/reformat-config',
    takesBulk: true,
    summary: 'The same configuration, laid out to be read; every digit stays.',
    accepts: { 'application/json': Type.Any({ description: 'One component, or an array of them.' }) },
    answers: {
      ...given(Type.Any(), 'The same JSON, indented, the well-known properties first.'),
      400: { description: 'It is no JSON.', schema: ProblemShape },
    },
    handle: (call) => {
      const value = jsonOf(call)
      if (isDict(value) || isList(value)) return jsonText(prettyConfig(value))
      throw new ApiError('bad-body', 'A configuration is a JSON object, or an array of them.')
    },
  }),
  ...(['run-dtl', 'analyze-dtl'] as const).map((name) =>
    route({
      tag: 'Datasets',
      resource: 'dataset',
      action: 'read',
      method: 'POST',
      path: `/api/datasets/:id/${name}`,
      summary: `Deprecated: POST /api/pipes/<id>/preview and GET /api/pipes/<id>/explain say what ${name} said.`,
      answers: { ...found(ObjectShape, 'Never.'), 400: { description: 'Always.', schema: ProblemShape } },
      handle: () => {
        throw new ApiError('not-supported', `${name} is deprecated and not there any more.`, {
          hint: 'POST /api/pipes/<id>/preview tries a configuration, GET /api/pipes/<id>/explain tells what one does.',
        })
      },
    }),
  ),
]

function statsOf(tenant: Tenant): Record<string, unknown> {
  const snapshot = tenant.snapshot()
  try {
    const counts = snapshot.datasets().map(({ id }) => snapshot.dataset(id)?.counts())
    const sum = (of: 'existing' | 'deleted' | 'versions') => counts.reduce((all, one) => all + (one?.[of] ?? 0), 0)
    return {
      pipes: tenant.pipeIds().length,
      systems: tenant.systemIds().length,
      datasets: counts.length,
      'entities-existing': sum('existing'),
      'entities-deleted': sum('deleted'),
      versions: sum('versions'),
    }
  } finally {
    snapshot.close()
  }
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
