/** `sleep!` pauses its own pipe, and nothing else. */

import { describe, expect, it } from 'vitest'
import { dictOf } from '../../src/model/dict.ts'
import { runPipe } from '../../src/pipes/pump.ts'
import { contextOf, memoryLookup } from '../dtl/memory-lookup.ts'
import { entity, problemsOf, programOf } from '../dtl/settings.ts'
import { openedLog, reading } from '../log/sample.ts'
import { pipeOf, portsOf } from './running-pipe.ts'

const pipe = (id: string, rules: unknown[], entities: object[]) =>
  pipeOf({ _id: id, source: { type: 'embedded', entities }, transform: { type: 'dtl', rules: { default: rules } } })

describe('sleep!', () => {
  it('pauses after each entity, while other pipes of the thread go on', async () => {
    const { writer, log } = await openedLog()
    const ports = portsOf(writer, log)
    const signal = new AbortController().signal
    const startedAt = performance.now()
    const sleeping = pipe('slow', [['if', ['eq', '_S._id', '2'], ['sleep!', 1]]], [{ _id: '1' }, { _id: '2' }])
    const slow = runPipe(sleeping, ports, { kind: 'incremental' }, signal)
    expect(await runPipe(pipe('quick', [], [{ _id: '1' }]), ports, { kind: 'incremental' }, signal)).toMatchObject({
      outcome: 'completed',
    })
    expect(performance.now() - startedAt).toBeLessThan(900)
    expect(await slow).toMatchObject({ outcome: 'completed', changes: 2 })
    expect(performance.now() - startedAt).toBeGreaterThan(990)
  })

  it('is stopped with its run', async () => {
    const { writer, log } = await openedLog()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    const startedAt = performance.now()
    const sleeping = pipe('slow', [['sleep!', 3600]], [{ _id: '1' }])
    expect(await runPipe(sleeping, portsOf(writer, log), { kind: 'incremental' }, stop.signal)).toMatchObject({
      outcome: 'interrupted',
    })
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    reading(log, (snapshot) => expect(snapshot.dataset('slow')?.counts().versions).toBe(0))
  })

  it('takes a constant number of whole seconds, an hour at most', () => {
    for (const period of [1.5, '1', null, ['+', 1, 1], -1, 3601])
      expect(problemsOf({ default: [['sleep!', period]] })).toMatchObject([
        { level: 'error', pointer: '/rules/default/0/1' },
      ])
    expect(problemsOf({ default: [['sleep!', 3600]] })).toEqual([])
  })

  it('adds up for an entity, up to the same hour', () => {
    const heard: number[] = []
    const context = contextOf(memoryLookup(new Map()), dictOf({}), { pause: (seconds) => heard.push(seconds) })
    const rules = { default: [['add', 'x', ['apply', 'slow', '_S.list']]], slow: [['sleep!', 1800]] }
    const transform = programOf(rules)
    transform.apply(entity('{"_id": "1", "list": [1, 2]}'), context)
    expect(heard).toEqual([1800, 1800])
    expect(() => transform.apply(entity('{"_id": "1", "list": [1, 2, 3]}'), context)).toThrow('pause of more than')
  })
})
