import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Side } from '../../src/merge/rules.ts'
import { StableModel } from './stable-model.ts'
import { type Keys, type Merge, naively, naiveParts, World, type WorldOptions } from './world.ts'

const side = (input: number, expression: string): Side => ({ input, expression })

const DATASETS = 3
const sides = fc.record({ input: fc.nat(DATASETS - 1), expression: fc.constantFrom('x', 'y') })
const pairs = fc.array(fc.tuple(sides, sides), { minLength: 1, maxLength: 5 })
const keys: fc.Arbitrary<Keys> = fc.record({
  x: fc.array(fc.constantFrom('1', '2', '3', '4'), { maxLength: 2 }),
  y: fc.array(fc.constantFrom('1', '2', '3', '4'), { maxLength: 2 }),
})

type Step =
  | { readonly kind: 'put'; readonly position: number; readonly number: number; readonly keys: Keys }
  | { readonly kind: 'remove'; readonly position: number; readonly number: number }
  | { readonly kind: 'run'; readonly lag: number }
  | { readonly kind: 'page' }
  | { readonly kind: 'restart' }
  /** Other datasets or rules, while the state stays. */
  | { readonly kind: 'change'; readonly merge: Merge }
  /** The state begins anew. */
  | { readonly kind: 'anew' }

const place = { position: fc.nat(DATASETS - 1), number: fc.nat(4) }
const put: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('put' as const), ...place, keys })
const merges: fc.Arbitrary<Merge> = fc.record({
  present: fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
  pairs,
})
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: put },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), ...place }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const), lag: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'page' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), merge: merges }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'anew' as const }) },
  ),
  { maxLength: 40, size: 'max' },
)
const options: fc.Arbitrary<WorldOptions> = fc.record({
  datasets: fc.constant(DATASETS),
  pairs,
  identity: fc.constantFrom('composite' as const, 'first' as const),
  strategy: fc.constantFrom('default' as const, 'compact' as const, 'list' as const),
  maxMerged: fc.constantFrom(0, 0, 3),
  maxShared: fc.constantFrom(0, 0, 3),
  visible: fc.constantFrom(DATASETS, DATASETS, DATASETS - 1),
})

/** Ids differ between datasets: identity `first` asks for that, or for a rule that makes equal ids the same. */
const ownIds = (position: number, number: number): string => `${'abc'[position]}${number}`

function play(
  world: World,
  history: readonly Step[],
  check: () => void,
  { idAt = ownIds, always = [] }: { idAt?: typeof ownIds; always?: Merge['pairs'] } = {},
): void {
  for (const step of history) {
    if (step.kind === 'put') {
      const id = idAt(step.position, step.number)
      world.put(step.position, id, { ...step.keys, id: [id] })
    } else if (step.kind === 'remove') world.remove(step.position, idAt(step.position, step.number))
    else if (step.kind === 'page') world.page(1)
    else if (step.kind === 'restart') world.restart()
    else if (step.kind === 'anew') world.beginAnew()
    else if (step.kind === 'change') world.change({ ...step.merge, pairs: [...step.merge.pairs, ...always] })
    else {
      world.run(step.lag)
      check()
    }
  }
  world.run()
  check()
}

describe('the classes of a merge', () => {
  test('after any history equal those found from scratch, and so do the entities they emitted', () => {
    fc.assert(
      fc.property(options, steps, (how, history) => {
        const world = new World(how)
        play(world, history, () => expect(world.sink).toEqual(naively(world)))
      }),
      { numRuns: 600 },
    )
  })

  test('differ from those where a merge forgets to take apart what came apart', () => {
    const law = fc.property(options, steps, (how, history) => {
      const world = new World({ ...how, forgetsUnmerge: true })
      play(world, history, () => expect(world.sink).toEqual(naively(world)))
    })
    expect(fc.check(law, { numRuns: 500 }).failed).toBe(true)
  })

  test('keep minted ids where most of those are that had them, whatever happens, and hold what they should', () => {
    fc.assert(
      fc.property(options, steps, (how, history) => {
        const world = new World({ ...how, identity: 'stable' })
        const model = new StableModel(world)
        // Who goes and comes again before a state that began anew knows who is who counts as one who stayed.
        const settled = history.flatMap((step): Step[] =>
          step.kind === 'anew' ? [step, { kind: 'run' as const, lag: 1 }] : [step],
        )
        play(world, settled, () => model.check())
      }),
      { numRuns: 400 },
    )
  })

  test('keep an id that several datasets use, as long as one of them has it', () => {
    const byId = [0, 1, 2].flatMap((one) => [0, 1, 2].map((other) => [side(one, 'id'), side(other, 'id')] as const))
    fc.assert(
      fc.property(options, steps, (how, history) => {
        const world = new World({
          ...how,
          identity: 'first',
          maxShared: 0,
          maxMerged: 0,
          pairs: [...how.pairs, ...byId],
        })
        play(world, history, () => expect(world.sink).toEqual(naively(world)), {
          idAt: (_, number) => `e${number}`,
          always: byId,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('ignore arrival order', () => {
    const arrivals = fc.array(put, { maxLength: 15, size: 'max' }).chain((all) => {
      const newest = [
        ...new Map(all.map((one) => [`${(one as Keyed).position} ${(one as Keyed).number}`, one])).values(),
      ]
      return fc.tuple(
        fc.constant(newest),
        fc.shuffledSubarray(newest, { minLength: newest.length, maxLength: newest.length }),
      )
    })
    fc.assert(
      fc.property(options, arrivals, (how, [one, other]) => {
        const ids = [one, other].map((history) => {
          const world = new World(how)
          play(world, history, () => {})
          return [...world.sink.keys()].sort()
        })
        expect(ids[0]).toEqual(ids[1])
      }),
      { numRuns: 300 },
    )
  })

  test('are undone by taking the link away', () => {
    fc.assert(
      fc.property(options, fc.array(put, { maxLength: 12, size: 'max' }), keys, (how, history, more) => {
        const world = new World(how)
        play(world, [...history, { kind: 'put', position: 0, number: 0, keys: {} }], () => {})
        const before = [...world.sink.keys()].sort()
        world.put(0, 'a0', more)
        world.run()
        world.put(0, 'a0', {})
        world.run()
        expect([...world.sink.keys()].sort()).toEqual(before)
      }),
      { numRuns: 300 },
    )
  })

  test('are bound by rules within one dataset too', () => {
    const world = new World({ datasets: 1, pairs: [[side(0, 'x'), side(0, 'x')]] })
    world.put(0, 'a1', { x: ['1'] })
    world.put(0, 'a2', { x: ['1', '2'] })
    world.put(0, 'a3', { x: ['2'] })
    world.run()
    expect([...world.sink.keys()]).toEqual(['0|a1|0|a2|0|a3'])
    world.put(0, 'a2', { x: ['3'] })
    world.run()
    expect(naiveParts(world)).toHaveLength(3)
    expect([...world.sink.keys()].sort()).toEqual(['0|a1', '0|a2', '0|a3'])
  })
})

interface Keyed {
  readonly position: number
  readonly number: number
}
