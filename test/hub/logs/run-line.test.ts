import { describe, expect, it } from 'vitest'
import { LogBook } from '../../../src/hub/logs/book.ts'
import type { Line } from '../../../src/hub/logs/line.ts'
import { tellRun } from '../../../src/hub/logs/run-line.ts'
import type { RunReport } from '../../../src/pipes/run-report.ts'

function told(report: Partial<RunReport>, isAsked = false): Line {
  const lines: Line[] = []
  const logger = new LogBook({ level: 'debug', write: (line) => lines.push(line) }).logger('pipes')
  const whole = {
    syncType: 'full',
    read: 3,
    changes: 0,
    failed: 0,
    pending: 0,
    seconds: 1,
    code: null,
    hint: null,
    message: null,
  }
  const user = isAsked ? { user_id: 'ann', email: null, remote_addr: '127.0.0.1', request_id: 'r' } : null
  tellRun(logger, { tenant: 't', pipe: 'p', report: { outcome: 'completed', ...whole, ...report } as RunReport, user })
  return lines[0] as Line
}

const said = (report: Partial<RunReport>, isAsked = false) => {
  const { level, message } = told(report, isAsked)
  return [level, message]
}

describe('the line about a run', () => {
  it('says what came of it, as loudly as it matters', () => {
    expect(said({ outcome: 'failed', message: 'no' })).toEqual(['error', "Pipe 'p' failed: no"])
    expect(said({ changes: 2 })).toEqual(['info', "Pipe 'p' wrote 2 changes."])
    expect(said({ changes: 2, failed: 1 })).toEqual([
      'warn',
      "Pipe 'p' wrote 2 changes, and could not write 1 entities.",
    ])
    expect(said({})).toEqual(['debug', "Pipe 'p' wrote 0 changes."])
    expect(said({ outcome: 'interrupted' })).toEqual(['info', "Pipe 'p' was stopped."])
    expect(said({ outcome: 'waiting', message: 'waits for a' })).toEqual(['debug', "Pipe 'p' waits for a."])
  })

  it('tells whoever asked for it in any case, and names the request', () => {
    expect(said({}, true)).toEqual(['info', "Pipe 'p' wrote 0 changes."])
    expect(told({}, true).details).toMatchObject({ user: 'ann', request: 'r', outcome: 'completed', read: 3 })
  })
})
