/** The law of exchange: whatever networks and restarts do meanwhile, in the end there is what is here. Seeds are printed. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random } from '../bench/data.ts'
import { Exchange, ExchangingHub, exchangeAll } from './exchange-world.ts'

const RUNS = Number(process.env.EXCHANGES ?? 20)
const isLong = RUNS > 100
/** Histories that share the two hubs at a time, and how often one of the hubs is restarted under them. */
const TOGETHER = isLong ? 50 : RUNS
const RESTARTS = isLong ? 3 : 1
const SEED = Number(process.env.EXCHANGE_SEED ?? Math.floor(Math.random() * 2 ** 31))

describe('two hubs that push and pull through an unruly network', () => {
  const here = new ExchangingHub()
  const there = new ExchangingHub()
  const draw = random(SEED)
  beforeAll(async () => {
    await Promise.all([here.open(draw), there.open(draw)])
  })
  afterAll(async () => {
    await Promise.all([here.close(), there.close()])
  }, 120_000)

  for (let first = 0; first < RUNS; first += TOGETHER) {
    it(`end with equal datasets, whatever is cut, delayed, repeated or restarted (from ${first}, seed ${SEED})`, async () => {
      const count = Math.min(TOGETHER, RUNS - first)
      const exchanges = Array.from({ length: count }, (_, n) => new Exchange(first + n, random(SEED + first + n)))
      const differing = await exchangeAll(here, there, exchanges, draw, RESTARTS)
      expect(
        differing.map(({ exchange, ...found }) => ({
          id: exchange.id,
          pipe: exchange.way.pipe(exchange.id),
          ...found,
        })),
      ).toEqual([])
    }, 600_000)
  }

  it('have met every trouble', () => {
    const met = new Set([...(here.proxy?.made.keys() ?? []), ...(there.proxy?.made.keys() ?? [])])
    expect(met.size).toBeGreaterThanOrEqual(isLong ? 9 : 5)
  })
})
