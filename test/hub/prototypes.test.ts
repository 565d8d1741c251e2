import { describe, expect, it } from 'vitest'
import { deploy } from '../../src/hub/deployment.ts'
import { prototypesWith, systemPrototypes } from '../../src/hub/prototypes.ts'

const errorsOf = (...components: object[]) =>
  deploy(JSON.stringify(components), '{}', null).problems.filter(({ level }) => level === 'error')
const web = { _id: 'web', type: 'system:url', url_pattern: 'https://example.org/%s' }

describe('patterns of components', () => {
  it('are systems that a configuration may hold, one at least for each type', () => {
    const patterns = systemPrototypes()
    expect(patterns.map(({ type }) => type)).toEqual(expect.arrayContaining(['system:url', 'system:microservice']))
    for (const { config } of patterns) expect(errorsOf({ ...config, _id: 'one' })).toEqual([])
  })

  it('are sources and sinks that use the system', () => {
    for (const { config } of prototypesWith('web', 'source')) {
      expect(errorsOf(web, { _id: 'in', type: 'pipe', source: config }), JSON.stringify(config)).toEqual([])
    }
    for (const { config } of prototypesWith('web', 'sink')) {
      const pipe = { _id: 'out', type: 'pipe', source: { type: 'empty' }, sink: config }
      expect(errorsOf(web, pipe), JSON.stringify(config)).toEqual([])
    }
    expect(prototypesWith('web', 'source').map(({ type }) => type)).toEqual(expect.arrayContaining(['json', 'csv']))
    expect(prototypesWith('web', 'sink').map(({ type }) => type)).toContain('json')
  })
})
