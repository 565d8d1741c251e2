import { describe, expect, it } from 'vitest'
import { effectiveComponent } from '../../src/config/effective.ts'
import { parseConfiguration } from '../../src/config/files.ts'
import type { Dict } from '../../src/model/dict.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'

const ENV = parseJson(
  '{"host":"h.example","port":8080,"ratio":1.0,"on":true,"list":[1,"a"],"kind":"prod","nested":"conditional","loop":"$ENV(host)"}',
  {
    transit: false,
  },
) as Dict

function effective(pipe: object) {
  const [component] = parseConfiguration(JSON.stringify(pipe)).components
  if (component === undefined) throw new Error('no component')
  const { value, problems } = effectiveComponent(component, ENV)
  return {
    text: writeJson(value, { transit: false }),
    value: JSON.parse(writeJson(value, { transit: false })),
    problems,
  }
}

const PIPE = { _id: 'p', type: 'pipe', source: { type: 'empty' } }

describe('the effective configuration', () => {
  it('gives a pipe without a sink the dataset of its own name, and a pump', () => {
    const { value } = effective(PIPE)
    expect(value.sink).toEqual({ type: 'dataset', dataset: 'p' })
    expect(value.pump).toEqual({})
  })

  it('completes a dataset sink and leaves others alone', () => {
    expect(effective({ ...PIPE, sink: { type: 'dataset', deletion_tracking: false } }).value.sink).toEqual({
      type: 'dataset',
      dataset: 'p',
      deletion_tracking: false,
    })
    expect(effective({ ...PIPE, sink: { type: 'null' } }).value.sink).toEqual({ type: 'null' })
  })

  it('keeps the type of a variable that is the whole string, and writes it into a longer one', () => {
    const { text } = effective({
      ...PIPE,
      batch_size: '$ENV(port)',
      x: '$ENV(ratio)',
      name: 'http://$ENV(host):$ENV(port)/$ENV(list)',
    })
    expect(text).toContain('"batch_size":8080')
    expect(text).toContain('"x":1.0')
    expect(text).toContain('"name":"http://h.example:8080/[1,\\"a\\"]"')
  })

  it('says which variable is not defined, where, and which was meant', () => {
    const { problems } = effective({ ...PIPE, source: { type: 'json', url: '$ENV(prot)' } })
    expect(problems).toMatchObject([
      {
        level: 'error',
        component: 'p',
        pointer: '/source/url',
        message: "The environment variable 'prot' is not defined.",
        hint: "Did you mean 'port'?",
      },
    ])
  })

  it('says where a variable is defined when none is near, and that a pipe has no secrets', () => {
    const { problems } = effective({
      ...PIPE,
      source: { type: 'json', url: '$ENV(else)', headers: { a: 'x $SECRET(b)' } },
    })
    expect(problems).toMatchObject([
      { level: 'error', pointer: '/source/url', hint: expect.stringContaining('env.json') },
      {
        level: 'error',
        pointer: '/source/headers/a',
        message: "The secret 'b' cannot stand here.",
      },
    ])
  })

  it('expands nothing in embedded entities', () => {
    const entities = [{ _id: '1', a: '$ENV(host)', $conditional_properties: 7 }]
    expect(effective({ ...PIPE, source: { type: 'embedded', entities } }).value.source.entities).toEqual(entities)
  })

  it('replaces a conditional part by the alternative its condition names', () => {
    const source = {
      type: 'conditional',
      condition: '$ENV(kind)',
      alternatives: { prod: { type: 'dataset', dataset: '$ENV(host)' }, test: { type: 'empty' } },
    }
    expect(effective({ ...PIPE, source }).value.source).toEqual({ type: 'dataset', dataset: 'h.example' })
    const wrong = effective({ ...PIPE, source: { ...source, condition: 'other' } }).problems
    expect(wrong[0]).toMatchObject({
      pointer: '/source/condition',
      message: "The condition is 'other', which is none of the alternatives: prod, test.",
    })
  })

  it('puts conditional properties on their own level, over those of the same name', () => {
    const { value } = effective({
      ...PIPE,
      pump: {
        mode: 'scheduled',
        schedule_interval: 10,
        $conditional_properties: { condition: '$ENV(on)', alternatives: { true: { mode: 'off' }, false: {} } },
      },
    })
    expect(value.pump).toEqual({ mode: 'off', schedule_interval: 10 })
  })

  it('nests conditional properties, and resolves a part whose type is a variable', () => {
    const { value, problems } = effective({
      ...PIPE,
      source: { type: '$ENV(nested)', condition: 'a', alternatives: { a: { type: 'json', url: '$ENV(host)' } } },
      $conditional_properties: {
        condition: 'x',
        alternatives: {
          x: { name: 'one', $conditional_properties: { condition: 'y', alternatives: { y: { name: 'two' } } } },
        },
      },
    })
    expect(problems).toEqual([])
    expect(value.name).toBe('two')
    expect(value.source).toEqual({ type: 'json', url: 'h.example' })
  })

  it('resolves transforms one by one, and leaves programs alone but for variables', () => {
    const rules = {
      default: [
        ['add', 'host', '$ENV(host)'],
        ['comment', '$ENV(gone)'],
        ['add', 'd', { type: 'conditional' }],
      ],
    }
    const { value, problems } = effective({
      ...PIPE,
      transform: [
        { type: 'dtl', rules },
        { type: 'conditional', condition: '$ENV(kind)', alternatives: { prod: { type: 'http', url: '$ENV(host)' } } },
      ],
    })
    expect(problems).toEqual([])
    expect(value.transform[0].rules.default).toEqual([
      ['add', 'host', 'h.example'],
      ['comment', '$ENV(gone)'],
      ['add', 'd', { type: 'conditional' }],
    ])
    expect(value.transform[1]).toEqual({ type: 'http', url: 'h.example' })
  })

  it('refuses conditional properties inside a transform, and for what a component is', () => {
    const conditional = { condition: 'a', alternatives: { a: { _id: 'other', type: 'system:url' } } }
    expect(
      effective({ ...PIPE, transform: { type: 'dtl', $conditional_properties: conditional } }).problems,
    ).toMatchObject([{ level: 'error', pointer: '/transform/$conditional_properties' }])
    const { value, problems } = effective({ ...PIPE, $conditional_properties: conditional })
    expect(problems.map(({ pointer }) => pointer)).toEqual(['/_id', '/type'])
    expect(value).toMatchObject({ _id: 'p', type: 'pipe' })
  })

  it('says what a conditional part lacks', () => {
    expect(effective({ ...PIPE, pump: { $conditional_properties: { condition: 'a' } } }).problems).toMatchObject([
      { pointer: '/pump/$conditional_properties', message: "A conditional part needs 'condition' and 'alternatives'." },
    ])
  })

  it('expands nothing in comments', () => {
    expect(effective({ ...PIPE, comment: 'needs $ENV(gone)', pump: { comment: ['$ENV(gone)'] } }).problems).toEqual([])
  })

  it('expands a variable once', () => {
    expect(effective({ ...PIPE, name: '$ENV(loop) and $ENV(loop)' }).value.name).toBe('$ENV(host) and $ENV(host)')
    expect(effective({ ...PIPE, name: '$ENV(loop)' }).value.name).toBe('$ENV(host)')
  })

  it('leaves secrets for later', () => {
    expect(effective({ ...PIPE, name: '$SECRET(s)$ENV(port)' }).value.name).toBe('$SECRET(s)8080')
  })
})
