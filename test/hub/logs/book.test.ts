import { describe, expect, it } from 'vitest'
import { ALL, LogBook } from '../../../src/hub/logs/book.ts'
import type { Line } from '../../../src/hub/logs/line.ts'

function book(options: Partial<ConstructorParameters<typeof LogBook>[0]> = {}) {
  const written: Line[] = []
  let now = 0
  const made = new LogBook({
    level: 'warn',
    write: (line) => written.push(line),
    now: () => ++now,
    kept: 3,
    ...options,
  })
  return { book: made, written }
}

const messages = (lines: readonly Line[]) => lines.map(({ message }) => message)

describe('the log book', () => {
  it('writes what the level of a logger lets through, and keeps what happened of late whatever is written', () => {
    const { book: logs, written } = book()
    const log = logs.logger('api')
    log.debug('d')
    log.info('i', { a: 1 })
    log.warn('w')
    expect(written).toEqual([{ time: 2, level: 'warn', logger: 'api', message: 'w', details: {} }])
    expect(messages(logs.lines('api', { limit: 10 }))).toEqual(['i', 'w'])
  })

  it('lets the level of one logger be changed, or that of all', () => {
    const { book: logs, written } = book()
    const [api, pipes] = [logs.logger('api'), logs.logger('pipes')]
    logs.setLevel('api', 'DEBUG')
    api.debug('seen')
    pipes.debug('not seen')
    logs.setLevel(null, 'error')
    api.warn('kept only')
    expect(messages(written)).toEqual(['seen'])
    expect(logs.documents().map(({ _id, level, lines }) => [_id, level, lines])).toEqual([
      [ALL, 'error', 2],
      ['api', 'error', 2],
      ['pipes', 'error', 0],
    ])
    logs.setLevel('pipes', 'warning')
    expect(logs.documents()[2]?.level).toBe('warn')
  })

  it('refuses levels and loggers that there are not, and says which there are', () => {
    const { book: logs } = book()
    logs.logger('api')
    expect(() => logs.setLevel('api', 'loud')).toThrow(expect.objectContaining({ code: 'bad-request' }))
    expect(() => logs.setLevel('apis', 'info')).toThrow(
      expect.objectContaining({ code: 'unknown-logger', hint: 'There are all, api.' }),
    )
    expect(() => logs.lines('apis', { limit: 1 })).toThrow(expect.objectContaining({ code: 'unknown-logger' }))
  })

  it('keeps so many lines of each logger, and a flood of requests washes no warning away', () => {
    const { book: logs } = book()
    const log = logs.logger('api')
    log.error('once')
    for (let n = 0; n < 10; n++) log.info(`request ${n}`)
    logs.logger('hub').info('elsewhere')
    expect(messages(logs.lines('api', { limit: 10 }))).toEqual(['once', 'request 7', 'request 8', 'request 9'])
    expect(messages(logs.lines(ALL, { limit: 2 }))).toEqual(['request 9', 'elsewhere'])
    expect(logs.lines(ALL, { limit: 0 })).toEqual([])
  })

  it('finds lines by level, pipe, tenant, request and time', () => {
    const { book: logs } = book({ kept: 10 })
    const log = logs.logger('pipes')
    log.info('1', { pipe: 'a', tenant: 't', request: 'r' })
    log.warn('2', { pipe: 'b', tenant: 't' })
    log.error('3', { pipe: 'a', tenant: 'u' })
    const found = (query: object) => messages(logs.lines(ALL, { limit: 9, ...query }))
    expect(found({ level: 'warn' })).toEqual(['2', '3'])
    expect(found({ pipe: 'a' })).toEqual(['1', '3'])
    expect(found({ tenant: 't', pipe: 'b' })).toEqual(['2'])
    expect(found({ request: 'r' })).toEqual(['1'])
    expect(found({ since: 1 })).toEqual(['2', '3'])
  })

  it('takes secrets out of all texts, however deep, before anything is written or kept', () => {
    const { book: logs, written } = book({ mask: (text) => text.replaceAll('s3cret', '***') })
    const circle: Record<string, unknown> = {}
    circle.self = circle
    logs.logger('hub').error('it is s3cret', { a: 's3cret', b: [{ c: { d: { e: { f: 's3cret' } } } }], n: 1, big: 10n })
    logs.logger('hub').error('round', { circle })
    expect(JSON.stringify(written[0])).not.toContain('s3cret')
    expect(JSON.stringify(logs.lines('hub', { limit: 9 }))).not.toContain('s3cret')
    expect(written[0]?.details).toMatchObject({ a: '***', n: 1, big: '10' })
    expect(written).toHaveLength(2)
  })

  it('cuts what it keeps, and writes it whole', () => {
    const { book: logs, written } = book()
    logs.logger('hub').error('x'.repeat(10_000), { y: 'y'.repeat(10_000) })
    expect(written[0]?.message).toHaveLength(10_000)
    const [kept] = logs.lines('hub', { limit: 1 })
    expect(kept?.message).toHaveLength(4_001)
    expect(kept?.details.y).toHaveLength(4_001)
  })
})
