import { describe, expect, it } from 'vitest'
import type { RunnerOptions } from '../../../src/hub/contract.ts'
import { serve } from '../serve.ts'

describe('the door of the pipe runner', () => {
  const served = serve()
  const run = (query = '') => served.post(`/api/pipes/run-all-pipes${query}`, '')

  /** Listens to what the runner is asked. */
  function listen(status: 'success' | 'failed' = 'success'): RunnerOptions[] {
    const asked: RunnerOptions[] = []
    served.tenant.runner = {
      ...served.tenant.runner,
      start: (options) => {
        asked.push(options)
        return {
          token: 'token',
          ended: Promise.resolve({ status, reason: status === 'failed' ? 'It rains.' : null, statistics: 'table' }),
        }
      },
      status: (token) => (token === 'token' ? 'running' : 'not-running'),
      lines: (since = '', token = '') => [{ timestamp: since, loglevel: 'INFO', logdata: token }],
      stop: async (timeoutMs) => timeoutMs > 1_000,
    }
    return asked
  }

  it('is closed unless the hub is in developer mode', async () => {
    served.node.developer = false
    try {
      for (const answer of [
        await run(),
        await served.post('/api/pipes/stop-run-all-pipes', ''),
        await served.get('/api/pipes/get-run-all-pipes-log'),
        await served.get('/api/pipes/get-pipe-runner-status?token=x'),
      ]) {
        expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'developer-only' }])
      }
    } finally {
      served.node.developer = true
    }
  })

  it('waits for the end, and says with 200 that a run failed', async () => {
    const asked = listen('failed')
    const answer = await run()
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'failed', additional_info: 'It rains.' }])
    expect(asked).toEqual([
      {
        extraZeroRuns: 2,
        maxRunSeconds: 900,
        maxRuns: 100,
        resets: true,
        deletesInputs: true,
        checksInputs: false,
        compactsLogs: false,
      },
    ])
  })

  it('takes every parameter, in the spelling of Python', async () => {
    const asked = listen()
    const query =
      '?extra_zero_runs=0&max_run_time=1.5&max_runs=3&request_mode=sync&scheduler_mode=poll&delete_input_datasets=False&check_input_pipes=True&reset_pipes_and_delete_sink_datasets=False&output_run_statistics=True&compact_execution_datasets=True'
    expect(await (await run(query)).json()).toEqual({ status: 'success', additional_info: 'table' })
    expect(asked).toEqual([
      {
        extraZeroRuns: 0,
        maxRunSeconds: 1.5,
        maxRuns: 3,
        resets: false,
        deletesInputs: false,
        checksInputs: true,
        compactsLogs: true,
      },
    ])
    for (const bad of [
      'request_mode=later',
      'scheduler_mode=lazy',
      'max_runs=0',
      'max_run_time=-1',
      'extra_zero_runs=x',
    ]) {
      expect((await run(`?${bad}`)).status, bad).toBe(400)
    }
  })

  it('gives a token at once when asked to, by which the run is followed', async () => {
    listen()
    expect(await (await run('?request_mode=async')).json()).toEqual({ token: 'token' })
    expect(await (await served.get('/api/pipes/get-pipe-runner-status?token=token')).json()).toEqual({
      status: 'running',
    })
    expect(await (await served.get('/api/pipes/get-pipe-runner-status')).json()).toEqual({ status: 'not-running' })
    expect(await (await served.get('/api/pipes/get-run-all-pipes-log?since=x&token=token')).json()).toEqual([
      { timestamp: 'x', loglevel: 'INFO', logdata: 'token' },
    ])
  })

  it('stops what runs, and says when that takes longer', async () => {
    listen()
    const stop = async (query: string) => (await served.post(`/api/pipes/stop-run-all-pipes${query}`, '')).json()
    expect(await stop('')).toEqual({ status: 'stopped' })
    expect(await stop('?terminate_timeout=1')).toEqual({ status: 'stopping' })
  })

  it('has names that no pipe can take', async () => {
    listen()
    served.tenant.addPipe('get-run-all-pipes-log')
    expect(await (await served.get('/api/pipes/get-run-all-pipes-log')).json()).toEqual([expect.anything()])
  })
})
