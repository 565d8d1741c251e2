import { describe, expect, it } from 'vitest'
import { deploy } from '../../src/hub/deployment.ts'

const found = (...components: object[]) =>
  deploy(JSON.stringify(components), '{}', null).problems.map(
    ({ level, component, pointer, message, hint }) =>
      `${level} ${component} ${pointer}: ${message}${hint === undefined ? '' : ` ${hint}`}`,
  )
const pipe = (id: string, more: object) => ({ _id: id, type: 'pipe', source: { type: 'empty' }, ...more })
const hop = (dataset: string) => ({
  type: 'dtl',
  rules: { default: [['add', 'x', ['hops', { datasets: [`${dataset} d`], where: ['eq', '_S.a', 'd.b'] }]]] },
})

describe('a deployment', () => {
  it('warns of reads of datasets that no pipe writes, and names the nearest', () => {
    expect(
      found(
        pipe('crm-person', {}),
        pipe('out', { source: { type: 'dataset', dataset: 'crm-persn' }, transform: hop('nobody') }),
      ),
    ).toEqual([
      "warning out /source: No pipe writes the dataset 'crm-persn'. Did you mean 'crm-person'?",
      "warning out /transform: It hops to the dataset 'nobody', which no pipe writes. The pipe waits until the dataset is there and populated.",
    ])
  })

  it('counts what a pipe with errors would write', () => {
    expect(
      found(pipe('a', { source: { type: 'nonsense' } }), pipe('b', { source: { type: 'dataset', dataset: 'a' } })),
    ).toHaveLength(1)
  })

  it('checks how a dataset is to be compacted', () => {
    const said = (compaction: object, more: object = {}) => found(pipe('a', { compaction, ...more }))
    expect(
      said({
        keep_versions: 3,
        time_threshold_hours: 24,
        growth_threshold: 1.5,
        ttl_deletes_hours: null,
        retract: true,
      }),
    ).toEqual([])
    expect(said({ keep_versions: 0, time_threshold_hours: 1 })).toEqual([])
    expect(said({ keep_versions: 0 })).toEqual([
      "error a /compaction/keep_versions: 'keep_versions' is 0, and there is no time threshold. Set time_threshold_hours too.",
    ])
    expect(said({ time_threshold_hours_pump: 719 })).toHaveLength(1)
    expect(said({ growth_threshold: 0.9 })).toHaveLength(1)
    expect(said({ keep_version: 1 })).toEqual([
      "warning a /compaction/keep_version: Unknown property 'keep_version'; it has no effect. Did you mean 'keep_versions'?",
    ])
    expect(said({ keep_versions: 1 }, { sink: { type: 'null' } })).toEqual([
      'warning a /compaction: It has no effect: the pipe does not write a dataset.',
    ])
    const node = { _id: 'node', type: 'metadata', global_defaults: { compaction_keep_versions: 0 } }
    expect(found(node, pipe('a', {}))).toEqual([
      "error node /global_defaults/compaction_keep_versions: 'keep_versions' is 0, and there is no time threshold. Set time_threshold_hours too.",
    ])
  })

  it('refuses two writers of one dataset', () => {
    expect(found(pipe('a', {}), pipe('b', { sink: { type: 'dataset', dataset: 'a' } }))).toEqual([
      "error b /sink/dataset: The dataset 'a' is written by pipe 'a' already.",
    ])
  })

  it('warns when only the name of a pipe says that it is global', () => {
    expect(found(pipe('global-person', {}))).toHaveLength(1)
    expect(found(pipe('global-person', { metadata: { global: true } }))).toEqual([])
  })

  it('tells what is known to nobody from what is not done yet', () => {
    expect(found(pipe('a', { source: { type: 'datset', dataset: 'x' } }))[0]).toContain(
      "Unknown source type 'datset'. Did you mean 'dataset'?",
    )
    expect(found(pipe('a', { source: { type: 'kafka' } }))[0]).toContain(
      "The source type 'kafka' is not supported by this version.",
    )
    expect(found({ _id: 's', type: 'system:postgresql' })[0]).toContain(
      "The system type 'system:postgresql' is not supported by this version.",
    )
    expect(found({ _id: 's', type: 'system:ulr' })[0]).toContain("Unknown system type 'system:ulr'.")
  })

  it('names a system that is missing', () => {
    const source = { type: 'json', system: 'crmm', url: 'x' }
    const pump = { schedule_interval: 60 }
    expect(found({ _id: 'crm', type: 'system:url', url_pattern: 'http://x/%s' }, pipe('a', { source, pump }))).toEqual([
      "error a /source/system: There is no system 'crmm'. Did you mean 'crm'?",
    ])
  })

  it('checks what a pump cannot mean together', () => {
    const said = (pump: object, source: object = { type: 'dataset', dataset: 'in' }) =>
      found(pipe('in', {}), pipe('a', { source, pump }))
    expect(said({ cron_expression: '0 3 * * MON-FRI 2020-2099', rescan_cron_expression: '0 0 L * ?' })).toEqual([])
    expect(said({ cron_expression: '0 25 * * *' })).toEqual([
      "error a /pump/cron_expression: The hour '25' of the cron expression cannot be read. 25 is not between 0 and 23.",
    ])
    expect(said({ rescan_cron_expression: '0 0 31 2 *' })).toEqual([
      "error a /pump/rescan_cron_expression: The cron expression '0 0 31 2 *' names a day that never comes.",
    ])
    const nightly = { rescan_cron_expression: '0 3 * * *' }
    expect(said({ ...nightly, rescan_run_count: 2, partial_rescan_run_count: 3, partial_rescan_delta: 4 })).toEqual([
      'error a /pump/rescan_cron_expression: rescan_cron_expression and rescan_run_count exclude one another. Keep one of the two.',
      'error a /pump/partial_rescan_run_count: partial_rescan_run_count and rescan_cron_expression exclude one another. Keep one of the two.',
    ])
    expect(said({ rescan_run_count: 6, partial_rescan_run_count: 3, partial_rescan_delta: 4 })).toEqual([])
    expect(said({ partial_rescan_run_count: 3 })[0]).toMatch(/^error .*needs partial_rescan_delta/)
    expect(said({ partial_rescan_delta: 3 })[0]).toMatch(/^warning .*no effect without partial_rescan_run_count/)
    expect(said({ partial_rescan_delta: 0, partial_rescan_run_count: 1.5 }).map((one) => one.split(':')[0])).toEqual([
      'error a /pump/partial_rescan_run_count',
      'error a /pump/partial_rescan_delta',
    ])
    expect(said({ schedule_interval: 5, cron_expression: '* * * * *' })).toEqual([
      'warning a /pump/schedule_interval: schedule_interval has no effect: cron_expression goes over it.',
    ])
    expect(said({ partial_rescan_run_count: 3, partial_rescan_delta: 4 }, { type: 'empty' })[0]).toMatch(
      /^warning .*no offsets to go back to/,
    )
  })

  it('warns of a pump between the hub and the world that has no schedule', () => {
    const crm = { _id: 'crm', type: 'system:url', url_pattern: 'http://x/%s' }
    const source = { type: 'json', system: 'crm', url: 'x' }
    const about = (...pipes: object[]) => found(crm, ...pipes).map((one) => one.slice(0, 40))
    expect(about(pipe('a', { source }))).toEqual(['warning a /pump: The pump has no schedul'])
    expect(about(pipe('a', { source, pump: { cron_expression: '0 * * * *' } }))).toEqual([])
    expect(about(pipe('a', { source, pump: { mode: 'manual' } }))).toEqual([])
    expect(about(pipe('a', { source: { type: 'http_endpoint' } }))).toEqual([])
    const sink = { type: 'json', system: 'crm', url: 'y' }
    expect(about(pipe('in', {}), pipe('out', { source: { type: 'dataset', dataset: 'in' }, sink }))).toEqual([
      'warning out /pump: The pump has no sched',
    ])
    expect(about(pipe('in', {}), pipe('out', { source: { type: 'dataset', dataset: 'in' } }))).toEqual([])
  })

  it('signals a pipe between datasets unless its schedule is short, and any that asks for it', () => {
    const signalled = (source: object, more: object = {}, defaults: object = {}) => {
      const metadata = { _id: 'node', type: 'metadata', global_defaults: defaults }
      const crm = { _id: 'crm', type: 'system:url', url_pattern: 'http://x/%s' }
      const { pipes } = deploy(
        JSON.stringify([metadata, crm, pipe('in', {}), pipe('a', { source, ...more })]),
        '{}',
        null,
      )
      const found = pipes.get('a')?.pipe
      return [found?.source.signalled, found?.source.subscribes]
    }
    const dataset = { type: 'dataset', dataset: 'in' }
    expect(signalled(dataset)).toEqual([true, false])
    expect(signalled(dataset, { pump: { schedule_interval: 3599 } })).toEqual([false, false])
    expect(signalled(dataset, { pump: { schedule_interval: 3600 } })).toEqual([true, false])
    expect(signalled(dataset, { pump: { cron_expression: '0 0 * * *' } })).toEqual([false, false])
    expect(signalled(dataset, {}, { use_signalling_internally: false })).toEqual([false, false])
    expect(signalled({ ...dataset, supports_signalling: false })).toEqual([false, false])
    const asked = { ...dataset, supports_signalling: true }
    expect(signalled(asked, { pump: { schedule_interval: 5 } }, { use_signalling_internally: false })).toEqual([
      true,
      false,
    ])
    const out = { sink: { type: 'json', system: 'crm', url: 'y' } }
    expect(signalled(dataset, out)).toEqual([false, false])
    expect(signalled(asked, out)).toEqual([true, false])
    const json = { type: 'json', system: 'crm', url: 'x' }
    expect(signalled(json)).toEqual([false, false])
    expect(signalled({ ...json, supports_signalling: true })).toEqual([false, true])
    const external = { use_signalling_externally: true }
    expect(signalled(json, { pump: { schedule_interval: 7200 } }, external)).toEqual([false, true])
    expect(signalled(json, { pump: { schedule_interval: 60 } }, external)).toEqual([false, false])
    expect(signalled({ type: 'binary', system: 'crm', url: 'x', supports_signalling: false }, {}, external)).toEqual([
      false,
      false,
    ])
  })

  it('rescans in the background where that can be, and says why it is not', () => {
    const metadata = { _id: 'node', type: 'metadata', global_defaults: { enable_background_rescan: true } }
    const source = { type: 'dataset', dataset: 'in' }
    const all = (...pipes: object[]) => deploy(JSON.stringify([metadata, pipe('in', {}), ...pipes]), '{}', null)
    expect(all(pipe('a', { source })).pipes.get('a')?.pipe?.rescansInBackground).toBe(true)
    const merge = { source: { type: 'merge', version: 2, datasets: ['in x'] } }
    expect(all(pipe('a', merge)).pipes.get('a')?.pipe?.rescansInBackground).toBe(true)
    const off = { source, enable_background_rescan: false }
    expect(all(pipe('a', off)).pipes.get('a')?.pipe?.rescansInBackground).toBe(false)
    const breaker = { sink: { type: 'dataset', dataset: 'a', circuit_breaker_threshold_count: 5 } }
    expect(all(pipe('a', { source, ...breaker })).problems).toEqual([])
    const asked = { enable_background_rescan: true }
    for (const [more, why] of [
      [{ source, ...breaker }, 'circuit breaker'],
      [{ source, trace_output: true }, 'trace_output'],
      [{ source: { type: 'embedded', entities: [] } }, 'each run reads everything'],
      [{ source, sink: { type: 'null' } }, 'does not write a dataset'],
    ] as const) {
      const { problems, pipes } = all(pipe('a', { ...more, ...asked }))
      expect(pipes.get('a')?.pipe?.rescansInBackground, why).toBe(false)
      expect(problems.map(({ level, pointer, message }) => `${level} ${pointer} ${message}`)).toContainEqual(
        expect.stringMatching(new RegExp(`^warning /enable_background_rescan .*${why}`)),
      )
    }
  })

  it('lets the metadata stop the scheduler and switch namespaces on', () => {
    const metadata = {
      _id: 'node',
      type: 'metadata',
      namespaced_identifiers: true,
      task_manager: { disable_pump_scheduler: true },
    }
    const { tasks, pipes, problems } = deploy(
      JSON.stringify([metadata, pipe('a', { source: { type: 'embedded', entities: [] } })]),
      '{}',
      null,
    )
    expect(problems).toEqual([])
    expect(tasks).toEqual({ disablesPumps: true, disablesUserPipes: false })
    expect(pipes.get('a')?.pipe?.addNamespaces).toBe(true)
  })

  it('lets the metadata say for all systems whether certificates are verified', () => {
    const metadata = { _id: 'node', type: 'metadata', global_defaults: { verify_ssl: true } }
    const crm = { _id: 'crm', type: 'system:url', url_pattern: 'http://x/%s' }
    const own = { ...crm, _id: 'own', verify_ssl: false }
    const { systems, problems } = deploy(JSON.stringify([metadata, crm, own]), '{}', null)
    expect(problems).toEqual([])
    expect(['crm', 'own'].map((id) => JSON.parse(JSON.stringify(systems.get(id)?.effective)).verify_ssl)).toEqual([
      true,
      false,
    ])
  })

  it('refuses environment variables that are no object', () => {
    expect(() => deploy([], '[1]', null)).toThrow(/JSON object/)
    expect(() => deploy([], '{', null)).toThrow(/Not JSON/)
  })
})

