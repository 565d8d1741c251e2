import { describe, expect, it } from 'vitest'
import { levelsOf } from '../../src/hub/levels.ts'
import type { Pipe } from '../../src/pipes/pipe.ts'

const pipe = (id: string, inputs: readonly string[], reads: readonly string[] = []) =>
  ({ id, source: { inputs }, reads, sink: { kind: 'dataset', dataset: id } }) as unknown as Pipe
const ids = (pipes: readonly Pipe[]) => levelsOf(pipes).map((level) => level.map(({ id }) => id))

describe('the levels of pipes', () => {
  it('put each pipe above those that write what it reads or hops to', () => {
    expect(ids([pipe('d', ['b'], ['c']), pipe('b', ['a']), pipe('c', ['b']), pipe('a', [])])).toEqual([
      ['a'],
      ['b'],
      ['c'],
      ['d'],
    ])
  })

  it('hold all pipes once when they go in a circle', () => {
    const levels = ids([pipe('a', ['c']), pipe('b', ['a']), pipe('c', ['b']), pipe('self', ['self'])])
    expect(levels.flat().sort()).toEqual(['a', 'b', 'c', 'self'])
  })

  it('are found at once for a long chain and a wide one', () => {
    const chain = Array.from({ length: 2_000 }, (_, n) => pipe(`p${n}`, n === 0 ? [] : [`p${n - 1}`]))
    expect(levelsOf(chain)).toHaveLength(2_000)
    const wide = Array.from({ length: 60 }, (_, n) =>
      pipe(
        `w${n}`,
        Array.from({ length: n }, (_, m) => `w${m}`),
      ),
    )
    expect(levelsOf(wide)).toHaveLength(60)
  })
})
