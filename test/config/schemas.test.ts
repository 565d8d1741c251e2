import type { TSchema } from 'typebox'
import { describe, expect, it } from 'vitest'
import { checkComponent } from '../../src/config/component.ts'
import {
  globalDefaultsSchema,
  metadataSchema,
  taskManagerSchema,
  unsupportedOfGlobalDefaults,
  unsupportedOfMetadata,
} from '../../src/config/metadata.ts'
import { pipeSchema, pumpSchema, unsupportedOfPipe, unsupportedOfPump } from '../../src/config/pipe.ts'
import { systemSchema, unsupportedOfSystem } from '../../src/config/system.ts'
import { fromPlain } from '../../src/model/json.ts'

const found = (schema: TSchema, unsupported: Readonly<Record<string, string>>, plain: unknown) =>
  checkComponent(schema, fromPlain(plain), { component: 'x', pointer: '', unsupported }).problems.map(
    ({ level, pointer }) => `${level} ${pointer}`,
  )

const PIPE = { _id: 'p', type: 'pipe', source: { type: 'x' }, sink: { type: 'y' }, pump: {} }

describe('what a pipe may say', () => {
  it('is everything that this version does', () => {
    const all = {
      ...PIPE,
      name: 'P',
      description: ['a', 'b'],
      comment: 'c',
      batch_size: 10,
      namespaced_identifiers: true,
      add_namespaces: false,
      remove_namespaces: false,
      namespaces: { identity: 'i', property: 'p' },
      metadata: { global: true, tags: ['t'], anything: { at: 'all' } },
      transform: [],
      reprocessing_policy: 'continue',
      dependency_tracking: { dependency_warning_threshold: 10000 },
    }
    expect(found(pipeSchema, unsupportedOfPipe, all)).toEqual([])
  })

  it.each([
    [{ batch_size: 0 }, 'error /batch_size'],
    [{ batch_size: 1.5 }, 'error /batch_size'],
    [{ source: [] }, 'error /source'],
    [{ namespaces: { identiy: 'x' } }, 'warning /namespaces/identiy'],
    [{ sorce: {} }, 'warning /sorce'],
    [{ compaction: 3 }, 'error /compaction'],
    [{ reprocessing_policy: 'sometimes' }, 'error /reprocessing_policy'],
    [
      { dependency_tracking: { dependency_warning_threshold: 0 } },
      'error /dependency_tracking/dependency_warning_threshold',
    ],
  ])('is questioned: %j', (more, problem) => {
    expect(found(pipeSchema, unsupportedOfPipe, { ...PIPE, ...more })).toEqual([problem])
  })
})

describe('what a pump may say', () => {
  it('is everything that this version does, and the defaults of the rest', () => {
    const all = {
      schedule_interval: 0.5,
      mode: 'manual',
      rescan_run_count: 2,
      run_at_startup: true,
      max_retries_per_entity: 5,
      batch_retries: 3,
      comment: 'c',
    }
    expect(found(pumpSchema, unsupportedOfPump, all)).toEqual([])
  })

  it.each([
    [{ schedule_interval: -1 }, 'error /schedule_interval'],
    [{ schedule_interval: '30' }, 'error /schedule_interval'],
    [{ mode: 'of' }, 'error /mode'],
    [{ rescan_run_count: 0 }, 'error /rescan_run_count'],
    [{ max_read_retries: -1 }, 'error /max_read_retries'],
    [{ shedule_interval: 1 }, 'warning /shedule_interval'],
  ])('is questioned: %j', (pump, problem) => {
    expect(found(pumpSchema, unsupportedOfPump, pump)).toEqual([problem])
  })
})

describe('what a system may say', () => {
  it('is its name and what the specification gives by default', () => {
    expect(
      found(systemSchema, unsupportedOfSystem, { _id: 's', type: 'system:url', name: 'S', worker_threads: 10 }),
    ).toEqual([])
    expect(found(systemSchema, unsupportedOfSystem, { _id: 's', type: 'system:url', worker_threads: 2 })).toEqual([
      'error /worker_threads',
    ])
  })
})

describe('what the node metadata may say', () => {
  it('is everything that this version does', () => {
    const all = {
      _id: 'node',
      type: 'metadata',
      namespaced_identifiers: true,
      namespaces: { default: { wd: 'http://www.wikidata.org/entity/', urn: 'urn:x:' } },
      global_defaults: {
        use_signalling_internally: false,
        enable_cpp_extensions: true,
        if_source_empty: 'fail',
        require_populated_input: true,
      },
      task_manager: { disable_pump_scheduler: true },
      dependency_tracking: { enable_hops_thresholds: false },
    }
    expect(found(metadataSchema, unsupportedOfMetadata, all)).toEqual([])
    expect(found(globalDefaultsSchema, unsupportedOfGlobalDefaults, all.global_defaults)).toEqual([])
    expect(found(taskManagerSchema, {}, all.task_manager)).toEqual([])
  })

  it.each([
    [{ namespaces: { default: { wd: 'wikidata' } } }, 'error /namespaces/default/wd'],
    [{ namespaces: { default: { wd: 'http://a b/' } } }, 'error /namespaces/default/wd'],
    [{ namespaces: { defualt: {} } }, 'warning /namespaces/defualt'],
    [{ rdf: {} }, 'error /rdf'],
    [{ something_of_mine: 1 }, 'warning /something_of_mine'],
  ])('is questioned: %j', (more, problem) => {
    expect(found(metadataSchema, unsupportedOfMetadata, { type: 'metadata', ...more })).toEqual([problem])
  })

  it('may name the defaults of what is not done yet', () => {
    const defaults = checkComponent(globalDefaultsSchema, fromPlain({}), { component: 'node', pointer: '' }).value
    expect(found(globalDefaultsSchema, unsupportedOfGlobalDefaults, defaults)).toEqual([])
    expect(found(globalDefaultsSchema, unsupportedOfGlobalDefaults, { if_source_empty: 'never' })).toEqual([
      'error /if_source_empty',
    ])
    expect(found(globalDefaultsSchema, unsupportedOfGlobalDefaults, { compaction_keep_versions: -3 })).toEqual([
      'error /compaction_keep_versions',
    ])
  })
})
