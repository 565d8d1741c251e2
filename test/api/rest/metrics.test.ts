/** The metrics as monitors read them: every name of the specification, in both forms, read by a strict reader of OpenMetrics. */

import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { Scrape } from '../../../src/api/metrics/scrape.ts'
import { serve } from '../serve.ts'
import { type Read, readOpenMetrics } from './open-metrics.ts'

/** hub.md §25.4, name by name. */
const OF_TENANT = {
  sesam_health: 'stateset',
  sesam_backup_health: 'stateset',
} as const
const OF_PIPE = {
  sesam_pipe_enabled: 'gauge',
  sesam_pipe_usage: 'gauge',
  sesam_pipe_queue_source: 'gauge',
  sesam_pipe_queue_tracking: 'gauge',
  sesam_pipe_queue_replicas: 'gauge',
  sesam_pipe_sink_dataset_count_index_exists: 'gauge',
  sesam_pipe_sink_dataset_count_index_deleted: 'gauge',
  sesam_pipe_sink_dataset_count_log_exists: 'gauge',
  sesam_pipe_sink_dataset_count_log_deleted: 'gauge',
  sesam_pipe_dead_letter_dataset_count_index_exists: 'gauge',
  sesam_pipe_dead_letter_dataset_count_index_deleted: 'gauge',
  sesam_pipe_dead_letter_dataset_count_log_exists: 'gauge',
  sesam_pipe_dead_letter_dataset_count_log_deleted: 'gauge',
  sesam_pipe_circuit_breaker_tripped: 'gauge',
} as const
const OF_PUMP = {
  sesam_pump_total_time: 'gauge',
  sesam_pump_successful: 'gauge',
  sesam_pump_entities_retryable: 'gauge',
  sesam_pump_scrape_time: 'gauge',
  sesam_pump_last_completed_time: 'gauge',
  sesam_pump_scheduled_time: 'gauge',
  sesam_pump_previous_scheduled_time: 'gauge',
} as const
const COUNTERS_OF_PUMP = [
  'sesam_pump_started',
  'sesam_pump_completed',
  'sesam_pump_failed',
  'sesam_pump_interrupted',
  'sesam_pump_entities_changes',
  'sesam_pump_entities_seen',
  'sesam_pump_entities_compacted',
  'sesam_pump_entities_deletion_tracked',
] as const

