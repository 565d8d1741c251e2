import { expect, it } from 'vitest'
import { Culprits } from '../../../src/hub/pool/culprits.ts'

it('is not started again for a minute, then for two, and so on', () => {
  let now = 0
  const culprits = new Culprits(() => now)
  expect(culprits.pausedBecause('p')).toBeNull()
  culprits.add('p', 'It took a thread.')
  expect(culprits.pausedBecause('p')).toMatch(/^It took a thread. .*1970-01-01T00:01:00/)
  expect(culprits.pausedBecause('q')).toBeNull()
  now = 60_000
  expect(culprits.pausedBecause('p')).toBeNull()
  culprits.add('p', 'It took another.')
  expect(culprits.pausedBecause('p')).toMatch(/1970-01-01T00:03:00/)
  for (let more = 0; more < 10; more++) culprits.add('p', 'And so on.')
  expect(culprits.pausedBecause('p')).toMatch(/1970-01-01T01:01:00/)
})

it('starts at once when it is asked to, and with a clean sheet when it ran well', () => {
  const culprits = new Culprits(() => 0)
  culprits.add('p', 'It took a thread.')
  culprits.excuse('p')
  expect(culprits.pausedBecause('p')).toBeNull()
  culprits.add('p', 'It took a thread.')
  expect(culprits.pausedBecause('p')).toMatch(/00:02:00/)
  culprits.clear('p')
  culprits.add('p', 'It took a thread.')
  expect(culprits.pausedBecause('p')).toMatch(/00:01:00/)
})