describe('hops in a pipe', () => {
  const spec = { datasets: ['b d'], where: ['eq', '_S.a', 'd.b'] }
  const dtl = (...transforms: unknown[]) => ({ type: 'dtl', rules: { default: transforms } })
  const add = (more: object = {}) => ['add', 'x', ['hops', { ...spec, ...more }]]
  const reading = { source: { type: 'dataset', dataset: 'a' } }
  const said = (more: object, ...others: object[]) =>
    found(pipe('a', {}), pipe('b', {}), pipe('out', { ...reading, ...more }), ...others).map((text) =>
      text.replace(/\. .*/, ''),
    )
  const AT = '/rules/default/0/2/1'

  it('are tracked to datasets, alone or united, without a word', () => {
    expect(said({ transform: dtl(add()) })).toEqual([])
    expect(said({ source: { type: 'union_datasets', datasets: ['a', 'b'] }, transform: dtl(add()) })).toEqual([])
    expect(said({ transform: dtl(add()), namespaced_identifiers: true, add_namespaces: true })).toEqual([])
  })

  it('are warned of where the source is none whose changes can be followed back', () => {
    expect(said({ source: { type: 'embedded', entities: [] }, transform: dtl(add()) })).toEqual([
      `warning out /transform${AT}: Changes of what it joins run nothing again: what a source of type 'embedded' gives cannot be followed back to entities of a dataset`,
    ])
    const untracked = dtl(add({ 'track-dependencies': false }))
    expect(said({ source: { type: 'embedded', entities: [] }, transform: untracked })).toEqual([])
  })

  it('are tracked behind transforms that copy, rename or add from the source what is joined on', () => {
    const made = [
      ['copy', '*'],
      ['rename', 'o', 'a'],
      ['add', 'a', ['lower', '_S.o']],
      ['filter', ['eq', '_S.x', 1]],
    ]
    for (const one of made) expect(said({ transform: [dtl(['copy', '*'], one), dtl(add())] })).toEqual([])
    expect(said({ transform: [dtl(['copy', '*'], ['if', true, ['add', 'other', 1]]), dtl(add())] })).toEqual([])
    const first = dtl(['copy', '*'], ['add', 'y', ['hops', { datasets: ['b h'], where: ['eq', '_S.x', 'h.x'] }]])
    expect(said({ transform: [first, dtl(add())] })).toEqual([])
  })

  it('are warned of behind transforms that make what is joined on of anything else', () => {
    const warned = (one: unknown) => said({ transform: [dtl(['copy', '*'], one), dtl(add())] })
    const about = (what: string) => [
      `warning out /transform/1${AT}: Changes of what it joins run nothing again: ${what}`,
    ]
    const of = (name: string) =>
      `'${name}' of a transform before (/rules/default/1) may make 'a' of more than the source`
    expect(warned(['if', ['eq', '_S.x', 1], ['add', 'a', '_S.b']])).toEqual(about(of('if')))
    expect(warned(['add', 'a', '_T.b'])).toEqual(about(of('add')))
    expect(warned(['add', 'a', ['string', ['uuid']]])).toEqual(about(of('add')))
    expect(warned(['merge', '_S.lines'])).toEqual(about(of('merge')))
    expect(warned(['create', '_S.lines'])).toEqual(
      about("the transform before makes entities with 'create' (/rules/default/1)"),
    )
    const chained = { type: 'chained', transforms: [dtl(['merge', '_S.x']), dtl(add())] }
    expect(said({ transform: chained })[0]).toContain(`/transform/transforms/1${AT}`)
  })

  it('are warned of where tracking stops', () => {
    const inner = { datasets: ['a i'], where: ['eq', '_S.v', 'i.b'] }
    const rules = {
      default: [['add', 'x', ['apply-hops', 'r', { ...spec, return: { v: 'd.b' } }]]],
      r: [['add', 'y', ['hops', inner]]],
    }
    const warnings = said({ transform: { type: 'dtl', rules } })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain("warning out /transform/rules/r/0/2/1/where: No change of 'i' can be followed back")
  })

  it('are warned of when they read what the pipe writes, unless it is set up for that', () => {
    const own = dtl(['add', 'x', ['hops', { datasets: ['out d'], where: ['eq', '_S.a', 'd.b'] }]])
    expect(found(pipe('a', {}), pipe('out', { ...reading, transform: own }))).toEqual([
      'warning out /transform: It hops to \'out\', which the pipe itself writes. It needs "batch_size": 1, or it does not find the entities of the same batch; and "set_initial_offset": "onload" on the sink, or it waits for itself.',
    ])
    const sink = { type: 'dataset', dataset: 'out', set_initial_offset: 'onload' }
    expect(found(pipe('a', {}), pipe('out', { ...reading, transform: own, sink, batch_size: 1 }))).toEqual([])
  })

  it('are kept within thresholds where they are to stand for hops', () => {
    const limits = { dependency_error_threshold: 5 }
    const transform = dtl(add())
    expect(said({ transform, dependency_tracking: { ...limits, enable_hops_thresholds: true } })).toEqual([])
    expect(said({ transform, dependency_tracking: limits })).toEqual([])
    expect(said({ transform, dependency_tracking: { dependency_eror_threshold: 5 } })[0]).toContain('Unknown property')
    const node = (dependency_tracking: object) => ({ _id: 'node', type: 'metadata', dependency_tracking })
    expect(said({ transform }, node({ enable_hops_thresholds: true, ...limits }))).toEqual([])
    expect(said({ transform }, node(limits))).toEqual([])
  })

  it('beside create-child warn of a sink that does not look at children', () => {
    const transform = dtl(['create-child', '_S.lines'])
    expect(said({ transform, sink: { type: 'null' } })).toEqual([
      "warning out /transform: 'create-child' makes $children, which a sink of type 'null' does not look at",
    ])
    expect(said({ transform })).toEqual([])
  })
})
