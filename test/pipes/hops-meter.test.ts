import { expect, it } from 'vitest'
import { defaultThresholds, RunHopsMeter } from '../../src/pipes/hops-meter.ts'
import { silent } from '../../src/pipes/logger.ts'
import { entity } from '../log/sample.ts'

it('warns once for each hops, with the place, and counts one evaluation at a time', () => {
  const warnings: unknown[] = []
  const meter = new RunHopsMeter(
    { ...defaultThresholds, warning: 2 },
    { ...silent, warn: (_, details) => warnings.push(details) },
  )
  const [a, b] = [entity({ _id: 'a' }), entity({ _id: 'b' })]
  meter.begin('/one')?.collect([a, b])
  const second = meter.begin('/one')
  second?.collect([a])
  second?.collect([a, b])
  meter.begin('/one')?.collect([a, b, a])
  meter.begin('/two')?.collect([a, b, b])
  expect(warnings).toEqual([
    { pointer: '/one', entities: 3, bytes: 33 },
    { pointer: '/two', entities: 3, bytes: 33 },
  ])
})

it('counts nothing but figures where there are no thresholds', () => {
  const meter = new RunHopsMeter(null, silent)
  expect(meter.begin('/one')).toBeNull()
  meter.source(3)
  meter.source(2)
  expect([meter.maxCardinality, meter.total]).toEqual([3, 5])
})