describe('metrics', () => {
  const served = serve()

  async function scrape(): Promise<Read> {
    const response = await served.get('/api/metrics', { accept: 'application/openmetrics-text;version=1.0.0' })
    expect(response.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    return readOpenMetrics(await response.text())
  }

  it('have every name, type and label of the specification', async () => {
    served.tenant.addPipe('a', 'a')
    const { families, of } = await scrape()
    const labels = { tenant: 'default', pipe: 'a' }
    for (const [name, type] of Object.entries(OF_TENANT)) {
      expect([name, families.get(name)?.type]).toEqual([name, type])
      const states = of(name).map((sample) => sample.labels[name])
      expect(states).toEqual(['healthy', 'unhealthy', 'unknown'])
      expect(of(name).reduce((sum, { value }) => sum + value, 0)).toBe(1)
    }
    for (const [name, type] of Object.entries({ ...OF_PIPE, ...OF_PUMP })) {
      expect([name, families.get(name)?.type]).toEqual([name, type])
      expect([name, of(name).map((sample) => sample.labels)]).toEqual([name, [labels]])
    }
    for (const name of COUNTERS_OF_PUMP) {
      expect([name, families.get(name)?.type]).toEqual([name, 'counter'])
      expect(of(name).map((sample) => [sample.name, sample.labels])).toEqual([
        [`${name}_total`, labels],
        [`${name}_created`, labels],
      ])
    }
    expect(families.get('sesam_pipe_config')?.type).toBe('gauge')
    expect(of('sesam_pipe_config')).toMatchObject([
      { labels: { ...labels, config_group: 'default', leaf: '1' }, value: 1 },
    ])
    expect(of('sesam_service_restarts')).toMatchObject([{ labels: {}, value: 4 }])
    expect(families.get('sesam_service_restarts')?.type).toBe('gauge')
    const named = [...families.keys()].filter((name) => name.startsWith('sesam_')).sort()
    const specified = [OF_TENANT, OF_PIPE, OF_PUMP].flatMap((some) => Object.keys(some))
    expect(named).toEqual([...specified, ...COUNTERS_OF_PUMP, 'sesam_pipe_config', 'sesam_service_restarts'].sort())
  })

  it('tell what the pipes say', async () => {
    served.tenant.more.push({
      id: 'quoted "a\\b"\nc',
      configGroup: 'extra',
      isLeaf: false,
      isValid: false,
      isTripped: true,
      sourceQueue: null,
      sink: null,
      deadLetters: null,
    })
    const { of } = await scrape()
    const value = (name: string) => of(name).map((sample) => sample.value)
    const [config] = of('sesam_pipe_config')
    expect(config).toMatchObject({ value: 0, labels: { config_group: 'extra', leaf: '0', pipe: 'quoted "a\\b"\nc' } })
    expect(value('sesam_pipe_circuit_breaker_tripped')).toEqual([1])
    expect(value('sesam_pipe_queue_source')).toEqual([])
    expect(value('sesam_pipe_queue_tracking')).toEqual([6])
    expect(value('sesam_pipe_sink_dataset_count_log_deleted')).toEqual([])
    expect(value('sesam_pump_started')).toEqual([4, 9])
    expect(value('sesam_pump_entities_deletion_tracked')).toEqual([6, 9])
    expect(value('sesam_pump_total_time')).toEqual([1.5])
    expect(value('sesam_pump_successful')).toEqual([1])
    expect(value('sesam_pump_scheduled_time')).toEqual([5])
    expect(value('sesam_pump_last_completed_time')).toEqual([77])
    expect(value('samtale_pump_tracking_rows')).toEqual([5])
    expect(value('samtale_pipe_waiting_seconds')).toEqual([2.5])
    expect(value('samtale_graph_quads')).toEqual([42])
    expect(value('samtale_notification_messages_sent')).toEqual([3, 9])
  })

  it('leave out the pump of a pipe that does not run by itself, and pipes that are gone', async () => {
    served.tenant.more.push({ id: 'receiver', pump: null })
    const { of } = await scrape()
    expect(of('sesam_pipe_enabled')).toHaveLength(1)
    for (const name of [...Object.keys(OF_PUMP), ...COUNTERS_OF_PUMP]) expect([name, of(name)]).toEqual([name, []])
    served.tenant.more.splice(0)
    expect((await scrape()).of('sesam_pipe_enabled')).toEqual([])
  })

  it('are given in the older form unless the other is asked for, with counters that monitors know', async () => {
    served.tenant.addPipe('a', 'a')
    const response = await served.get('/api/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = (await response.text()).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE sesam_health gauge',
        'sesam_health{tenant="default",sesam_health="healthy"} 1',
        '# TYPE sesam_pump_started_total counter',
        'sesam_pump_started_total{tenant="default",pipe="a"} 4',
        '# TYPE sesam_pump_started_created gauge',
        'sesam_pump_started_created{tenant="default",pipe="a"} 9',
        'sesam_pipe_config{tenant="default",pipe="a",config_group="default",leaf="1"} 1',
      ]),
    )
    expect(lines).not.toContain('# EOF')
  })

  it('count requests by their route, without ids of entities, and each lag once', async () => {
    await served.get('/api/datasets/a/entities/secret-id')
    served.tenant.lags = [
      { end: { kind: 'dataset', id: 'end' }, seconds: 0.2 },
      { end: { kind: 'pipe', id: 'out' }, seconds: 3 },
    ]
    await scrape()
    const { of, text } = await scrape()
    const count = (name: string, labels: object) =>
      of(name).filter(
        (sample) =>
          sample.name === `${name}_count` &&
          Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      )
    expect(
      count('samtale_http_request_seconds', { route: '/api/datasets/:id/entities/*', status: '404' }),
    ).toHaveLength(1)
    expect(text).not.toContain('secret-id')
    expect(count('samtale_flow_lag_seconds', { dataset: 'end', pipe: '' })).toMatchObject([{ value: 1 }])
    expect(
      of('samtale_flow_lag_seconds').find(({ name, labels }) => name.endsWith('_sum') && labels.pipe === 'out')?.value,
    ).toBe(3)
  })

  it('are put together once for all who ask at once', async () => {
    let reads = 0
    const figures = served.tenant.figures.bind(served.tenant)
    served.tenant.figures = async function* () {
      reads++
      yield* figures()
    }
    const scrape = new Scrape(served.node, new Registry())
    const [one, other] = await Promise.all([scrape.text('openmetrics'), scrape.text('openmetrics')])
    expect(one).toBe(other)
    expect(reads).toBe(1)
    await scrape.text('openmetrics')
    expect(reads).toBe(2)
  })

  it('are told as a map, too', async () => {
    const response = await served.get('/api/flow')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ pipes: [{ id: 'crm' }], edges: [], cycles: [] })
  })
})
