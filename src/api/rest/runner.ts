/** The pipe runner: runs all pipes until nothing changes any more; of developer mode (rest-api.md §8). */

import { Type } from 'typebox'
import type { RunnerResult } from '../../hub/contract.ts'
import { type Answer, json } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { flag, text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { given, ProblemShape } from './shapes.ts'

const common = { tag: 'Pipe runner', resource: 'tenant' } as const

const RunQuery = Type.Object({
  extra_zero_runs: Type.Integer({
    default: 2,
    minimum: 0,
    description: 'Passes in a row, beyond the first, that must change nothing.',
  }),
  max_run_time: Type.Number({ default: 900, description: 'Seconds at most; what takes longer has failed.' }),
  max_runs: Type.Integer({ default: 100, minimum: 1, description: 'Passes at most.' }),
  request_mode: text('`sync` (default): the answer comes at the end. `async`: at once, with a token.'),
  scheduler_mode: text('`active` or `poll`: the same here.'),
  delete_input_datasets: flag('What receivers were sent goes too.', true),
  check_input_pipes: flag('A failing pipe that reads something outside the hub makes the run fail.'),
  reset_pipes_and_delete_sink_datasets: flag('Begin from nothing.', true),
  output_run_statistics: flag('Tell what each pipe did.'),
  compact_execution_datasets: flag('Compact the execution logs before.'),
})

const Result = Type.Object({
  status: Type.String({ description: '`success` or `failed`; the log says why.' }),
  additional_info: Type.Optional(Type.String({ description: 'Why it failed; what each pipe did, as a table.' })),
})
const Line = Type.Object({ timestamp: Type.String(), loglevel: Type.String(), logdata: Type.String() })
const refusals = {
  403: { description: 'The hub is not in developer mode.', schema: ProblemShape },
}

export const runnerRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'POST',
    path: '/api/pipes/run-all-pipes',
    action: 'operate',
    summary: 'Runs all pipes, in passes, until nothing changes any more. Pumps do not run by themselves meanwhile.',
    query: RunQuery,
    answers: {
      200: {
        description: 'How it ended, or the token of what has begun.',
        schema: Type.Union([Result, Type.Object({ token: Type.String() })]),
      },
      ...refusals,
      409: { description: 'It is at work already.', schema: ProblemShape },
    },
    handle: run,
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/get-pipe-runner-status',
    action: 'read',
    summary: 'How a run is doing.',
    query: Type.Object({ token: text('What the start of the run gave.') }),
    answers: {
      ...given(Type.Object({ status: Type.String() }), '`running`, `success`, `failed`, or `not-running`.'),
      ...refusals,
    },
    handle: (call) => {
      assertDeveloper(call)
      return json({ status: call.tenant.runner.status(call.query.token ?? '') })
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/pipes/get-run-all-pipes-log',
    action: 'read',
    summary: 'What the run under way tells, or the last one did.',
    query: Type.Object({
      since: text('Only lines after the one with this timestamp.'),
      token: text('Only of this run.'),
    }),
    answers: { ...given(Type.Array(Line), 'Lines, oldest first.'), ...refusals },
    handle: (call) => {
      assertDeveloper(call)
      const { since, token } = call.query
      return json(call.tenant.runner.lines(since, token === '' ? undefined : token))
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/pipes/stop-run-all-pipes',
    action: 'operate',
    summary: 'Ends the run, if there is one; its pumps stop between two batches.',
    query: Type.Object({
      terminate_timeout: Type.Integer({ default: 30, minimum: 0, description: 'Seconds to wait for its end at most.' }),
    }),
    answers: {
      ...given(Type.Object({ status: Type.String() }), '`stopped`, or `stopping` when it takes longer.'),
      ...refusals,
    },
    handle: async (call) => {
      assertDeveloper(call)
      const isStopped = await call.tenant.runner.stop(call.query.terminate_timeout * 1_000)
      return json({ status: isStopped ? 'stopped' : 'stopping' })
    },
  }),
]

type RunCall = Call<{
  extra_zero_runs: number
  max_run_time: number
  max_runs: number
  request_mode?: string
  scheduler_mode?: string
  delete_input_datasets: boolean
  check_input_pipes: boolean
  reset_pipes_and_delete_sink_datasets: boolean
  output_run_statistics: boolean
  compact_execution_datasets: boolean
}>

async function run(call: RunCall): Promise<Answer> {
  assertDeveloper(call)
  const { query, tenant } = call
  const mode = oneOf('request_mode', query.request_mode, ['sync', 'async'])
  oneOf('scheduler_mode', query.scheduler_mode, ['active', 'poll'])
  const { token, ended } = tenant.runner.start({
    extraZeroRuns: query.extra_zero_runs,
    maxRunSeconds: query.max_run_time,
    maxRuns: query.max_runs,
    resets: query.reset_pipes_and_delete_sink_datasets,
    deletesInputs: query.delete_input_datasets,
    checksInputs: query.check_input_pipes,
    compactsLogs: query.compact_execution_datasets,
  })
  if (mode === 'async') return json({ token })
  const result = await ended
  const info = additionalInfo(result, query.output_run_statistics)
  return json({ status: result.status, ...(info === '' ? {} : { additional_info: info }) })
}

/** Clients show the whole answer when a run failed, and often nothing else. */
const additionalInfo = ({ reason, statistics }: RunnerResult, withStatistics: boolean): string =>
  [reason ?? '', withStatistics ? statistics : ''].filter((text) => text !== '').join('\n')

/** The first is what an absent one means. */
function oneOf(name: string, value: string | undefined, known: readonly string[]): string {
  if (value === undefined || value === '') return known[0] as string
  if (known.includes(value)) return value
  throw new ApiError('bad-parameter', `The parameter '${name}' must be ${known.join(' or ')}, not '${value}'.`)
}

function assertDeveloper({ node }: Call): void {
  if (node.developer) return
  throw new ApiError(
    'developer-only',
    'The pipe runner is there in developer mode only: it deletes what pipes wrote.',
    {
      hint: 'Start the hub with --developer.',
    },
  )
}
