import { describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../src/config/files.ts'
import { groupOf, groupProblem, taggedText } from '../../src/config/groups.ts'

const component = (text: string) => parseConfiguration([text]).components[0]!

describe('groups of components', () => {
  it('are named in the metadata of a component; the node metadata is of the default one', () => {
    expect(groupOf(component('{"_id":"a","type":"pipe"}'))).toBe('default')
    expect(groupOf(component('{"_id":"a","type":"pipe","metadata":{"$config-group":"crm"}}'))).toBe('crm')
    expect(groupOf(component('{"type":"metadata","metadata":{"$config-group":"crm"}}'))).toBe('default')
  })

  it('are written into a text without touching the rest of it', () => {
    const tagged = (text: string, group: string) => taggedText(component(text), group)
    expect(tagged('{"_id":"a", "type":"pipe", "n":1.0}', 'crm')).toBe(
      '{"_id":"a", "type":"pipe", "n":1.0,"metadata":{"$config-group":"crm"}}',
    )
    expect(tagged('{"_id":"a","metadata":{"x":1e3},"type":"pipe"}', 'crm')).toBe(
      '{"_id":"a","metadata":{"x":1e3,"$config-group":"crm"},"type":"pipe"}',
    )
    expect(tagged('{"_id":"a","type":"pipe","metadata":{"$config-group":"old","x":1}}', 'crm')).toBe(
      '{"_id":"a","type":"pipe","metadata":{"$config-group":"crm","x":1}}',
    )
    const plain = '{ "_id":"a","type":"pipe" }'
    expect(tagged(plain, 'default')).toBe(plain)
  })

  it('refuse what belongs to another one', () => {
    const pipe = component('{"_id":"a","type":"pipe"}')
    const tagged = component('{"_id":"a","type":"pipe","metadata":{"$config-group":"crm"}}')
    const node = component('{"type":"metadata"}')
    expect(groupProblem(pipe, 'crm', undefined)).toBeNull()
    expect(groupProblem(pipe, 'crm', 'crm')).toBeNull()
    expect(groupProblem(pipe, 'crm', 'default')).toMatchObject({ pointer: '/_id', level: 'error' })
    expect(groupProblem(tagged, 'crm', undefined)).toBeNull()
    expect(groupProblem(tagged, 'default', undefined)).toMatchObject({ pointer: '/metadata/$config-group' })
    expect(groupProblem(node, 'default', undefined)).toBeNull()
    expect(groupProblem(node, 'crm', undefined)?.message).toContain('default group')
  })
})
