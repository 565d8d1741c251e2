/** What errors of programs are to those who send entities. */

import { expect, it } from 'vitest'
import { problemOf } from '../../src/api/problem.ts'
import { DtlError, type DtlErrorCode } from '../../src/dtl/errors.ts'

it('tells a sender what the program of the pipe did not accept', () => {
  const statuses: readonly (readonly [DtlErrorCode, number])[] = [
    ['fail', 400],
    ['bad-id', 400],
    ['bad-argument', 400],
    ['too-much-work', 400],
    ['trip', 409],
  ]
  for (const [code, status] of statuses)
    expect(problemOf(new DtlError(code, 'Why.', { hint: 'Do this.' }))).toMatchObject({ status, isUnexpected: false })
})

it('says of what a plugin refuses no more than the status', () => {
  const error = Object.assign(new Error('/home/hub/package.json is outside'), { statusCode: 403 })
  expect(problemOf(error)).toMatchObject({
    status: 403,
    isUnexpected: false,
    body: { code: 'forbidden', detail: 'Forbidden.' },
  })
  expect(problemOf(Object.assign(new Error('inside'), { statusCode: 500 }))).toMatchObject({
    status: 500,
    isUnexpected: true,
  })
  expect(problemOf(Object.assign(new Error('inside'), { code: 'ENOENT' }))).toMatchObject({
    status: 500,
    isUnexpected: true,
  })
})
