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
