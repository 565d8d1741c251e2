import { describe, expect, it } from 'vitest'
import { serve } from '../serve.ts'

describe('metrics', () => {
  const served = serve()

  it('tell about pipes, graph and requests, without ids of entities', async () => {
    served.tenant.addPipe('a', 'a')
    await served.get('/api/datasets/a/entities/secret-id')
    const response = await served.get('/api/metrics')
    expect(response.headers.get('content-type')).toContain('text/plain')
    const lines = (await response.text()).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'sesam_health{tenant="default",sesam_health="healthy"} 1',
        'sesam_health{tenant="default",sesam_health="unhealthy"} 0',
        'sesam_pipe_enabled{tenant="default",pipe="a"} 1',
        'sesam_pipe_config{tenant="default",pipe="a",config_group="default",leaf="1"} 1',
        'sesam_pipe_queue_source{tenant="default",pipe="a"} 3',
        'samtale_pipe_out_of_sync{tenant="default",pipe="a"} 0',
        'sesam_pipe_queue_tracking{tenant="default",pipe="a"} 6',
        'samtale_pump_tracking_rows{tenant="default",pipe="a"} 5',
        'sesam_pipe_sink_dataset_count_index_exists{tenant="default",pipe="a"} 7',
        'sesam_pump_total_time{tenant="default",pipe="a"} 1.5',
        'sesam_pump_successful{tenant="default",pipe="a"} 1',
        'sesam_pump_started_total{tenant="default",pipe="a"} 4',
        'sesam_pump_started_created{tenant="default",pipe="a"} 9',
        'sesam_pump_completed_total{tenant="default",pipe="a"} 3',
        'sesam_pump_failed_total{tenant="default",pipe="a"} 1',
        'sesam_pump_interrupted_total{tenant="default",pipe="a"} 0',
        'sesam_pump_entities_changes_total{tenant="default",pipe="a"} 8',
        'sesam_pump_entities_seen_total{tenant="default",pipe="a"} 9',
        'sesam_pump_entities_compacted_total{tenant="default",pipe="a"} 5',
        'sesam_pump_entities_deletion_tracked_total{tenant="default",pipe="a"} 6',
        'sesam_pump_entities_retryable{tenant="default",pipe="a"} 2',
        'sesam_pump_last_completed_time{tenant="default",pipe="a"} 77',
        'sesam_pipe_dead_letter_dataset_count_index_exists{tenant="default",pipe="a"} 1',
        'samtale_graph_quads{tenant="default"} 42',
      ]),
    )
    const requests = lines.filter((line) => line.startsWith('samtale_http_request_seconds_count'))
    expect(requests.join('\n')).toContain('route="/api/datasets/:id/entities/*",status="404"')
    expect(requests.join('\n')).not.toContain('secret-id')
  })

  it('tell how long changes take, each measured once however often it is asked', async () => {
    served.tenant.lags = [
      { end: { kind: 'dataset', id: 'end' }, seconds: 0.2 },
      { end: { kind: 'pipe', id: 'out' }, seconds: 3 },
    ]
    await served.get('/api/metrics')
    const lines = (await (await served.get('/api/metrics')).text()).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'samtale_flow_lag_seconds_count{tenant="default",dataset="end",pipe=""} 1',
        'samtale_flow_lag_seconds_sum{tenant="default",dataset="",pipe="out"} 3',
        'samtale_pipe_waiting_seconds{tenant="default",pipe="crm"} 2.5',
      ]),
    )
  })

  it('are told as a map, too', async () => {
    const response = await served.get('/api/flow')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ pipes: [{ id: 'crm' }], edges: [], cycles: [] })
  })

  it('forget pipes that are gone', async () => {
    served.tenant.addPipe('brief')
    expect(await (await served.get('/api/metrics')).text()).toContain('pipe="brief"')
    served.tenant.pipes.clear()
    expect(await (await served.get('/api/metrics')).text()).not.toContain('pipe="brief"')
  })
})
