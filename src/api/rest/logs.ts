/** The node's log: what its parts said of late, and how much they are to say (rest-api.md §3.1). */

import { Type } from 'typebox'
import { LEVELS, type Line, levelNamed } from '../../hub/logs/line.ts'
import { type Answer, json } from '../answer.ts'
import { fieldsOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { count, text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { found, given, ObjectShape, ProblemShape } from './shapes.ts'

/** Others' runs and requests are in it: only who runs the node reads it. */
const common = { tag: 'Node', resource: 'node', action: 'administer', isNodeOnly: true } as const

const FEW = 200
const MOST = 10_000

const LoggerShape = Type.Object(
  { _id: Type.String(), level: Type.String(), lines: Type.Integer(), since: Type.Union([Type.String(), Type.Null()]) },
  { description: 'A logger: what it writes, and how many of its lines are kept.' },
)

const LineShape = Type.Object(
  {
    timestamp: Type.String(),
    loglevel: Type.String(),
    logger_name: Type.String(),
    logdata: Type.String({ description: 'The message.' }),
    details: ObjectShape,
  },
  { description: 'A line of the log.' },
)

const LevelFields = Type.Object({
  loglevel: Type.String({ description: LEVELS.join(', ') }),
  logger_name: Type.Optional(Type.String({ description: 'Only this logger; otherwise all of them.' })),
})

export const logRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/logs',
    summary: 'The loggers of the node, with their levels.',
    answers: given(Type.Array(LoggerShape), 'All loggers; `all` is all of them together.'),
    handle: ({ node }) => json(node.logs.documents()),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/logs/:id',
    summary: 'The newest lines of a logger, or of `all`, oldest first; of level info and above, and what is written.',
    query: Type.Object({
      level: text(`Only lines of this level and above: ${LEVELS.join(', ')}.`),
      pipe: text('Only lines about this pipe.'),
      tenant: text('Only lines about this tenant.'),
      request: text('Only what this request caused: the X-Request-Id of its answer.'),
      since: text('Only lines after this time, ISO 8601.'),
      limit: count('Lines at most: the newest.'),
    }),
    answers: found(Type.Array(LineShape), 'The lines.'),
    handle: ({ node, params, query }) => {
      const { level, pipe, tenant, request, since, limit = FEW } = query
      const lines = node.logs.lines(params.id as string, {
        limit: Math.min(limit, MOST),
        ...(level === undefined ? {} : { level: levelNamed(level) }),
        ...(pipe === undefined ? {} : { pipe }),
        ...(tenant === undefined ? {} : { tenant }),
        ...(request === undefined ? {} : { request }),
        ...(since === undefined ? {} : { since: timeOf(since) }),
      })
      return json(lines.map(lineDocument))
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/logs',
    summary: 'Sets what is written of a logger, or of all, until the node ends.',
    accepts: { 'application/x-www-form-urlencoded': LevelFields, 'application/json': LevelFields },
    answers: {
      200: { description: 'The loggers as they are now.', schema: Type.Array(LoggerShape) },
      400: { description: 'There is no such level.', schema: ProblemShape },
      404: { description: 'There is no such logger.', schema: ProblemShape },
    },
    handle: setLevel,
  }),
]

async function setLevel(call: Call): Promise<Answer> {
  const { loglevel, logger_name } = await fieldsOf(call)
  if (loglevel === undefined) throw new ApiError('bad-request', "The field 'loglevel' is missing.")
  call.node.logs.setLevel(logger_name ?? null, loglevel)
  return json(call.node.logs.documents())
}

const lineDocument = ({ time, level, logger, message, details }: Line) => ({
  timestamp: new Date(time).toISOString(),
  loglevel: level,
  logger_name: logger,
  logdata: message,
  details,
})

function timeOf(text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new ApiError('bad-parameter', `The parameter 'since' is no time: '${text}'.`)
  return time
}
