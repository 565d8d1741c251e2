import { expect, it } from 'vitest'
import { Homes } from '../../../src/hub/pool/homes.ts'
import type { Seat } from '../../../src/hub/pool/seat.ts'

const [one, other] = [{ number: 0 }, { number: 1 }] as unknown as readonly [Seat, Seat]

/** A choice between two seats that is made by hand, and what is told of moves. */
function world() {
  let best = one
  const left: number[] = []
  const homes = new Homes({ choose: () => best })
  const receive = (work: () => Promise<unknown> = async () => {}, mayMove = true) =>
    homes.within(
      'r',
      async () => {
        const { number } = homes.of('r')
        await work()
        return number
      },
      { mayMove, letGo: async ({ number }) => void left.push(number) },
    )
  const prefer = (seat: Seat) => {
    best = seat
  }
  return { homes, left, receive, prefer }
}

it('moves to a less busy seat once nothing is under way at the former, which lets go first', async () => {
  const { left, receive, prefer } = world()
  expect(await receive()).toBe(0)
  prefer(other)
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  prefer(one)
  const first = receive(() => held)
  await new Promise(setImmediate)
  prefer(other)
  expect(await receive()).toBe(0)
  end()
  expect([await first, left]).toEqual([0, []])
  expect(await Promise.all([receive(), receive()])).toEqual([1, 1])
  expect(left).toEqual([0])
})

it('stays where it may not move, and begins anew where its seat was lost', async () => {
  const { homes, left, receive, prefer } = world()
  expect(await receive()).toBe(0)
  prefer(other)
  expect(await receive(async () => {}, false)).toBe(0)
  homes.forgetSeat(one)
  expect([await receive(), left]).toEqual([1, []])
})
