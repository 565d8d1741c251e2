/** Bounds how long a request may take to be answered. */

import { ApiError } from '../errors.ts'

/** What was made in time; else `took-too-long`, and `giveUp` is called so that nobody goes on with it. */
export async function inTime<T>(made: Promise<T> | T, seconds: number, giveUp: () => void): Promise<T> {
  if (!(made instanceof Promise)) return made
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp()
      reject(tooLong(seconds))
    }, seconds * 1_000)
  })
  try {
    return await Promise.race([made, late])
  } finally {
    clearTimeout(timer)
  }
}

const tooLong = (seconds: number): ApiError =>
  new ApiError('took-too-long', `There was no answer within ${seconds} s.`, {
    hint: 'What was begun may still be done. Look before asking again, or ask for less.',
    details: { seconds },
  })
