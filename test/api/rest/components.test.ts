import { describe, expect, it } from 'vitest'
import { receiver } from '../../hub/running-hub.ts'
import { openRealTenant, type RealHub } from '../real-hub.ts'

const reader = (id: string, dataset: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'dataset', dataset },
  pump: { mode: 'manual' },
  ...more,
})
const system = { _id: 'crm', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' }

async function ask(opened: RealHub, method: string, path: string, body?: unknown) {
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await opened.fetch(path, { method, body: text, headers: { 'content-type': 'application/json' } })
  const said = await answer.text()
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
  return { status: answer.status, body: JSON.parse(said) as any, text: said }
}

describe('single pipes and systems', { timeout: 60_000 }, () => {
  it('are added, one or many, and told as they are then', async () => {
    const opened = await openRealTenant()
    expect(await ask(opened, 'POST', '/systems', system)).toMatchObject({
      status: 201,
      body: [{ _id: 'crm', config: { original: system }, runtime: { 'is-valid-config': true } }],
    })
    const pipes = [receiver('in'), reader('out', 'in')]
    const added = await ask(opened, 'POST', '/pipes', pipes)
    expect(added).toMatchObject({
      status: 201,
      body: [
        { _id: 'in', runtime: { state: 'Deployed' } },
        { _id: 'out', config: { effective: { sink: { type: 'dataset', dataset: 'out' } } } },
      ],
    })
    await opened.push('in', [{ _id: '1' }])
    expect(await opened.tenant.runNow('out')).toMatchObject({ changes: 1 })
    expect(JSON.parse(opened.tenant.configText())).toEqual([system, ...pipes])
  })

  it('keep every digit and property, whoever else is added', async () => {
    const opened = await openRealTenant()
    const odd = '{"type":"pipe","_id":"odd", "x":1.0,"y":12345678901234567890,"source":{"type":"empty"}}'
    await ask(opened, 'POST', '/pipes', odd)
    await ask(opened, 'POST', '/pipes', [receiver('in')])
    expect((await ask(opened, 'GET', '/pipes/odd/config')).text).toBe(odd)
    expect(await ask(opened, 'PUT', '/pipes/in/config', receiver('in', { x: 2 }))).toMatchObject({
      status: 200,
      body: { config: { original: { x: 2 } } },
    })
    expect((await ask(opened, 'GET', '/pipes/odd/config')).text).toBe(odd)
  })

  it('are not added under an id that is taken, nor any beside it', async () => {
    const opened = await openRealTenant()
    await opened.configure(system, receiver('in'))
    for (const [path, body] of [
      ['/pipes', [receiver('new'), receiver('in')]],
      ['/pipes', receiver('crm')],
      ['/systems', { ...system, _id: 'in' }],
    ] as const) {
      expect(await ask(opened, 'POST', path, body)).toMatchObject({ status: 409, body: { code: 'component-exists' } })
    }
    expect(await ask(opened, 'PUT', '/pipes/crm/config', receiver('crm'))).toMatchObject({ status: 409 })
    expect(opened.tenant.pipeIds()).toEqual(['in'])
  })

  it('are refused with errors, which are named as for a whole configuration, unless forced', async () => {
    const opened = await openRealTenant()
    const broken = reader('broken', 'in', { source: { type: 'datset' } })
    const refused = await ask(opened, 'POST', '/pipes', [broken])
    expect(refused).toMatchObject({
      status: 400,
      body: {
        code: 'config-rejected',
        validation_errors: [
          {
            'posted-config': { _id: 'broken' },
            'config-errors': [
              { level: 'error', elements: "$['source']['type']", msg: expect.stringContaining('datset') },
            ],
          },
        ],
      },
    })
    expect(opened.tenant.pipeIds()).toEqual([])
    expect(await ask(opened, 'POST', '/pipes?force=True', [broken])).toMatchObject({
      status: 201,
      body: [{ runtime: { state: 'Failed', 'is-valid-config': false } }],
    })
    // What was wrong before is not the fault of who comes now.
    expect((await ask(opened, 'POST', '/pipes', receiver('in'))).status).toBe(201)
    const rival = reader('rival', 'in', { sink: { type: 'dataset', dataset: 'in' } })
    expect((await ask(opened, 'POST', '/pipes', rival)).status).toBe(400)
  })

  it('are refused when they are no such thing, or another than the address says', async () => {
    const opened = await openRealTenant()
    for (const [method, path, body] of [
      ['POST', '/pipes', system],
      ['POST', '/systems', receiver('in')],
      ['POST', '/pipes', '{"type":"pipe"}'],
      ['POST', '/pipes', '"pipe"'],
      ['POST', '/pipes', '{'],
      ['POST', '/pipes', [receiver('twice'), receiver('twice')]],
      ['PUT', '/pipes/a/config', receiver('b')],
      ['PUT', '/pipes/a/config', [receiver('a')]],
    ] as const) {
      expect((await ask(opened, method, path, body)).status, `${method} ${path} ${JSON.stringify(body)}`).toBe(400)
    }
    expect(opened.tenant.configText()).toBe('[]')
  })

  it('are replaced, added where they are not, and removed', async () => {
    const opened = await openRealTenant()
    expect((await ask(opened, 'PUT', '/pipes/in/config', receiver('in'))).status).toBe(200)
    expect((await ask(opened, 'PUT', '/systems/crm/config', system)).status).toBe(200)
    await opened.push('in', [{ _id: '1' }])
    expect(await ask(opened, 'DELETE', '/pipes/in')).toMatchObject({ status: 200, body: { _id: 'in' } })
    expect(await ask(opened, 'DELETE', '/pipes/in')).toMatchObject({ status: 404, body: { code: 'unknown-pipe' } })
    expect(await ask(opened, 'DELETE', '/systems/in')).toMatchObject({ status: 404, body: { code: 'unknown-system' } })
    expect(await ask(opened, 'GET', '/systems/crm/config')).toMatchObject({ status: 200, body: system })
    expect((await ask(opened, 'DELETE', '/systems/crm')).status).toBe(200)
    expect(opened.tenant.configText()).toBe('[]')
    // The data of a deleted pipe stays until somebody deletes it.
    expect((await ask(opened, 'GET', '/datasets/in')).body.runtime.orphaned).toBe(true)
  })
})

describe('notes of pipes, systems and datasets', { timeout: 60_000 }, () => {
  it('are any object, as it was given, and go with what they are of', async () => {
    const opened = await openRealTenant()
    await opened.configure(system, receiver('in'))
    const text = '{"x":1.0,"owner":"Ada"}'
    for (const path of ['/pipes/in/metadata', '/systems/crm/metadata', '/datasets/in/metadata']) {
      expect((await ask(opened, 'GET', path)).text).toBe('{}')
      expect((await ask(opened, 'PUT', path, text)).text).toBe(text)
      expect((await ask(opened, 'GET', path)).text).toBe(text)
      expect((await ask(opened, 'PUT', path, '[]')).status).toBe(400)
      expect((await ask(opened, 'PUT', path.replace(/in|crm/, 'nobody'), '{}')).status).toBe(404)
    }
    expect(JSON.parse(opened.tenant.configText())).toEqual([system, receiver('in')])
    await opened.configure()
    await opened.configure(system, receiver('in'))
    expect((await ask(opened, 'GET', '/pipes/in/metadata')).text).toBe('{}')
    expect((await ask(opened, 'GET', '/systems/crm/metadata')).text).toBe('{}')
    expect((await ask(opened, 'GET', '/datasets/in/metadata')).text).toBe(text)
    await opened.fetch('/datasets/in', { method: 'DELETE' })
    await opened.configure(system, receiver('in'))
    expect((await ask(opened, 'GET', '/datasets/in/metadata')).text).toBe('{}')
  })
})
